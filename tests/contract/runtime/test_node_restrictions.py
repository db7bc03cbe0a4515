"""Node's permission model around plugins. Each denial has a control: the same code where the restrictions are off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.contract.runtime.bundles import wire
from tests.contract.runtime.conftest import StartRuntime
from tests.contract.runtime.launch import NodeLauncher
from tests.contract.runtime.subject import Runtime

DENIED = {
    "process": "require('child_process').spawnSync(process.execPath, ['--version']).status",
    "fork": "require('child_process').fork('/dev/null', [], { execPath: '/bin/true' }).unref()",
    "wasi": "new (require('wasi').WASI)({ version: 'preview1' })",
    "file": "require('fs').readFileSync('/etc/passwd').length",
    "list": "require('fs').readdirSync('/').length",
    "memory": "require('fs').closeSync(require('fs').openSync('/proc/self/mem'))",
    "environment": "require('fs').readFileSync('/proc/self/environ').length",
    "write": "require('fs').mkdtempSync('/var/tmp/wsmgr-').length",
    "link": "require('fs').symlinkSync('/etc', `/tmp/wsmgr-link-${process.pid}-${Math.random()}`)",
}


@pytest.fixture(scope="session")
def launcher() -> NodeLauncher:
    """Node.js only: another runtime has restrictions of its own."""
    return NodeLauncher()


@pytest.fixture
def plugins() -> Iterator[Path]:
    """Outside the scratch space, as in a workspace."""
    with TemporaryDirectory(prefix="rt-", dir="/var/tmp") as name:
        yield Path(name)


@pytest.fixture
def restricted(start: StartRuntime, plugins: Path) -> Runtime:
    """As workspaces have it."""
    return start(PLUGIN_DIR=str(plugins / "restricted"), WSMGR_LOAD_TIMEOUT_MS="60000")


@pytest.fixture
def free(start: StartRuntime, plugins: Path) -> Runtime:
    """With the restrictions off, as the plan's unrestrictedRuntime has it."""
    return start(PLUGIN_DIR=str(plugins / "free"), WSMGR_UNRESTRICTED="1", WSMGR_LOAD_TIMEOUT_MS="60000")


def _try(runtime: Runtime, expression: str) -> object:
    code = f"module.exports = () => {{ try {{ {expression}; return 'done' }} catch (error) {{ return error.code }} }}"
    assert runtime.put_code("try", code).status == 200
    return runtime.execute("try")["output"]


def test_what_the_restrictions_deny(restricted: Runtime, free: Runtime) -> None:
    """Processes, WASI, files of the workspace's system, this process' memory, writing outside the scratch space."""
    assert {name: _try(restricted, code) for name, code in DENIED.items()} == dict.fromkeys(DENIED, "ERR_ACCESS_DENIED")
    assert {name: _try(free, code) for name, code in DENIED.items()} == dict.fromkeys(DENIED, "done")


def test_native_addons_are_not_loaded(restricted: Runtime, free: Runtime) -> None:
    """With the restrictions off Node looks at the file at least, and finds that it is none."""
    code = "process.dlopen({ exports: {} }, '/dev/null')"
    assert _try(restricted, code) == "ERR_DLOPEN_DISABLED"
    assert _try(free, code) == "ERR_DLOPEN_FAILED"


def test_the_scratch_space_is_free(restricted: Runtime) -> None:
    """Making, listing, writing and removing there is what a plugin may do."""
    code = """const fs = require('fs'); module.exports = () => { const at = fs.mkdtempSync('/tmp/wsmgr-scratch-');
        fs.writeFileSync(`${at}/a`, 'text'); const seen = [fs.readdirSync(at), fs.readFileSync(`${at}/a`, 'utf8')];
        fs.rmSync(at, { recursive: true }); return [...seen, fs.readdirSync('/tmp').length > 0]; }"""
    assert restricted.put_code("scratch", code).status == 200
    assert restricted.execute("scratch")["output"] == [["a"], "text", True]


def test_a_plugin_reads_its_own_files_and_not_its_neighbours(restricted: Runtime, free: Runtime) -> None:
    """Nor can it change its own."""
    look = """const fs = require('fs'); const attempt = (f) => { try { return f() } catch (e) { return e.code } };
        module.exports = (path) => [attempt(() => fs.readFileSync(path, 'utf8')),
          attempt(() => fs.readFileSync(__filename, 'utf8').length > 0),
          attempt(() => fs.chmodSync(__filename, 0o644))];"""
    seen = {}
    for name, runtime in (("restricted", restricted), ("free", free)):
        secret = {"index.js": "module.exports = () => __filename", "secret.txt": "mine"}
        assert runtime.put_bundle("neighbour", wire("index.js", secret)).status == 200
        where = Path(str(runtime.execute("neighbour")["output"])).with_name("secret.txt")
        assert runtime.put_bundle("looker", wire("index.js", {"index.js": look})).status == 200
        seen[name] = runtime.execute("looker", str(where))["output"]
    assert seen["restricted"] == ["ERR_ACCESS_DENIED", True, "ERR_ACCESS_DENIED"]
    assert seen["free"] == ["mine", True, None]


def test_a_link_in_a_scratch_folder_leads_nowhere(restricted: Runtime, tmp_path: Path) -> None:
    """A plugin cannot make one; and /tmp is not searched for modules on the way out of a bundle."""
    code = """const fs = require('fs'); module.exports = (to) => {
        try { fs.linkSync('/etc/passwd', to); return 'linked' } catch (e) { return e.code } }"""
    assert restricted.put_code("link", code).status == 200
    assert restricted.execute("link", str(tmp_path / "p"))["output"] == "ERR_ACCESS_DENIED"
