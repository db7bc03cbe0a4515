"""The registry of what an operator can do to things. Key bindings, the palette, read-only mode, the confirmations and
the help are all made from it, so that none of them can forget an action or its danger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["workspace", "alert", "plugin"]


@dataclass(frozen=True, slots=True)
class Target:
    """What an action is for: its id, and the state that the operator saw when choosing it."""

    id: str
    state: str


@dataclass(frozen=True, slots=True)
class Action:
    """`key` in Textual's notation. `dangerous` ones interrupt or destroy: capital keys, and a question before. `states`
    in which it makes sense. `consequence` stands in the question. `choice`: it needs a further word that is asked for
    first. `hinted`: its key stands at the foot of the screen. How it is done, `tui.performing` says by its name."""

    name: str
    key: str
    label: str
    about: str
    kind: Kind
    states: frozenset[str]
    dangerous: bool = False
    consequence: str = ""
    choice: Literal["", "plan", "version"] = ""
    hinted: bool = False

    def sorted_out(self, targets: Sequence[Target]) -> tuple[list[Target], list[Target]]:
        """Those for which it makes sense, and the others."""
        fit = [target for target in targets if target.state in self.states]
        return fit, [target for target in targets if target.state not in self.states]


_ALL = frozenset({"CREATING", "RUNNING", "PAUSED", "STOPPED", "ERROR"})

REGISTRY: tuple[Action, ...] = (
    Action(
        "start", "s", "Start", "Have it run, without waiting for a call.", "workspace",
        frozenset({"STOPPED", "PAUSED", "ERROR"}),
        hinted=True,
    ),
    Action(
        "resume", "u", "Resume", "Bring it back from PAUSED or STOPPED.", "workspace",
        frozenset({"PAUSED", "STOPPED"}),
    ),
    Action(
        "touch", "t", "Touch", "Count as activity: its idle clock begins again.", "workspace",
        frozenset({"RUNNING", "PAUSED", "CREATING"}),
    ),
    Action(
        "stop", "X", "Stop", "Free its memory; the next call starts it again.", "workspace",
        frozenset({"RUNNING", "PAUSED", "CREATING", "ERROR"}),
        dangerous=True, hinted=True,
        consequence="Calls in flight end first, up to a deadline. The next call starts it again.",
    ),
    Action(
        "restart", "R", "Restart", "Replace its container by a fresh one.", "workspace",
        _ALL,
        dangerous=True, hinted=True, consequence="Its container is replaced; what plugins keep in memory is lost.",
    ),
    Action(
        "pause", "P", "Pause", "Freeze it: no CPU, its memory is kept.", "workspace",
        frozenset({"RUNNING"}),
        dangerous=True, consequence="It stands still until the next call or until it is resumed.",
    ),
    Action(
        "recover", "c", "Recover", "Forgive its failures and start it again.", "workspace",
        frozenset({"ERROR"}),
    ),
    Action(
        "plan", "N", "Change plan", "Give its owner another plan.", "workspace",
        _ALL,
        dangerous=True, choice="plan",
        consequence="All workspaces of the owner get the plan's limits at their next idle moment.",
    ),
    Action(
        "remove", "D", "Remove", "Remove it with its container; plugins and records stay.", "workspace",
        _ALL,
        dangerous=True, consequence="The workspace and its container go. The owner's plugins and the records stay.",
    ),
    Action(
        "acknowledge", "a", "Acknowledge", "Say that you know of it; it stays open until its cause is gone.", "alert",
        frozenset({"open"}),
        hinted=True,
    ),
    Action(
        "rollback", "B", "Roll back", "Make an older version of a plugin current.", "plugin",
        frozenset({"current", "old"}),
        dangerous=True, hinted=True, choice="version",
        consequence="Calls that name no version run the older one from now on.",
    ),
)  # fmt: skip


def named(name: str) -> Action:
    """The action of a name. Raises KeyError."""
    return next(action for action in REGISTRY if action.name == name)


def of_kind(kind: Kind) -> list[Action]:
    """All actions on one kind of thing, in the order of the registry."""
    return [action for action in REGISTRY if action.kind == kind]


def asks_first(action: Action, confirm: Mapping[str, bool]) -> bool:
    """Whether a question comes before it: dangerous ones ask, unless the operator's preferences say otherwise."""
    return confirm.get(action.name, action.dangerous)


def owner_of(workspace_id: str) -> str:
    """The owner's key in a workspace's id."""
    return workspace_id.partition("~")[0]


def split(plugin_id: str) -> tuple[str, str]:
    """The workspace and the slug of a plugin's id, `user:alice markdown`."""
    workspace, _, slug = plugin_id.partition(" ")
    return workspace, slug
