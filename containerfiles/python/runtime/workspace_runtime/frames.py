"""What the runtime and a plugin's process say to each other over their socket: frames of a head and a payload.

runtime → process   LOAD   JSON: {slug, code} or {slug, folder, entry}, and given: {config, secrets}
                    RUN    RUN_HEAD, then the request as it came
process → runtime   READY  ASYNCHRONOUS, when the plugin needs asyncio
                    LOAD_FAILED  JSON: {message, stack, line?, column?}
                    DONE   END_HEAD, then the output as JSON
                    FAILED END_HEAD, then JSON: {type, name, message, stack}
                    LOG    one byte, the index of its level; then the message
                    EMIT   a value as JSON

`seq` names the execution that a frame belongs to; it is 0 while the plugin loads.
"""

from __future__ import annotations

from struct import Struct

HEAD = Struct("<BII")
"""kind, seq, bytes of payload"""
RUN_HEAD = Struct("<QQB")
"""bytes of output, bytes of logs, whether emits are wanted"""
END_HEAD = Struct("<dB")
"""milliseconds, whether something of the execution goes on"""

LOAD, RUN = 1, 2
READY, LOAD_FAILED, DONE, FAILED, LOG, EMIT = 1, 2, 3, 4, 5, 6

ASYNCHRONOUS = b"a"

LEVELS = ("debug", "info", "warn", "error", "stdout", "stderr")
STDOUT, STDERR = LEVELS.index("stdout"), LEVELS.index("stderr")


def frame(kind: int, seq: int, payload: bytes = b"") -> bytes:
    """One frame as bytes."""
    return HEAD.pack(kind, seq, len(payload)) + payload
