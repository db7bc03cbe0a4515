"""Why there is no connection: each cause has its own sentence."""

from __future__ import annotations

import pytest

from tests.tui.fake_daemon import refused
from tui.model.link import Link
from tui.model.trouble import Trouble, trouble_of
from wsmgr.client import AnswerTimeout, ClientError, ConnectionLost, DaemonUnreachable, UnexpectedAnswer
from wsmgr.client.errors import InvalidArgument

CAUSES: list[tuple[ClientError, str, str]] = [
    (DaemonUnreachable("No daemon is running: … `wsmgr serve --detach`."), "DAEMON GONE", "wsmgr serve"),
    (DaemonUnreachable("The socket … may not be used by x: permission denied. Run as …"), "NO PERMISSION", "Run as"),
    (AnswerTimeout("The daemon has said nothing for 2.5 s."), "DAEMON HANGS", "wsmgr shutdown --keep"),
    (ConnectionLost("The connection ended."), "CONNECTION LOST", "wsmgr serve"),
    (UnexpectedAnswer("Not what this client knows."), "VERSION MISMATCH", "wsmgr --version"),
    (refused(404, "not_found", "There is no such path."), "VERSION MISMATCH", "older"),
    (refused(403, "forbidden", "Not for the role service."), "NOT AN ADMIN", "WSMGR_ADMINS"),
    (refused(401, "unauthenticated", "No token."), "NOT KNOWN", "WSMGR_TOKEN"),
    (refused(503, "stopping", "The daemon is stopping."), "DAEMON NOT READY", "stopping"),
    (refused(429, "quota", "Too many listen."), "REFUSED", "Too many"),
    (InvalidArgument("Not a name."), "NO CONNECTION", "Not a name"),
]


@pytest.mark.parametrize(("error", "headline", "said"), CAUSES)
def test_each_cause_has_its_sentence_and_what_to_run(error: ClientError, headline: str, said: str) -> None:
    """The banner has them all."""
    trouble = trouble_of(error)
    assert trouble.headline == headline
    banner = Link(heard_at=100.0).lost(trouble).banner(112.0)
    assert headline in banner
    assert said in banner
    assert "data 12s old" in banner
    assert "actions are off" in banner


def test_a_connection_comes_and_goes() -> None:
    """What was heard last stays known, and the banner goes with the trouble."""
    link = Link()
    assert not link.live
    assert link.banner(0.0) == ""
    lost = link.lost(Trouble("GONE", "Why."))
    assert "no data yet" in lost.banner(5.0)
    back = lost.heard(7.0)
    assert back.live
    assert back.banner(9.0) == ""
    assert back.lost(Trouble("GONE", "Why.")).heard_at == 7.0
