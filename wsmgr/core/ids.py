"""Names of owners, workspaces, plugins and executions.

An owner key is `user:<userId>` or `org:<organizationId>`; a workspace id is an owner key, or an owner key, `~` and a
name for the owner's further workspaces. Every id that comes from outside passes one of the functions here once.
"""

from __future__ import annotations

import re
from typing import NewType

from wsmgr.core.errors import InvalidRequest

OwnerKey = NewType("OwnerKey", str)
WorkspaceId = NewType("WorkspaceId", str)
Slug = NewType("Slug", str)
Version = NewType("Version", str)
ExecutionId = NewType("ExecutionId", str)

_PART = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,127}"
_ID = re.compile(_PART)
_OWNER = re.compile(rf"(?:user|org):{_PART}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_EXECUTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")
_VERSION = re.compile(r"[0-9a-f]{64}")


def _checked(pattern: re.Pattern[str], text: str, what: str, form: str) -> str:
    if not pattern.fullmatch(text):
        shown = repr(text if len(text) <= 80 else text[:77] + "...")
        if len(shown) > 120:
            # What cannot be printed takes up to ten signs each.
            shown = f"{shown[:116]}...'"
        raise InvalidRequest(f"{shown} is not a valid {what}: it must match {form}.")
    return text


def owner_key(user_id: str, organization_id: str | None = None) -> OwnerKey:
    """The owner of a call: the organisation when one is named, else the user.

    Raises InvalidRequest when either id is malformed (the user id is checked even when the organisation owns).
    """
    _checked(_ID, user_id, "userId", _PART)
    if organization_id is None:
        return OwnerKey(f"user:{user_id}")
    return OwnerKey(f"org:{_checked(_ID, organization_id, 'organizationId', _PART)}")


def parse_owner_key(text: str) -> OwnerKey:
    """Check an owner key. Raises InvalidRequest."""
    return OwnerKey(_checked(_OWNER, text, "owner key", _OWNER.pattern))


def workspace_id(owner: OwnerKey, name: str | None = None) -> WorkspaceId:
    """The id of the owner's main workspace, or of its further workspace `name`. Raises InvalidRequest."""
    if name is None:
        return WorkspaceId(owner)
    return WorkspaceId(f"{owner}~{_checked(_NAME, name, 'workspace name', _NAME.pattern)}")


def parse_workspace_id(text: str) -> WorkspaceId:
    """Check a workspace id. Raises InvalidRequest."""
    owner, tilde, name = text.partition("~")
    return workspace_id(parse_owner_key(owner), name if tilde else None)


def owner_of(workspace: WorkspaceId) -> OwnerKey:
    """The owner key inside a workspace id that was checked before."""
    return OwnerKey(workspace.partition("~")[0])


def user_and_organization(owner: OwnerKey) -> tuple[str | None, str | None]:
    """`(userId, None)` or `(None, organizationId)`, as the platform's JSON has them."""
    kind, _, name = owner.partition(":")
    return (name, None) if kind == "user" else (None, name)


def parse_slug(text: str) -> Slug:
    """Check a plugin slug. Raises InvalidRequest."""
    return Slug(_checked(_SLUG, text, "plugin slug", _SLUG.pattern))


def parse_execution_id(text: str) -> ExecutionId:
    """Check an execution id chosen by a caller. Raises InvalidRequest."""
    return ExecutionId(_checked(_EXECUTION, text, "executionId", _EXECUTION.pattern))


def parse_version(text: str) -> Version:
    """Check a plugin version, a sha256 in lower-case hexadecimal. Raises InvalidRequest."""
    return Version(_checked(_VERSION, text, "plugin version", "64 lower-case hexadecimal digits"))
