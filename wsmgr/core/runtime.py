"""Runtimes: the program in a workspace that runs plugins. A workspace has one, and its id says which.

An owner's workspace `user:alice` runs JavaScript. Its companion `user:alice~python` runs Python, and is made when the
first Python plugin is called; the companion of `user:alice~reports` is `user:alice~reports-python`. So nothing has to
be stored or looked up to know where a plugin runs, and no record can contradict a container.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum

from wsmgr.core.ids import WorkspaceId
from wsmgr.core.plugin import Language

_NAME = "python"
_SUFFIX = "-python"
_NAME_MOST = 32
_DIGEST_CHARACTERS = 6


class Runtime(StrEnum):
    """What is in the image."""

    NODE = "node"
    PYTHON = "python"


SPEAKS: Mapping[Language, Runtime] = {Language.JAVASCRIPT: Runtime.NODE, Language.PYTHON: Runtime.PYTHON}
"""Which runtime runs a language."""


def runtime_of(workspace: WorkspaceId) -> Runtime:
    """The runtime of a workspace. On the path of every call."""
    return Runtime.PYTHON if workspace.endswith(("~python", _SUFFIX)) and "~" in workspace else Runtime.NODE


def speaks(workspace: WorkspaceId, language: Language) -> bool:
    """Whether plugins of that language run in this workspace."""
    return runtime_of(workspace) is SPEAKS[language]


def home_of(workspace: WorkspaceId, language: Language) -> WorkspaceId:
    """Where a plugin of that language runs, when this workspace is asked: in it, or in its companion."""
    if speaks(workspace, language):
        return workspace
    owner, _, name = workspace.partition("~")
    if language is Language.PYTHON:
        return WorkspaceId(f"{owner}~{_companion(name)}")
    name = name.removesuffix(_NAME).removesuffix("-")
    return WorkspaceId(f"{owner}~{name}" if name else owner)


def _companion(name: str) -> str:
    """A name may have 32 characters: of a long one its beginning is kept, with a digest of the whole."""
    if not name:
        return _NAME
    if len(name) + len(_SUFFIX) <= _NAME_MOST:
        return name + _SUFFIX
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{name[: _NAME_MOST - len(_SUFFIX) - len(digest) - 1]}-{digest}{_SUFFIX}"
