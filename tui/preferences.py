"""What an operator chose (a file they write) and what the UI remembers of the last run (a file it writes)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any


class BadPreferences(Exception):
    """The operator's file cannot be used; `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Preferences:
    """`confirm`: for each action by name, whether a question comes before it. `theme` None: by the terminal."""

    read_only: bool = False
    mouse: bool = True
    theme: str | None = None
    confirm: Mapping[str, bool] = field(default_factory=dict)


@dataclass
class Memory:
    """What was last chosen. Keeping it never fails: a UI that cannot write its state is still a UI."""

    filter: str = ""
    sort: str = "id"
    descending: bool = False
    range: str = "1h"
    theme: str = ""
    path: Path | None = field(default=None, repr=False)

    def keep(self) -> None:
        """Write it. A file is replaced in one step, so that a crash leaves the old one."""
        if self.path is None:
            return
        kept = {name: value for name, value in asdict(self).items() if name != "path"}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            scratch = self.path.with_name(f"{self.path.name}.{os.getpid()}")
            scratch.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
            scratch.replace(self.path)
        except OSError:
            return


def state_path(environ: Mapping[str, str]) -> Path:
    """`$XDG_STATE_HOME/wsmgr/tui.json`."""
    return _base(environ, "XDG_STATE_HOME", ".local/state") / "wsmgr" / "tui.json"


def config_path(environ: Mapping[str, str]) -> Path:
    """`$XDG_CONFIG_HOME/wsmgr/tui.toml`."""
    return _base(environ, "XDG_CONFIG_HOME", ".config") / "wsmgr" / "tui.toml"


def remembered(path: Path) -> Memory:
    """What the last run left; the defaults for whatever is missing, unreadable or of another type."""
    memory = Memory(path=path)
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return memory
    if isinstance(kept, dict):
        for one in fields(Memory):
            value = kept.get(one.name)
            if one.name != "path" and type(value) is type(getattr(memory, one.name)):
                setattr(memory, one.name, value)
    return memory


def chosen(path: Path, actions: frozenset[str]) -> Preferences:
    """The operator's file: `theme`, `read_only`, `mouse`, and a table `confirm` of booleans by action. Raises
    BadPreferences; a file that is not there is empty."""
    try:
        written = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Preferences()
    except (OSError, ValueError) as error:
        raise BadPreferences(f"{path} cannot be read: {error}.") from error
    import tomllib  # noqa: PLC0415  # few have such a file, and all wait for their rows

    try:
        told: dict[str, Any] = tomllib.loads(written)
    except ValueError as error:
        raise BadPreferences(f"{path} cannot be read: {error}.") from error
    wanted = {"read_only": bool, "mouse": bool, "theme": str, "confirm": dict}
    for name, value in told.items():
        if name not in wanted:
            raise BadPreferences(f"{path}: `{name}` is not a preference; there are {', '.join(wanted)}.")
        if type(value) is not wanted[name]:
            raise BadPreferences(f"{path}: `{name}` must be a {wanted[name].__name__}.")
    confirm = told.get("confirm", {})
    for name, value in confirm.items():
        if name not in actions or type(value) is not bool:
            raise BadPreferences(
                f"{path}: `confirm.{name}` must be true or false for one of {', '.join(sorted(actions))}."
            )
    return Preferences(**told)


def _base(environ: Mapping[str, str], name: str, usual: str) -> Path:
    # The specification of XDG: a path that is not absolute is passed over.
    told = Path(environ.get(name) or "-")
    return told if told.is_absolute() else Path(environ.get("HOME") or "/") / usual
