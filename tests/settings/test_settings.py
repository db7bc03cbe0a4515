"""Where settings come from, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsmgr.core.errors import InvalidRequest
from wsmgr.core.isolation import Isolation
from wsmgr.settings import load_settings


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file of the test's own, not there at first, and none of the caller's variables."""
    for name in ("PLUGIN_ISOLATION", "WORKSPACE_IMAGE", "WORKSPACE_BASE_PORT", "WSMGR_ISOLATION", "WSMGR_IMAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WSMGR_CONFIG", str(tmp_path / "wsmgr.yaml"))
    return tmp_path / "wsmgr.yaml"


def test_arguments_win_over_our_variables_over_the_platforms_over_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest word counts."""
    config.write_text("isolation: none\nimage: from-file\n")
    assert load_settings().isolation is Isolation.NONE
    monkeypatch.setenv("PLUGIN_ISOLATION", "docker")
    monkeypatch.setenv("WORKSPACE_IMAGE", "from-platform")
    assert (load_settings().isolation, load_settings().image) == (Isolation.CONTAINER, "from-platform")
    monkeypatch.setenv("WSMGR_ISOLATION", "worker")
    assert load_settings().isolation is Isolation.WORKER
    assert load_settings(isolation="none").isolation is Isolation.NONE


def test_names_without_our_prefix_mean_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """IMAGE and ISOLATION belong to somebody else."""
    before = load_settings()
    monkeypatch.setenv("IMAGE", "theirs")
    monkeypatch.setenv("ISOLATION", "none")
    assert load_settings() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a list\n", "YAML settings"),
        ("isolation: [\n", "YAML settings"),
        ("just words\n", "YAML settings"),
        ("isolation: chroot\n", "not an isolation"),
        ("resync_s: -1\n", "resync_s"),
        ("surprise: 1\n", "surprise"),
    ],
)
def test_a_wrong_file_is_told_in_one_sentence(config: Path, text: str, said: str) -> None:
    """With the file's name, and no stack trace."""
    config.write_text(text)
    with pytest.raises(InvalidRequest, match=said) as refused:
        load_settings()
    assert "\n" not in refused.value.sentence


def test_a_misspelt_variable_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would else be a setting that silently does nothing."""
    monkeypatch.setenv("WSMGR_RESINC_S", "5")
    with pytest.raises(InvalidRequest, match="WSMGR_RESINC_S"):
        load_settings()


def test_lists_come_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment; an empty word is no name."""
    monkeypatch.setenv("WSMGR_ADMINS", "ops, @wheel,")
    assert load_settings().admins == ["ops", "@wheel"]
