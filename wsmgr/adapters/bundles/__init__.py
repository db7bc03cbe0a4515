"""Bundles of plugins: archives taken apart."""

from wsmgr.adapters.bundles.unpacker import ArchiveUnpacker

__all__ = ["ArchiveUnpacker"]
