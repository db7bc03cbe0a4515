"""Runs one command line, and turns what goes wrong into one sentence and an exit code."""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Sequence

from wsmgr.cli.app import make_app, narrow
from wsmgr.cli.failure import OTHER
from wsmgr.cli.wiring import Wiring


def run(arguments: Sequence[str], wiring: Wiring | None = None) -> int:
    """Run `arguments` (without the program's name) and return the exit code."""
    wired = wiring or Wiring()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal of another encoding shows an escape instead of a glyph, and never ends the command.
            stream.reconfigure(errors="backslashreplace")
    try:
        app = make_app()
        narrow(app, arguments)
        app(list(arguments), prog_name="wsmgr", obj=wired)
    except SystemExit as end:
        return _code(end)
    except Exception as error:  # the last frame: whatever it is, the person gets a sentence
        return _explain(error, wired)
    return 0


def _code(end: SystemExit) -> int:
    return end.code if isinstance(end.code, int) else int(end.code is not None)


def _explain(error: Exception, wired: Wiring) -> int:
    """Errors that explain themselves carry a `sentence`; others are ours, and are named as such."""
    if wired.debug:
        traceback.print_exception(error)
    sentence = getattr(error, "sentence", None)
    if sentence is None:
        hint = "" if wired.debug else " Run `wsmgr --debug …` to see where."
        sentence = f"this should not have happened: {type(error).__name__}: {error}.{hint}"
    sys.stderr.write(f"wsmgr: {sentence}\n")
    exit_code = getattr(error, "exit_code", OTHER)
    return exit_code if isinstance(exit_code, int) else OTHER
