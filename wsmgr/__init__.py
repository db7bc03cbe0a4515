"""wsmgr: a rootless Podman workspace for every owner, in which untrusted plugins run."""

__version__ = "0.1.0"
