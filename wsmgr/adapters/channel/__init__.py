"""HTTP/1.1 to the runtimes over unix sockets inside their workspaces."""

from wsmgr.adapters.channel.runtime import RuntimeChannel

__all__ = ["RuntimeChannel"]
