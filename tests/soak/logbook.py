"""What the daemon wrote into its log: no defect, and nothing over and over."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

WINDOW_S = 10
MOST_IN_WINDOW = 40
"""So often the same thing may be said of one workspace within the window: four times a second is a busy loop."""
DEFECTS = ("Traceback", "defect", "background work failed", "delivery failed", "alerts failed", "retention failed",
           "never retrieved", "was destroyed but it is pending", "request failed", "a task does not end",
           "the daemon did not end in time")  # fmt: skip


def audit(lines: Iterable[str]) -> Iterator[str]:
    """What is wrong with a log in JSON lines, in sentences."""
    windows: Counter[tuple[str, str, int]] = Counter()
    for line in lines:
        if any(word in line for word in DEFECTS):
            yield f"The daemon's log speaks of a defect: {line.strip()[:600]}"
        entry = _entry(line)
        if entry is not None:
            windows[entry] += 1
    for (event, workspace, window), count in sorted(windows.items()):
        if count > MOST_IN_WINDOW:
            yield (
                f"The daemon said {event!r} of {workspace or 'itself'} {count} times within {WINDOW_S} s (window "
                f"{window}): a busy loop."
            )


def _entry(line: str) -> tuple[str, str, int] | None:
    try:
        entry = json.loads(line)
        at = datetime.fromisoformat(entry["timestamp"])
        return str(entry["event"]), str(entry.get("workspace", "")), int(at.timestamp() // WINDOW_S)
    except (ValueError, KeyError, TypeError):
        return None
