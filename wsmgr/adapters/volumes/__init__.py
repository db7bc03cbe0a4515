"""Persistent data: volumes of a fixed size that root has made and mounted."""

from wsmgr.adapters.volumes.pool import VolumePool

__all__ = ["VolumePool"]
