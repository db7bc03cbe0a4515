"""The channel into a real sandbox, and a plugin that turns against it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tests.adapters.worker.inside import Inside

DIAL = "return await dial({ path: input })"


def _modes(path: Path) -> tuple[str, int]:
    return stat.filemode(path.lstat().st_mode)[0], stat.S_IMODE(path.parent.stat().st_mode)


async def test_the_endpoint_is_reached_on_the_host(sandbox: Inside) -> None:
    """The socket has a name on the host alone, in a folder of this user's, and its listener is this user's."""
    assert (sandbox.at.uid, sandbox.at.on_host) == (os.getuid(), True)
    assert _modes(Path(sandbox.at.socket)) == ("s", 0o700)
    assert await sandbox.run("return input", [1, "two"]) == [1, "two"]


async def test_a_plugin_cannot_call_its_own_runtime(sandbox: Inside, plain: Inside) -> None:
    """Neither by the name that the socket has on the host nor by the one that the runtime itself sees. The control: in
    a plain process, which is no boundary, the name leads there."""
    assert await plain.run(DIAL, plain.at.socket) == "connected"
    assert await sandbox.run(DIAL, sandbox.at.socket) == "ENOENT"
    named = "return fs.readFileSync('/proc/net/unix', 'utf8').split('\\n').slice(1, -1).map((l) => l.split(' ')[7])"
    names = await sandbox.run(named)
    assert isinstance(names, list)
    for name in filter(None, names):
        assert await sandbox.run(DIAL, name) in {"ENOENT", "EACCES"}, name


async def test_the_socket_goes_with_its_runtime(sandbox: Inside) -> None:
    """Nothing is left in the folder once the workspace is removed."""
    folder = Path(sandbox.at.socket).parent
    assert [file.name for file in folder.iterdir()] == [Path(sandbox.at.socket).name]
    await sandbox.engine.remove(sandbox.handle)
    assert list(folder.iterdir()) == []
