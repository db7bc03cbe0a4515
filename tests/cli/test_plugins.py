"""`plugin …` with folders and archives, and what an author does without a daemon."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.cli.fake_backend import FakeBackend
from tests.client.canned import OLDER, VERSION, version
from tests.client.fake_daemon import Answer, FakeDaemon
from wsmgr.cli.packing import pack
from wsmgr.wire.plugin import PluginVersionPage
from wsmgr.wire.problem import PROBLEM_MEDIA_TYPE

A = "user:alice"
PATH = "/api/workspaces/user:alice/plugins/hello"
FINDING = {
    "file": "lib/a.js", "line": 3, "column": 7, "rule": "js/vm", "message": "vm: no", "severity": "error",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plugin of several files, with what does not belong into it."""
    made = tmp_path / "hello"
    for name, text in {
        "index.js": "module.exports = require('./lib/a')",
        "lib/a.js": "module.exports = () => 1",
        "node_modules/dep/index.js": "1",
        "node_modules/.bin/dep": "1",
        ".git/config": "secret",
        ".env": "SECRET=1",
        "__pycache__/x.pyc": "1",
        "notes/draft.md": "1",
        "build.log": "1",
        ".wsmgrignore": "# mine\nnotes/\n*.log\n",
    }.items():
        path = made / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return made


def _names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return tar.getnames()


def test_a_folder_is_packed_without_what_is_ignored(cli: CommandLine, daemon: FakeDaemon, folder: Path) -> None:
    """Under the folder's name; secrets, caches, .bin and what .wsmgrignore names stay out."""
    result = cli("plugin", "put", A, folder)
    assert result.code == 0, result.err
    assert (daemon.last.method, daemon.last.path) == ("PUT", PATH)
    assert daemon.last.headers["content-type"] == "application/gzip"
    assert _names(daemon.last.body) == ["index.js", "lib/a.js", "node_modules/dep/index.js"]


def test_only_a_large_archive_is_announced(cli: CommandLine, daemon: FakeDaemon, folder: Path) -> None:
    """In one line, beside the result; not for programs."""
    daemon.tell("PUT", PATH, daemon_result("hello"))
    assert cli("plugin", "put", A, folder).err == ""
    (folder / "large.bin").write_bytes(os.urandom(1_500_000))
    result = cli("plugin", "put", A, folder)
    assert result.code == 0
    assert re.fullmatch(r"packed 4 files to \S+ \S+; sending it …\n", result.err)
    assert cli("plugin", "put", A, folder, "--json").err == ""
    (folder.with_suffix(".zip")).write_bytes(os.urandom(1_500_000))
    assert cli("plugin", "put", A, folder.with_suffix(".zip")).err.startswith("sending ")


def test_equal_folders_make_equal_archives(folder: Path) -> None:
    """Times and owners are not packed."""
    first = pack(folder)
    for path in folder.rglob("*"):
        path.touch()
    assert pack(folder) == first


def test_the_manifest_names_the_plugin(cli: CommandLine, daemon: FakeDaemon, folder: Path) -> None:
    """Before the folder does; --slug before both."""
    (folder / "wsmgr.yaml").write_text("slug: named # here\nentry: index.js\n")
    daemon.tell("PUT", PATH.replace("hello", "named"), daemon_result("named"))
    assert cli("plugin", "put", A, folder).code == 0
    assert daemon.last.path == PATH.replace("hello", "named")
    assert cli("plugin", "put", A, folder, "--slug", "hello", "--entry", "lib/a.js").code == 0
    assert (daemon.last.path, daemon.last.query) == (PATH, {"entry": "lib/a.js"})


def daemon_result(slug: str) -> bytes:
    """A version that was taken."""
    return json.dumps({"slug": slug, "version": VERSION, "reloaded": True, "reloadMs": 41.5, "warnings": []}).encode()


@pytest.mark.parametrize(
    ("name", "media"),
    [("hello.tar.gz", "application/gzip"), ("hello.tgz", "application/gzip"), ("Hello.ZIP", "application/zip")],
)
def test_an_archive_goes_as_it_is(cli: CommandLine, daemon: FakeDaemon, tmp_path: Path, name: str, media: str) -> None:
    """Whatever is in it: the daemon looks."""
    (tmp_path / name).write_bytes(gzip.compress(b"anything"))
    assert cli("plugin", "put", A, tmp_path / name).code == 0
    assert daemon.last.body == (tmp_path / name).read_bytes()
    assert daemon.last.headers["content-type"] == media


def test_links_and_empty_folders_are_refused(cli: CommandLine, folder: Path, tmp_path: Path) -> None:
    """With what to do about it; nothing is sent."""
    (folder / "link.js").symlink_to("/etc/passwd")
    result = cli("plugin", "put", A, folder)
    assert result.code == 1
    assert "link.js is a link" in result.err
    (tmp_path / "empty").mkdir()
    assert "has no files" in cli("plugin", "put", A, tmp_path / "empty").err


def test_errors_and_warnings_are_printed_as_compilers_do(
    cli: CommandLine, daemon: FakeDaemon, folder: Path, hello: Path
) -> None:
    """With the path on disk, so that editors jump there; the exit code is 1."""
    problem = {
        "title": "Not valid", "status": 422, "code": "invalid_request", "detail": "no", "findings": [FINDING],
    }  # fmt: skip
    daemon.told["PUT", PATH] = lambda _: Answer(422, json.dumps(problem).encode(), PROBLEM_MEDIA_TYPE)
    result = cli("plugin", "put", A, folder)
    assert (result.code, result.out) == (1, "")
    assert f"{folder}/lib/a.js:3:7: error: vm: no [js/vm]\n" in result.err
    assert "1 error; the version before stays" in result.err
    assert f"{hello}:3:7: error" in cli("plugin", "put", A, hello).err
    warned = json.loads(daemon_result("hello")) | {"warnings": [{**FINDING, "severity": "warning"}]}
    daemon.tell("PUT", PATH, json.dumps(warned).encode())
    result = cli("plugin", "put", A, folder)
    assert result.code == 0
    assert f"{folder}/lib/a.js:3:7: warning: vm: no [js/vm]\n" in result.err
    assert "reloaded in 41.5 ms" in result.out


def test_watching_puts_again_after_each_change(cli: CommandLine, daemon: FakeDaemon, folder: Path) -> None:
    """What is refused is said at once, and the watch goes on until Ctrl-C."""

    def changes(path: Path) -> Iterator[object]:
        assert path == folder
        daemon.refuse("PUT", PATH, 422, "invalid_request", "The code does not load: no")
        yield "a change"
        daemon.tell("PUT", PATH, daemon_result("hello"))
        yield "another"
        raise KeyboardInterrupt

    cli.wiring.changes = changes
    result = cli("plugin", "put", A, folder, "--watch")
    assert result.code == 0
    assert len(daemon.seen) == 3
    assert "The code does not load: no" in result.err
    assert "loaded in 41.5 ms" in result.out.splitlines()[-1]
    assert cli("plugin", "put", A, folder, "--watch", "--json").code == 2


def test_a_diff_is_unified_and_names_both_sides(cli: CommandLine) -> None:
    """Changed, new and removed files; what is no text is only named; what is the same is left out."""
    result = cli("plugin", "diff", A, "hello", OLDER[:8])
    assert result.code == 0
    assert "--- a/index.js\t" + OLDER[:12] in result.out
    assert "-module.exports = () => a;\n+module.exports = () => b;\n" in result.out
    assert "Binary files a/blob.bin and b/blob.bin differ" in result.out
    assert "--- /dev/null" in result.out
    assert "+only here\n\\ No newline at end of file\n" in result.out
    assert "same.js" not in result.out
    for named in ((OLDER, VERSION), (OLDER,), ()):
        found = cli("plugin", "diff", A, "hello", *named, "--json").json
        assert (found["from"], found["to"]) == (OLDER, VERSION)
    assert found["changed"] == ["blob.bin", "index.js", "new.txt", "old.txt"]


def test_a_diff_of_an_only_version_says_so(cli: CommandLine, daemon: FakeDaemon) -> None:
    """There is none before it."""
    daemon.tell("GET", PATH, PluginVersionPage(items=[version()], next=None))
    result = cli("plugin", "diff", A, "hello")
    assert (result.code, result.out) == (1, "")
    assert f"no version before the current one; it has {VERSION[:12]}." in result.err


def test_a_diff_of_the_same_says_so(cli: CommandLine) -> None:
    """And a version that is none is named with those that there are."""
    assert "no difference" in cli("plugin", "diff", A, "hello", VERSION, VERSION).err
    result = cli("plugin", "diff", A, "hello", "ffff")
    assert result.code == 1
    assert OLDER[:12] in result.err


@pytest.mark.parametrize(("language", "entry"), [("js", "index.js"), ("python", "main.py")])
def test_a_new_plugin_has_all_it_needs(alone: CommandLine, tmp_path: Path, language: str, entry: str) -> None:
    """And nothing is written over."""
    made = tmp_path / "fresh"
    assert alone("plugin", "new", made, "--language", language).code == 0
    names = {path.name for path in made.iterdir()}
    assert names >= {entry, "wsmgr.yaml", "input.json", ".wsmgrignore"}
    assert ("wsmgr.d.ts" in names) == (language == "js")
    assert ("wsmgr_plugin.pyi" in names) == (language == "python")
    assert _names(pack(made).archive) == [entry, "wsmgr.yaml"]
    spaced = alone("plugin", "new", tmp_path / "two words", "--language", language)
    assert f"wsmgr plugin put user:alice '{tmp_path}/two words' --watch" in spaced.out
    result = alone("plugin", "new", made, "--language", language)
    assert result.code == 2
    assert "not empty" in result.err


def test_check_needs_no_daemon(alone: CommandLine, backend: FakeBackend, folder: Path, hello: Path) -> None:
    """The exit code is 1 where there are errors."""
    assert alone("plugin", "check", folder).out.endswith("0 errors, 0 warnings\n")
    backend.findings = [FINDING]
    result = alone("plugin", "check", folder, "--plan", "PRO")
    assert (result.code, result.out.splitlines()[0]) == (1, f"{folder}/lib/a.js:3:7: error: vm: no [js/vm]")
    (source, plan) = backend.calls[-1][2]
    assert (source.slug, source.media, plan) == ("hello", "application/gzip", "PRO")  # type: ignore[attr-defined]
    assert alone("plugin", "check", hello, "--json").json == {"findings": [FINDING], "errors": 1}


def test_run_needs_no_daemon_and_says_how_it_ran(alone: CommandLine, backend: FakeBackend, folder: Path) -> None:
    """The output alone on standard output; 3 where the plugin failed."""
    (folder / "input.json").write_text('{"n": 1}')
    result = alone("plugin", "run", folder, "--input", folder / "input.json")
    assert result.code == 0
    assert json.loads(result.out) == {"n": 1}
    assert "local run in the node runtime, WITHOUT a sandbox; no daemon" in result.err
    backend.code = 1
    assert alone("plugin", "run", folder, "--json-input", "1").code == 3
