"""How far a put has come: a bar where somebody looks at a terminal, a line or nothing elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from wsmgr.cli.humane import plural, size
from wsmgr.cli.output import note

if TYPE_CHECKING:
    from rich.progress import Progress

LARGE_BYTES = 1024 * 1024


class Putting(Protocol):
    """Is told what happens, in this order; each as often as there is news."""

    def packing(self, done: int, files: int) -> None:
        """So many of the files of a folder are in the archive."""

    def sending(self, done: int, total: int) -> None:
        """So many bytes are on their way. All of them: now the daemon checks, stores and loads what it has got."""


class Lines:
    """One line, before an archive that takes a while."""

    def __init__(self) -> None:
        self._files = 0

    def packing(self, done: int, files: int) -> None:
        """As Putting."""
        self._files = files if done == files else 0

    def sending(self, done: int, total: int) -> None:
        """As Putting."""
        if done == 0 and total > LARGE_BYTES:
            packed = f"packed {plural(self._files, 'file')} to {size(total)}; " if self._files else ""
            note(f"{packed}sending {'it' if packed else size(total)} …")


class Silent:
    """For programs, which wait for the result alone."""

    def packing(self, done: int, files: int) -> None:
        """As Putting."""

    def sending(self, done: int, total: int) -> None:
        """As Putting."""


class Bar:
    """One bar for each step, drawn by rich."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None, visible=False, told="")
        self._step = ""

    def packing(self, done: int, files: int) -> None:
        """As Putting."""
        self._show("packing", done, files, f"{done}/{plural(files, 'file')}")

    def sending(self, done: int, total: int) -> None:
        """As Putting. Without an end in sight once all is sent."""
        if done < total:
            self._show("sending", done, total, f"{size(done)} of {size(total)}")
        else:
            self._show("checking and loading", done, None, size(total))

    def _show(self, what: str, done: int, total: int | None, told: str) -> None:
        # A new step is drawn at once; else rich draws some times a second.
        new, self._step = what != self._step, what
        self._progress.update(
            self._task, description=what, completed=done, total=total, told=told, visible=True, refresh=new
        )


@contextmanager
def putting(*, silent: bool) -> Iterator[Putting]:
    """What to tell. A bar is gone when this ends, so that what is said next stands where it was."""
    if silent:
        yield Silent()
    elif not _draws():
        yield Lines()
    else:
        from rich.console import Console  # noqa: PLC0415  # only where there is a terminal to draw on
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415  # as above

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
            yield Bar(progress)


def _draws() -> bool:
    # NO_COLOR is taken at its widest, as for tables: no escape sequence at all, and a bar is made of them.
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
