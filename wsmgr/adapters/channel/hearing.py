"""One execution that answers line by line, from the first line to its outcome."""

from __future__ import annotations

import asyncio

from wsmgr.adapters.channel import answers
from wsmgr.adapters.channel.connection import Answer, Connection
from wsmgr.adapters.channel.json import Unfit
from wsmgr.adapters.channel.lines import Lines
from wsmgr.core.outcome import Outcome
from wsmgr.ports.channel import Call, Listener, ProtocolViolation


async def hear(
    connection: Connection, lines: Lines, call: Call, listener: Listener, bound_s: float
) -> Outcome | Answer:
    """Tell the listener every piece, in order, and return the outcome, or the answer when it is a refusal.

    The runtime has `bound_s` seconds, those not counted in which the listener was waited for. Raises as
    `Channel.execute`.
    """
    loop = asyncio.get_running_loop()
    outcome: Outcome | None = None
    left = bound_s
    while True:
        line = lines.take()
        if line is not None:
            if outcome is not None:
                raise ProtocolViolation("The answer goes on after its result.")
            try:
                piece = answers.piece_of(line, call)
            except Unfit as why:
                # The execution may go on inside: with the connection it ends.
                connection.drop()
                return answers.unfit(why)
            if isinstance(piece, Outcome):
                outcome = piece
            else:
                await listener(piece)
        elif connection.answered:
            return _ended(connection, outcome)
        else:
            began = loop.time()
            await lines.news(left)
            left -= loop.time() - began


def _ended(connection: Connection, outcome: Outcome | None) -> Outcome | Answer:
    answer = connection.result()
    if answer[0] != 200:
        return answer
    if outcome is None:
        raise ProtocolViolation("The answer ended without a result.")
    return outcome
