"""The end of a container's log file, in the format of k8s: `<time> <stream> <F|P> <text>`, P for a part of a line.

Read from the file: podman's own reader gives up on the whole log when its monitor has cut one line at the size cap.
"""

from __future__ import annotations

import os
from pathlib import Path

TAIL_BYTES = 1024 * 1024


def last_lines(log: Path, most: int) -> list[str]:
    """The last `most` lines of the last TAIL_BYTES, oldest first; none when there is no file. Raises OSError."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            tail = file.read(TAIL_BYTES)
    except FileNotFoundError:
        return []
    return parse(tail)[-most:] if most > 0 else []


def parse(log: bytes) -> list[str]:
    """The lines in a piece of a log; records that are cut or malformed are passed over."""
    lines: list[str] = []
    part: list[str] = []
    for record in log.decode(errors="replace").split("\n"):
        _, _, rest = record.partition(" ")
        stream, _, rest = rest.partition(" ")
        tag, _, text = rest.partition(" ")
        if stream not in ("stdout", "stderr") or tag not in ("F", "P"):
            continue
        part.append(text)
        if tag == "F":
            lines.append("".join(part))
            part = []
    if part:
        lines.append("".join(part))
    return lines
