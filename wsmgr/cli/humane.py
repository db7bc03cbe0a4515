"""Figures and times as people say them."""

from __future__ import annotations

from datetime import datetime

_STEPS = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "min"), (1.0, "s"))
_UNITS = ((1, "KiB"), (2, "MiB"), (3, "GiB"))


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 workspace`, `2 workspaces`; `many` for nouns that do not just take an s."""
    return f"{count} {one}" if count == 1 else f"{count} {many or one + 's'}"


def ago(at: datetime, now: datetime) -> str:
    """`3 min ago`. A time ahead of a clock that lags is `just now`."""
    seconds = (now - at).total_seconds()
    return "just now" if seconds < 1 else f"{span(seconds)} ago"


def span(seconds: float) -> str:
    """`12 s`, `3 min`, `1 hour`, `2 days`: the largest unit only."""
    for size, word in _STEPS:
        if seconds >= size:
            count = int(seconds // size)
            return plural(count, word) if word in {"day", "hour"} else f"{count} {word}"
    return "0 s"


def milliseconds(value: float | None) -> str:
    """`0.42 ms`, `12.3 ms`, `1.50 s`; a dash when unknown."""
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value / 1000:.2f} s"
    return f"{value:.2f} ms" if value < 10 else f"{value:.1f} ms"


def size(count: float) -> str:
    """Bytes in units of 1024: `512 B`, `2.0 KiB`, `106 MiB`."""
    if count < 1024:
        return f"{count:.0f} B"
    scaled, unit = min(((count / 1024**power, name) for power, name in _UNITS if count >= 1024**power))
    return f"{scaled:.0f} {unit}" if scaled >= 100 else f"{scaled:.1f} {unit}"


def printable(text: str) -> str:
    """Text of untrusted origin without the control characters by which it could write to the terminal as it likes."""
    return "".join(mark if mark.isprintable() or mark in "\n\t" else _escaped(mark) for mark in text)


def _escaped(mark: str) -> str:
    return mark.encode("unicode_escape", "backslashreplace").decode("ascii")
