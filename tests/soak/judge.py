"""Holds what was heard of one execution against its record and against the runs that were seen. Pure."""

from __future__ import annotations

from tests.soak.acts import How
from tests.soak.ledger import NOT_RUN, Told
from tests.soak.plugin import ALSO, DISTURBED, EXPECTED
from wsmgr.wire.execute import ExecuteResponse
from wsmgr.wire.execution import Execution


def of_answer(told: Told, answer: ExecuteResponse) -> list[str]:
    """What is wrong with one answer by itself."""
    wrong = []
    expected = EXPECTED[told.call.how]
    if answer.success:
        if expected is not None:
            wrong.append(f"{_name(told)} succeeded and was to end as {expected}.")
        elif not isinstance(answer.output, dict) or answer.output.get("echo") != echo_of(told):
            wrong.append(f"{_name(told)} has the output of another call: {answer.output!r}.")
    elif answer.error is None:
        wrong.append(f"{_name(told)} failed without an error.")
    elif answer.error.type not in {expected, ALSO.get(told.call.how), *DISTURBED}:
        wrong.append(f"{_name(told)} ended as {answer.error.type} ({answer.error.message}), not as {expected}.")
    return wrong


def of_refusal(told: Told, code: str, detail: str) -> list[str]:
    """What is wrong with one refusal by itself."""
    return [] if code in NOT_RUN else [f"{_name(told)} was refused as {code}: {detail}"]


def of_record(told: Told, record: Execution | None, runs: int, *, watched: bool) -> list[str]:
    """What is wrong with a named execution, all being over. `runs` were seen; `watched`: none can have been missed."""
    name = _name(told)
    wrong = _of_runs(told, record, runs, watched=watched)
    if len({_gist(answer) for answer in told.answers}) > 1:
        wrong.append(f"{name} was answered in different ways: {sorted({_gist(one) for one in told.answers})}.")
    if record is None:
        if told.answers:
            wrong.append(f"{name} was answered and has no record.")
        return wrong
    if record.state == "running":
        wrong.append(f"{name} is still said to be running.")
    if told.answers:
        answer = told.answers[-1]
        if _recorded(record) != _gist(answer):
            wrong.append(f"{name} was answered as {_gist(answer)} and is recorded as {_recorded(record)}.")
    elif _never_began(told):
        wrong.append(f"{name} was refused ({told.last}: it did not run) and is recorded as {record.state}.")
    return wrong


def _of_runs(told: Told, record: Execution | None, runs: int, *, watched: bool) -> list[str]:
    name = _name(told)
    if runs > 1:
        return [f"{name} ran {runs} times."]
    if runs and record is None:
        return [f"{name} ran and has no record."]
    if runs and not told.answers and _never_began(told):
        return [f"{name} ran, and the caller was told that it did not ({told.last})."]
    if record is None:
        return []
    if runs and record.error is not None and record.error.type == "LoadError":
        return [f"{name} ran and is recorded as one that could not be loaded."]
    if watched and not runs and record.state == "succeeded":
        return [f"{name} is recorded as succeeded, and no run of it was seen."]
    return []


def _never_began(told: Told) -> bool:
    """Whether all that was heard are refusals that promise that nothing ran."""
    return not told.silences and told.last in NOT_RUN and "store_unavailable" not in told.refusals


def echo_of(told: Told) -> str:
    """What the call sends, and expects back."""
    return f"{told.execution}/{told.call.place.workspace}"


def is_watched(answers: list[ExecuteResponse], boots: set[str]) -> bool:
    """Whether the life of the workspace in which it ran was seen from outside."""
    return any(isinstance(one.output, dict) and one.output.get("boot") in boots for one in answers)


def _gist(answer: ExecuteResponse) -> str:
    if answer.success:
        return f"success {_nonce(answer.output)}"
    return f"failure {answer.error.type if answer.error else None}"


def _recorded(record: Execution) -> str:
    if record.state == "succeeded":
        return f"success {_nonce(record.output)}"
    if record.state == "lost":
        return "failure Lost"
    return f"failure {record.error.type if record.error else None}"


def _nonce(output: object) -> object:
    return output.get("nonce") if isinstance(output, dict) else output


def _name(told: Told) -> str:
    what = told.call.slug or ("code that does not load" if told.call.how is How.UNLOADABLE else "inline code")
    return f"The execution {told.execution} ({what}, {told.call.how.value}, {told.call.place.workspace})"
