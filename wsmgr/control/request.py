"""A validated call, as `control` takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wsmgr.core.ids import ExecutionId, Slug, Version, WorkspaceId, owner_of, user_and_organization
from wsmgr.core.plugin import PluginSource


@dataclass(frozen=True, slots=True)
class Request:
    """At most one of `version` and `inline` is set; with neither, the owner's current version runs.

    `user` is who called, also where an organisation owns. `fingerprint` digests what was asked, and is only compared.
    `id` is set when the caller named it. `size` is that of the whole request in bytes.
    """

    workspace: WorkspaceId
    user: str
    slug: Slug
    version: Version | None
    inline: PluginSource | None
    input: object
    context: Mapping[str, object]
    timeout_ms: int | None
    id: ExecutionId | None
    fingerprint: str
    size: int


def context_of(request: Request, version: Version, execution: ExecutionId) -> dict[str, object]:
    """What the plugin gets as its second argument: the caller's members, and wsmgr's own, which win."""
    owner = owner_of(request.workspace)
    _, organization = user_and_organization(owner)
    return {
        **request.context,
        "owner": owner,
        "userId": request.user,
        "organizationId": organization,
        "workspace": request.workspace,
        "plugin": request.slug,
        "version": version,
        "executionId": execution,
    }
