"""Rootless Podman: workspaces as containers, its API service, and the image they run."""
