"""What a plugin is given beside its code."""

from __future__ import annotations

from wsmgr.core.ids import Version
from wsmgr.core.masking import Mask
from wsmgr.core.plugin_settings import NO_SETTINGS, PluginSettings, runtime_version, version_in_runtime
from wsmgr.core.secret import Secret, SecretName

PLAIN = Version("ab" * 32)


def test_settings_make_another_version_in_the_runtime() -> None:
    """Of at most 256 characters, from which the plain one comes back."""
    named = runtime_version(PLAIN, "f" * 64)
    assert named == f"{PLAIN}.{'f' * 64}"
    assert len(named) <= 256
    assert version_in_runtime(named) == PLAIN


def test_without_settings_the_version_is_the_plain_one() -> None:
    """So that nothing changes for plugins that have none."""
    assert runtime_version(PLAIN, NO_SETTINGS.revision) == PLAIN
    assert version_in_runtime(PLAIN) == PLAIN


def test_settings_show_neither_values_nor_configuration() -> None:
    """A configuration may hold what people should have made a secret."""
    secrets = {SecretName("KEY"): Secret("hunter2-hunter2")}
    shown = repr(PluginSettings({"password": "swordfish"}, secrets, "r", Mask(secrets.values())))
    assert "hunter2" not in shown
    assert "swordfish" not in shown
