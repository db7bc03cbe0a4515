"""The host's owner takes the delegation of controllers away while workspaces run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.host.host import Host
from tests.host.kernel import group_of
from tests.host.patient import PatientClient
from tests.host.plugins import HELLO, output
from tests.host.terms import FAIR
from wsmgr.client import ApiError

# From the leaves up, since a group cannot be without what a group below it has; at last where root alone may give it
# back.
TAKE_AWAY = """
slice=/sys/fs/cgroup/user.slice/user-$(id -u wsmgr).slice
find $slice -depth -type d | while read -r group; do
  for controller in memory cpu pids; do
    echo -$controller > $group/cgroup.subtree_control 2> /dev/null || true
  done
done
! grep -q memory $slice/user@*.service/cgroup.controllers
"""
GIVE_BACK = """
slice=/sys/fs/cgroup/user.slice/user-$(id -u wsmgr).slice
echo '+memory +cpu +pids' > $slice/cgroup.subtree_control
systemctl restart user@$(id -u wsmgr).service
"""


@pytest.fixture
def undelegated(host: Host) -> Iterator[None]:
    """Gives it back afterwards, as an operator mends it."""
    yield
    host.ssh(GIVE_BACK)
    host.wait_until_serving()
    with host.client() as client:
        host.wait_for(lambda: _level(client, "memory") == "enforced", "the limits to be enforced again")


@pytest.mark.usefixtures("undelegated")
def test_delegation_that_is_taken_away_is_noticed_and_said(host: Host, client: PatientClient) -> None:
    """Within the daemon's own rounds the workspace says that its limits do not hold, an alert is open, the capabilities
    are proven anew and name the mend; who demands enforced limits is refused from then on, and who does not still
    runs."""
    client.put_owner("user:loose", plan="FREE", overrides=FAIR)
    client.put_owner("user:strict", plan="FREE", overrides={**FAIR, "requireEnforcedLimits": True})
    output(client, "loose", HELLO, 1)
    assert output(client, "strict", HELLO, 1) == {"hello": 1}
    assert group_of(host, client, "user:loose").number("memory.max") == 128 * 1024 * 1024
    host.ssh(TAKE_AWAY)
    host.wait_for(lambda: not client.workspace("user:loose").limits_enforced["memory"], "the workspace to say so")
    host.wait_for(lambda: _level(client, "memory") != "enforced", "the proof to be repeated")
    line = next(line for line in client.capabilities().items if (line.isolation, line.name) == ("container", "memory"))
    assert line.mend
    assert "Delegate=" in line.mend
    assert any("limits" in alert.cause for alert in client.alerts().items)
    assert output(client, "loose", HELLO, 2) == {"hello": 2}
    with pytest.raises(ApiError, match="memory"):
        output(client, "strict", HELLO, 2)


def _level(client: PatientClient, name: str) -> str:
    return next(
        line.level for line in client.capabilities().items if (line.isolation, line.name) == ("container", name)
    )
