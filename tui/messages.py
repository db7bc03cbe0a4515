"""What workers tell. They post these and touch no widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from textual.message import Message

from tui.actions import Target
from tui.model.store import Delta
from tui.model.trouble import Trouble
from wsmgr.client import ClientError
from wsmgr.wire.fleet import FleetUpdate


@dataclass
class FleetTold(Message):
    """The live view said something."""

    update: FleetUpdate


@dataclass
class LinkLost(Message):
    """The live view ended; another try follows."""

    trouble: Trouble


@dataclass
class FleetMoved(Message, bubble=False):
    """For the screens: the store, the host's figures or the state of the connection changed. Empty on a mere pulse."""

    delta: Delta


@dataclass
class Fetched(Message, bubble=False):
    """An answer for the one that asked; `purpose` as it was given to `fetch`."""

    purpose: str
    value: Any


@dataclass
class FetchFailed(Message, bubble=False):
    """There is none."""

    purpose: str
    error: ClientError


@dataclass
class Acted(Message):
    """An action ended. `failed` are targets with the sentence why not."""

    name: str
    done: list[tuple[str, str]]
    failed: list[tuple[str, str]]


@dataclass
class Exported(Message, bubble=False):
    """A file was written, or was not."""

    sentence: str
    fine: bool


# What screens and widgets ask of the application; these go up to it.


@dataclass
class Act(Message):
    """Do something of the registry to these."""

    name: str
    targets: list[Target]
    choice: str = ""


@dataclass
class Say(Message):
    """A sentence for some seconds; `severity` is one of Textual's."""

    sentence: str
    severity: Literal["information", "warning", "error"] = "information"


@dataclass
class Copy(Message):
    """To the operator's clipboard."""

    text: str


@dataclass
class Look(Message):
    """Look at one workspace."""

    key: str


class Back(Message):
    """To the screen below."""
