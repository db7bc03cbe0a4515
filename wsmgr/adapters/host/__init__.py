"""What workspaces and the host use, from /proc. psutil is for figures of the whole host; a sweep over hundreds of
workspaces reads the few files that it needs itself, at a tenth of the cost."""

from __future__ import annotations

from wsmgr.adapters.host.meter import ProcMeter

__all__ = ["ProcMeter"]
