"""What an operator chose, and what is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.preferences import BadPreferences, Memory, Preferences, chosen, config_path, remembered, state_path

ACTIONS = frozenset({"stop", "start"})


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    """In a directory that it makes, readable by its owner alone."""
    path = tmp_path / "deep" / "tui.json"
    Memory("cpu>5", "cpu", descending=True, range="6h", theme="nord", path=path).keep()
    assert remembered(path) == Memory("cpu>5", "cpu", descending=True, range="6h", theme="nord", path=path)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"sort": 5, "filter": null, "path": "/x"}', "\x00\xff"])
def test_a_corrupt_file_is_as_none(text: str, tmp_path: Path) -> None:
    """The defaults stand in."""
    path = tmp_path / "tui.json"
    path.write_bytes(text.encode("latin-1"))
    assert remembered(path) == Memory(path=path)


def test_a_state_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    """A file stands where the directory should."""
    (tmp_path / "file").write_text("")
    Memory(path=tmp_path / "file" / "tui.json").keep()
    assert (tmp_path / "file").read_text() == ""


def test_without_a_place_nothing_is_kept() -> None:
    """As in tests."""
    Memory().keep()


@pytest.mark.parametrize(
    ("environ", "state", "config"),
    [
        ({"HOME": "/home/x"}, "/home/x/.local/state/wsmgr/tui.json", "/home/x/.config/wsmgr/tui.toml"),
        ({"HOME": "/h", "XDG_STATE_HOME": "/s", "XDG_CONFIG_HOME": "/c"}, "/s/wsmgr/tui.json", "/c/wsmgr/tui.toml"),
        ({"HOME": "/h", "XDG_STATE_HOME": "s", "XDG_CONFIG_HOME": ""}, "/h/.local/state/wsmgr/tui.json",
         "/h/.config/wsmgr/tui.toml"),
    ],
)  # fmt: skip
def test_where_they_are(environ: dict[str, str], state: str, config: str) -> None:
    """By the specification of XDG."""
    assert (str(state_path(environ)), str(config_path(environ))) == (state, config)


def test_the_operators_file(tmp_path: Path) -> None:
    """All that it may say."""
    path = tmp_path / "tui.toml"
    assert chosen(path, ACTIONS) == Preferences()
    path.write_text('theme = "nord"\nread_only = true\nmouse = false\n[confirm]\nstop = false\n')
    assert chosen(path, ACTIONS) == Preferences(read_only=True, mouse=False, theme="nord", confirm={"stop": False})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("theme = ", "cannot be read"),
        ("colour = 1", "`colour` is not a preference"),
        ("mouse = 1", "`mouse` must be a bool"),
        ("[confirm]\nexplode = true", "`confirm.explode` must be"),
        ("[confirm]\nstop = 1", "`confirm.stop` must be"),
    ],
)
def test_a_mistake_in_it_is_a_sentence(text: str, said: str, tmp_path: Path) -> None:
    """Better than a preference that is not obeyed."""
    path = tmp_path / "tui.toml"
    path.write_text(text)
    with pytest.raises(BadPreferences, match=said):
        chosen(path, ACTIONS)
