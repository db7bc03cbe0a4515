"""One line for each task, with its result and, when it took long, its time; failures as Ansible shows them.

On a terminal the line appears when the task begins, so that a person sees what is going on.
"""

import sys
import time
from typing import Any

from ansible.plugins.callback.default import CallbackModule as DefaultCallback

DOCUMENTATION = """
name: brief
type: stdout
short_description: one line for each task
description: One line for each task, with its result; failures as the default callback shows them.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""

SLOW_SECONDS = 2.0


class CallbackModule(DefaultCallback):  # type: ignore[misc]
    """Holds the line of the task that runs until its result is known; a task that is skipped leaves none."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "brief"

    def __init__(self) -> None:
        super().__init__()
        self._terminal = sys.stdout.isatty()
        self._title = ""
        self._began = 0.0
        self._verdict = ""

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._end()
        self._play = play
        self._write(f"\n{play.get_name()}\n")

    def v2_playbook_on_task_start(self, task: Any, is_conditional: Any) -> None:
        self._end()
        self._title = task.get_name().rpartition(" : ")[2]
        self._began = time.monotonic()
        if self._terminal:
            self._write(f"  {self._title} ...")

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self.v2_playbook_on_task_start(task, is_conditional=False)

    def v2_playbook_on_cleanup_task_start(self, task: Any) -> None:
        self.v2_playbook_on_task_start(task, is_conditional=False)

    def v2_playbook_on_include(self, included_file: Any) -> None:
        """Says nothing: the tasks of the file speak for themselves."""

    def v2_runner_on_ok(self, result: Any) -> None:
        if result.task.action in {"include_tasks", "ansible.builtin.include_tasks"}:
            return
        if result.task.action in {"debug", "ansible.builtin.debug"}:
            told = result.result.get("msg", "")
            self._end()
            for sentence in told if isinstance(told, list) else [told]:
                self._write(f"  NOTE: {sentence}\n")
            return
        self._verdict = "changed" if result.result.get("changed") else self._verdict or "ok"

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Says nothing: the task's own result follows."""

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        """Says nothing: the task's own result follows."""

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Leaves no line, unless another host ran the task."""

    def v2_runner_on_failed(self, result: Any, ignore_errors: Any = False) -> None:
        self._verdict = "ignored" if ignore_errors else "FAILED"
        self._end()
        super().v2_runner_on_failed(result, ignore_errors=ignore_errors)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._verdict = "FAILED"
        self._end()
        super().v2_runner_item_on_failed(result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._end()
        for host in sorted(stats.processed):
            count = stats.summarize(host)
            failed = count["failures"] + count["unreachable"]
            self._write(f"\n{host}: {count['ok']} ok, {count['changed']} changed, {failed} failed\n")

    def _end(self) -> None:
        """Completes the line of the task before, or takes it back when there is nothing to say of it."""
        if self._title and self._verdict:
            seconds = time.monotonic() - self._began
            took = f" ({seconds:.0f} s)" if seconds >= SLOW_SECONDS else ""
            self._write(f"{self._start()}  {self._title}: {self._verdict}{took}\n")
        elif self._title and self._terminal:
            self._write(self._start())
        self._title = self._verdict = ""

    def _start(self) -> str:
        return "\r\x1b[K" if self._terminal else ""

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
