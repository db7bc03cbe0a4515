"""Figures, times and names as an operator reads them, each within a width that is known before."""

from __future__ import annotations

from datetime import datetime

from rich.cells import cell_len, set_cell_size

NOTHING = "-"
"""For what is not known or does not apply."""

_SIZES = ("B", "K", "M", "G", "T", "P")
_STEPS = ((86_400, "d"), (3_600, "h"), (60, "m"))
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def size(count: float | None) -> str:
    """Bytes in units of 1024, in at most 5 cells: `0B`, `512B`, `1.5K`, `106M`."""
    if count is None:
        return NOTHING
    scaled, unit = float(max(count, 0)), 0
    while scaled >= 999.5 and unit < len(_SIZES) - 1:
        scaled, unit = scaled / 1024, unit + 1
    digits = 1 if unit and scaled < 9.95 else 0
    return f"{scaled:.{digits}f}{_SIZES[unit]}"


def mebibytes(count: float | None) -> str:
    """MiB as `size` writes them."""
    return NOTHING if count is None else size(count * 1024 * 1024)


def percent(value: float | None) -> str:
    """`0.4%`, `12%`, `250%`."""
    if value is None:
        return NOTHING
    return f"{value:.1f}%" if 0.05 <= value < 9.95 else f"{value:.0f}%"


def count(value: float | None) -> str:
    """A count or a rate: `0`, `0.5`, `12`, `1.2k`."""
    if value is None:
        return NOTHING
    if value >= 999.5:
        return f"{value / 1000:.1f}k" if value < 99_950 else f"{value / 1000:.0f}k"
    return f"{value:.1f}" if 0 < value < 9.95 and value != int(value) else f"{value:.0f}"


def milliseconds(value: float | None) -> str:
    """`0.42ms`, `12ms`, `1.5s`, `3m`."""
    if value is None:
        return NOTHING
    if value >= 60_000:
        return duration(value / 1000)
    if value >= 999.5:
        return f"{value / 1000:.1f}s"
    return f"{value:.0f}ms" if value >= 9.95 else f"{value:.2f}ms"


def duration(seconds: float | None) -> str:
    """The largest unit, in at most 4 cells: `5s`, `3m`, `26h`, `12d`. Hours go up to two days."""
    if seconds is None:
        return NOTHING
    whole = max(int(seconds), 0)
    if whole >= 172_800:
        return f"{whole // 86_400}d"
    for length, unit in _STEPS[1:]:
        if whole >= length:
            return f"{whole // length}{unit}"
    return f"{whole}s"


def coarse(seconds: float | None) -> str:
    """As `duration`, but below a minute in steps of 5 s, so that a table of ages is quiet."""
    if seconds is not None and 0 <= seconds < 60:
        return f"{int(seconds) // 5 * 5}s"
    return duration(seconds)


def precise(seconds: float | None) -> str:
    """The two largest units: `3m 12s`, `2d 4h`."""
    if seconds is None:
        return NOTHING
    left = max(int(seconds), 0)
    parts: list[str] = []
    for length, unit in (*_STEPS, (1, "s")):
        whole, left = divmod(left, length)
        if whole or parts:
            parts.append(f"{whole}{unit}")
        if len(parts) == 2:
            break
    return " ".join(parts) or "0s"


def ago(seconds: float) -> str:
    """`just now`, `12 s ago`, `3 min ago`, `1 hour ago`, `2 days ago`."""
    if seconds < 1:
        return "just now"
    if seconds < 60:
        return f"{int(seconds)} s ago"
    if seconds < 3_600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 172_800:
        return f"{plural(int(seconds // 3_600), 'hour')} ago"
    return f"{plural(int(seconds // 86_400), 'day')} ago"


def plural(number: int, one: str, many: str | None = None) -> str:
    """`1 workspace`, `2 workspaces`; `many` for nouns that do not just take an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def moment(at: datetime) -> str:
    """A moment in the operator's own time zone."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def when(at: datetime, now: float) -> str:
    """In 11 cells: the time of day, or for another day the date and the minute."""
    own, today = at.astimezone(), datetime.fromtimestamp(now).astimezone()
    return f"{own:%H:%M:%S}" if own.date() == today.date() else f"{own:%m-%d %H:%M}"


def clock(at: datetime) -> str:
    """As `moment`, without the day."""
    return f"{at.astimezone():%H:%M:%S}"


def bar(share: float | None, width: int) -> str:
    """A horizontal bar of `width` cells that is full at a share of 1."""
    if share is None:
        return NOTHING.ljust(width)
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(width)


def printable(text: str) -> str:
    """Text of untrusted origin on one line, without characters by which it could write to the terminal as it likes."""
    return "".join(mark if mark.isprintable() else _escaped(mark) for mark in text.replace("\t", "    "))


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Exactly `width` cells: cut with an ellipsis, or filled. A wide character counts two cells."""
    if width <= 0:
        return ""
    have = cell_len(text)
    if have > width:
        # set_cell_size leaves a space where half of a wide character would stand.
        return set_cell_size(text, width - 1) + "…"
    space = " " * (width - have)
    return space + text if right else text + space


def _escaped(mark: str) -> str:
    return " " if mark == "\n" else mark.encode("unicode_escape", "backslashreplace").decode("ascii")
