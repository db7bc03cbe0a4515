"""A webhook is set up whole or not at all, and its secret is not shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsmgr.bootstrap.parts import _notifier
from wsmgr.core.errors import InvalidRequest
from wsmgr.settings import Settings, load_settings

URL, SECRET = "https://example.invalid/hooks/geheim", "sixteen letters!"


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The settings of this machine are not seen."""
    monkeypatch.setenv("WSMGR_CONFIG", str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("url", "secret", "why"),
    [
        (URL, None, "needs webhook_secret"),
        (URL, "fifteen letters", "at least 16"),
        ("ftp://example.invalid/", SECRET, "webhook_url"),
        ("x https://example.invalid/", SECRET, "webhook_url"),
    ],
)
def test_half_a_webhook_is_refused(url: str, secret: str | None, why: str) -> None:
    """When the settings are read, not when an alert is to be told."""
    with pytest.raises(InvalidRequest, match=why):
        load_settings(webhook_url=url, webhook_secret=secret)


def test_a_webhook_is_a_notifier_and_none_is_none() -> None:
    """The control: both together work, and their text shows neither the secret nor the URL."""
    settings = load_settings(webhook_url=URL, webhook_secret=SECRET)
    assert _notifier(settings) is not None
    assert SECRET not in repr(settings)
    assert "geheim" not in repr(settings)
    assert _notifier(Settings()) is None
