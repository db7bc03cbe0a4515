"""Fingerprints of specifications."""

from __future__ import annotations

from dataclasses import replace

from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import Spec, generation_of

SPEC = Spec(
    workspace=WorkspaceId("user:alice"),
    isolation=Isolation.CONTAINER,
    image="localhost/x:latest",
    uid=10_000,
    generation=3,
    memory_mb=128,
    cpus=0.25,
    pids=64,
    nofile=256,
    scratch_mb=64,
    concurrency=4,
    input_bytes=1,
    output_bytes=1,
    log_bytes=1,
)


def test_equal_specs_have_equal_digests_and_any_change_shows() -> None:
    """Every field but the generation is in the fingerprint."""
    assert replace(SPEC).digest == SPEC.digest
    changes: list[Spec] = [
        replace(SPEC, memory_mb=256),
        replace(SPEC, cpus=0.5),
        replace(SPEC, image="localhost/y:latest"),
        replace(SPEC, uid=10_001),
        replace(SPEC, log_bytes=2),
    ]
    assert len({SPEC.digest, *(spec.digest for spec in changes)}) == len(changes) + 1


def test_a_restart_changes_the_generation_and_nothing_else() -> None:
    """So that a restart that was asked for is told from a changed specification."""
    renewed = replace(SPEC, generation=4)
    assert generation_of(SPEC.digest) == "3"
    assert generation_of(renewed.digest) == "4"
    assert SPEC.digest.partition(".")[2] == renewed.digest.partition(".")[2]
