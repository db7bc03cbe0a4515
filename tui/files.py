"""Writing what an operator wants to keep."""

from __future__ import annotations

from pathlib import Path

from tui.model.format import plural


def save(path: Path, text: str) -> tuple[str, bool]:
    """Write a file that is not there yet; the sentence to say, and whether it went well."""
    place = path.expanduser()
    try:
        with place.open("x", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except FileExistsError:
        return f"{place} exists already; nothing was written.", False
    except OSError as error:
        return f"{place} was not written: {error.strerror or error}.", False
    return f"{plural(text.count(chr(10)), 'line')} written to {place}.", True
