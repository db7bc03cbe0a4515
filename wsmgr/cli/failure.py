"""How a command ends that did not do what was asked."""

from __future__ import annotations

OTHER = 1
USAGE = 2
PLUGIN_FAILED = 3
INTERRUPTED = 130


class Failure(Exception):
    """One sentence for the person who typed the command, and the exit code."""

    def __init__(self, sentence: str, exit_code: int = OTHER) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.exit_code = exit_code
