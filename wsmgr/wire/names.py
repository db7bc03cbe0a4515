"""Ids and closed vocabularies as they stand in JSON, with the patterns that the OpenAPI document shows.

The patterns equal those of `wsmgr.core.ids`; a test of the API holds them together.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

_PART = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,127}"
_OWNER = rf"(user|org):{_PART}"
_NAME = r"[a-z0-9][a-z0-9-]{0,31}"

UserId = Annotated[str, StringConstraints(pattern=rf"^{_PART}$")]
OrganizationId = Annotated[str, StringConstraints(pattern=rf"^{_PART}$")]
OwnerKey = Annotated[str, StringConstraints(pattern=rf"^{_OWNER}$")]
WorkspaceName = Annotated[str, StringConstraints(pattern=rf"^{_NAME}$")]
WorkspaceId = Annotated[str, StringConstraints(pattern=rf"^{_OWNER}(~{_NAME})?$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
SecretName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
ExecutionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$")]
VOLUME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"

Language = Literal["javascript", "python"]
"""What can be run."""
Isolation = Literal["container", "worker", "none"]
IsolationChoice = Literal["container", "docker", "podman", "worker", "none"]
"""What may be asked for: `docker` and `podman` mean `container`."""
Status = Literal["CREATING", "RUNNING", "PAUSED", "STOPPED", "ERROR"]
Desired = Literal["RUNNING", "PAUSED", "STOPPED", "ABSENT"]
Level = Literal["enforced", "best effort", "absent"]
ExecutionState = Literal["queued", "running", "succeeded", "failed", "lost", "cancelled"]
