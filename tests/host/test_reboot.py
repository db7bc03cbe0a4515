"""The host is rebooted, and everything comes back as it was wanted."""

from __future__ import annotations

from tests.host.host import Host
from tests.host.plugins import HELLO
from tests.host.terms import FAIR


def test_after_a_reboot_everything_is_as_desired(host: Host) -> None:
    """What was wanted running runs, what was stopped stays stopped, what was paused is not lost; plugins, plans and
    records are there, and limits hold as before."""
    with host.client() as client:
        for name in ("wanted", "unwanted"):
            client.put_owner(f"user:{name}", plan="PRO", overrides=FAIR)
            client.put_plugin(f"user:{name}", "hello", language="javascript", code=HELLO)
            assert client.execute(name, "hello", 1, execution_id=f"before-{name}").success
        version = client.plugins("user:wanted").items[0].version
        client.stop("user:unwanted", wait=120)
    host.reboot()
    host.wait_until_serving()
    with host.client() as client:
        host.wait_for(lambda: client.workspace("user:wanted").status == "RUNNING", "the wanted workspace")
        assert client.workspace("user:unwanted").status == "STOPPED"
        assert client.owner("user:wanted").plan == "PRO"
        assert client.plugins("user:wanted").items[0].version == version
        assert client.execution("before-wanted").state == "succeeded"
        host.wait_for(
            lambda: all(client.workspace("user:wanted").limits_enforced.values()), "limits to be proven after the boot"
        )
        assert client.execute("wanted", "hello", 2).output == {"hello": 2}
        assert client.execute("unwanted", "hello", 3).output == {"hello": 3}
        for name in ("wanted", "unwanted"):
            client.delete_workspace(f"user:{name}", wait=120)
