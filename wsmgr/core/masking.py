"""Takes the values of secrets out of what a plugin printed or threw.

This is against accidents. A plugin that wants to give its secret away can: encoded, in pieces, or as its output, which
is never touched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from wsmgr.core.outcome import Failure, Outcome
from wsmgr.core.secret import Secret

LEAST = 8
"""Shorter values are words that stand in any text."""

LINE_LEAST = 16
"""Lines of a longer value (a key in PEM form) are masked on their own from this length on."""

MASK = "***"


class Mask:
    """Finds each value as it is, as JSON writes it, and each long line of it."""

    __slots__ = ("_forms",)

    def __init__(self, secrets: Iterable[Secret]) -> None:
        found = {form for secret in secrets for form in _forms(secret.reveal())}
        # The longest first: one value may be part of another.
        self._forms = sorted(found, key=len, reverse=True)

    def __repr__(self) -> str:
        return "Mask(***)"

    def __bool__(self) -> bool:
        return bool(self._forms)

    def text(self, text: str) -> str:
        """The text without the values, and without the beginning of one where the text was cut off in it."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        for form in self._forms:
            text = _uncut(text, form)
        return text

    def outcome(self, outcome: Outcome) -> Outcome:
        """The same outcome with logs and error masked. Its output is the plugin's answer and stays."""
        if not self._forms or (not outcome.logs and outcome.failure is None):
            return outcome
        logs = tuple(replace(entry, message=self.text(entry.message)) for entry in outcome.logs)
        failure = None if outcome.failure is None else self._failure(outcome.failure)
        return replace(outcome, logs=logs, failure=failure)

    def _failure(self, failure: Failure) -> Failure:
        # Only as a whole the stack shows values of several lines; line by line it shows where a headline was cut.
        stack = None if failure.stack is None else "\n".join(map(self.text, self.text(failure.stack).split("\n")))
        name = None if failure.name is None else self.text(failure.name)
        return replace(failure, message=self.text(failure.message), stack=stack, name=name)


def _forms(value: str) -> Iterable[str]:
    if len(value) < LEAST:
        return
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield from (line for line in map(str.strip, value.splitlines()) if len(line) >= LINE_LEAST)


def _uncut(text: str, form: str) -> str:
    head = form[:LEAST]
    at = text.find(head, max(0, len(text) - len(form)))
    while at >= 0:
        if form.startswith(text[at:]):
            return text[:at] + MASK
        at = text.find(head, at + 1)
    return text
