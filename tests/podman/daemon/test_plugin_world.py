"""What README says that a plugin sees is what it sees, from inside."""

from __future__ import annotations

import time

from tests.docs.page import README
from tests.podman.daemon.rig import output
from wsmgr.client import Client

LOOK = """
export default (_input, context) => ({ context: { ...context, secrets: Object.keys(context.secrets) },
  environment: { ...process.env }, cwd: process.cwd(), argv: process.argv.length });
"""


def told(head: str) -> dict[str, str]:
    """The table of README's section whose first column has this head: name and what it is."""
    tables: dict[str, dict[str, str]] = {}
    for row in README.rows("What a plugin sees"):
        if not row[0].startswith("`"):
            tables[row[0]] = {}
        else:
            list(tables.values())[-1][row[0].strip("`")] = row[1]
    return tables[head]


def test_the_context_has_the_members_that_readme_names(client: Client) -> None:
    """Those and what the caller passes, which never wins over them."""
    before = time.time() * 1000
    forged = dict.fromkeys(told("member"), "forged")
    seen = output(client, "alice", LOOK, context={**forged, "locale": "de"}, timeout_ms=20_000)["context"]
    assert set(seen) == {*told("member"), "locale"}
    assert "forged" not in seen.values()
    assert (seen["owner"], seen["userId"], seen["organizationId"]) == ("user:alice", "alice", None)
    assert (seen["workspace"], seen["plugin"], seen["locale"]) == ("user:alice", "probe", "de")
    assert (seen["config"], seen["secrets"]) == ({}, [])
    assert len(seen["version"]) == 64
    assert before + 20_000 - 1 <= seen["deadline"] <= time.time() * 1000 + 20_000 + 1


def test_the_environment_is_the_one_that_readme_names(client: Client) -> None:
    """Name by name, with its value."""
    seen = output(client, "alice", LOOK)["environment"]
    assert seen == {name: value.strip("`") for name, value in told("variable").items()}
