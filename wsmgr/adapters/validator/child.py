"""The process in which code is parsed: a hostile file can end or slow down this one alone.

One request a line, `{"language", "code"}`; one answer a line, `{"seen": [[line, column, rule, what], …]}`. It ends
with its standard input.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from itertools import islice

from wsmgr.adapters.validator import javascript, python
from wsmgr.adapters.validator.places import Seen

_MEMORY_BYTES = 2 * 1024**3
_SEEN_MOST = 200
_CHECKERS = {"javascript": javascript.check, "python": python.check}


def main() -> None:
    """Answer until nobody asks any more."""
    for limit, value in ((resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        resource.setrlimit(limit, (value, value))
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        seen = list(islice(_check(asked["language"], asked["code"]), _SEEN_MOST))
        sys.stdout.write(json.dumps({"seen": [list(one) for one in seen]}) + "\n")
        sys.stdout.flush()


def _check(language: str, code: str) -> Iterator[Seen]:
    try:
        yield from _CHECKERS[language](code)
    except (RecursionError, MemoryError):
        yield Seen(0, 0, "check/failed", "")
