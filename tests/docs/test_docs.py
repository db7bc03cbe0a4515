"""What README and ARCHITECTURE say is what there is."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from fastapi import FastAPI
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tests.docs.page import ARCHITECTURE, CHANGELOG, README, ROOT, Page
from tests.fakes.daemon import FakeDaemon
from wsmgr import __version__
from wsmgr.api.app import build
from wsmgr.api.gate import ADMIN_PREFIXES, OPEN_PATHS, Gate
from wsmgr.api.identity import Forbidden, People, Tokens, Unauthenticated
from wsmgr.cli.app import make_app
from wsmgr.core.errors import WsmgrError
from wsmgr.core.limits import MIB, Limits
from wsmgr.core.outcome import FailureType
from wsmgr.core.plans import BUILT_IN
from wsmgr.settings import PLATFORM_NAMES, Settings

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PAGES = (README, ARCHITECTURE, CHANGELOG)
ERRORS: list[type[WsmgrError]] = [*WsmgrError.__subclasses__(), WsmgrError]


# ---- settings and plans ------------------------------------------------------------------------------------------


def _environment_names(name: str) -> list[str]:
    platform = PLATFORM_NAMES.get(name)
    return [f"WSMGR_{name.upper()}", *([platform] if platform else [])]


def _shown_default(field: FieldInfo) -> str | None:
    """A default as README writes it; None for those that are sentences there."""
    value = field.get_default()
    if value is None or value is PydanticUndefined:
        return None
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def test_every_setting_is_in_readme() -> None:
    """With the names that the environment may use, the first that counts first."""
    rows = {row[0].strip("`"): row for row in README.rows("Settings") if row[0] != "in YAML"}
    assert set(rows) == set(Settings.model_fields)
    for name in Settings.model_fields:
        assert re.findall(r"`([A-Z_]+)`", rows[name][1]) == _environment_names(name), name


def test_every_default_in_readme_is_the_settings_own() -> None:
    """A default that is changed in the code alone would mislead."""
    rows = {row[0].strip("`"): row for row in README.rows("Settings")}
    checked = {
        name: default for name, field in Settings.model_fields.items() if (default := _shown_default(field)) is not None
    }
    assert len(checked) > 12
    assert {name: rows[name][2].removesuffix(" s") for name in checked} == checked


def _plan_cells(limits: Limits) -> list[str]:
    return [
        f"{limits.memory_mb}",
        f"{limits.cpus:g}",
        f"{limits.max_workspaces}",
        f"{limits.idle_timeout_s}",
        f"{limits.pause_after_s}",
        f"{limits.pids}",
        f"{limits.nofile}",
        f"{limits.scratch_mb}",
        f"{limits.execution_timeout_s:g} / {limits.max_execution_timeout_s:g}",
        f"{limits.concurrent_executions} / {limits.queue_length}",
        f"{limits.async_queue_length}",
        f"{limits.queue_timeout_s:g}",
        f"{limits.input_bytes // MIB} / {limits.output_bytes // MIB}",
        f"{limits.log_bytes // 1024}",
        f"{limits.plugin_bytes // MIB} / {limits.plugin_files}",
        f"{limits.plugin_space_mb}",
        f"{limits.max_plugins} / {limits.plugin_versions_kept}",
        f"{limits.rate_per_s:g} / {limits.rate_burst}",
        f"{limits.restarts} / {limits.restart_window_s}",
        f"{limits.data_mb}",
    ]


def test_the_table_of_plans_has_the_plans_values() -> None:
    """Column by column."""
    head, *rows = README.rows("Plans")
    assert head[1:] == [*BUILT_IN.plans, "no plan"]
    for column, plan in enumerate([*BUILT_IN.plans.values(), BUILT_IN.no_plan], start=1):
        assert [row[column] for row in rows] == _plan_cells(plan.limits), plan.name


# ---- API ---------------------------------------------------------------------------------------------------------


def _role_of(path: str) -> str:
    return "any" if path in OPEN_PATHS else "admin" if path.startswith(ADMIN_PREFIXES) else "service"


async def test_every_route_is_in_readme_with_its_role(tmp_path: Path) -> None:
    """And README names no other."""
    gate = build(FakeDaemon(tmp_path).daemon, People(os.getuid(), [], []), Tokens({}))
    assert isinstance(gate, Gate)
    assert isinstance(gate._app, FastAPI)
    paths = gate._app.openapi()["paths"]
    routes = {f"{method.upper()} {path}": _role_of(path) for path, methods in paths.items() for method in methods}
    assert len(routes) > 20
    rows = {row[0].strip("`"): row[1] for row in README.rows("HTTP API") if row[0] != "method and path"}
    assert rows == routes


def test_every_error_code_is_in_readme() -> None:
    """With its status, and whether asking again may help."""
    told = {row[0].strip("`"): tuple(row[1:3]) for row in README.rows("What an answer means") if len(row) == 4}
    codes = {error.code: (str(error.status), "yes" if error.retryable else "no") for error in ERRORS}
    assert {code: told.get(code) for code in codes} == codes
    # What the framework refuses by itself is the only other.
    assert set(told) - set(codes) == {"code", "method_not_allowed"}
    assert {Unauthenticated, Forbidden} <= set(ERRORS)


def test_every_outcome_is_in_readme() -> None:
    """The table of outcomes is the vocabulary."""
    told = [row[0].strip("`") for row in README.rows("Outcomes") if row[0] != "`error.type`"]
    assert sorted(told) == sorted(FailureType)


# ---- command line, make, dependencies ----------------------------------------------------------------------------


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield " ".join(path), command
    for name, child in (children or {}).items():
        yield from _commands(child, (*path, name))


COMMANDS = dict(_commands(typer.main.get_command(make_app())))


def test_every_command_is_in_readme_with_an_example_that_it_takes() -> None:
    """The example is of that very command, and has no option that the command has not."""
    told = {
        row[0].strip("`").removeprefix("wsmgr "): row[2].strip("`")
        for row in README.rows("Every day: the command line")
        if row[0] != "command"
    }
    assert set(told) == set(COMMANDS)
    for name, example in told.items():
        words = shlex.split(example)
        assert words[: 1 + len(name.split())] == ["wsmgr", *name.split()], example
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("-") and word != "-"} <= known, example


def test_every_make_target_is_in_readme() -> None:
    """Those that `make help` lists, by the mark that it looks for."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    listed = re.findall(r"^([a-z-]+):[^#\n]*## ", makefile, re.MULTILINE)
    assert "up" in listed
    told = [row[0].strip("`").removeprefix("make ") for row in README.rows("Make targets") if row[0] != "target"]
    assert sorted(told) == sorted(listed)


def test_every_dependency_is_in_readme_with_its_reason() -> None:
    """Those of the program in the table, those of development in the text below it."""
    names = [re.split(r"[\[<>=~!; ]", one)[0] for one in PYPROJECT["project"]["dependencies"]]
    told = {row[0]: row[1] for row in README.rows("Dependencies") if row[0] != "package"}
    assert sorted(told) == sorted(names)
    assert all(told.values())
    words = set(re.findall(r"[a-z][a-z-]+", README.section("Dependencies")))
    development = {re.split(r"[\[<>=~!; ]", one)[0] for one in PYPROJECT["dependency-groups"]["dev"]}
    assert development <= words, development - words


# ---- the tree ----------------------------------------------------------------------------------------------------


def _packages() -> list[str]:
    """Folders of wsmgr with modules in them, relative to wsmgr."""
    folders = {module.parent for module in (ROOT / "wsmgr").rglob("*.py")} - {ROOT / "wsmgr"}
    return sorted(str(folder.relative_to(ROOT / "wsmgr")) for folder in folders if "_share" not in folder.parts)


def test_every_package_is_in_architecture() -> None:
    """Would you know from the page alone where each thing lives?"""
    packages = _packages()
    assert {"core", "adapters/podman"} <= set(packages)
    text = ARCHITECTURE.text
    missing = [one for one in packages if f"`{one}`" not in text and f"wsmgr/{one}:" not in text]
    # Its own packages stand for it.
    assert missing in ([], ["adapters"])
    assert "### wsmgr/adapters" in text


def test_every_file_that_architecture_names_is_there() -> None:
    """A module that was renamed is renamed on the map."""
    named = set(re.findall(r"`(?:[\w/]+/)?(\w+\.(?:py|mjs))`", ARCHITECTURE.text))
    assert "reconcile.py" in named
    folders = [ROOT / name for name in ("wsmgr", "tui", "tests", "containerfiles")]
    present = {file.name for folder in folders for file in folder.rglob("*.*")}
    assert named <= present, named - present


def test_every_test_tier_is_in_architecture() -> None:
    """Fakes and samples are no tiers; `samples` are used by the podman tier."""
    folders = {folder.name for folder in (ROOT / "tests").iterdir() if folder.is_dir() and folder.name != "__pycache__"}
    told = set(re.findall(r"`tests/(\w+)", ARCHITECTURE.section("Tests")))
    assert folders - {"samples"} <= told, folders - told


# ---- the pages themselves ----------------------------------------------------------------------------------------


def _target(page: Page, link: str) -> tuple[Path, str]:
    place, _, anchor = link.partition("#")
    return (ROOT / page.name).parent / place if place else ROOT / page.name, anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Page) -> None:
    """To a file that is there, and to a heading that it has."""
    for link in page.links():
        if link.startswith("https://"):
            continue
        place, anchor = _target(page, link)
        assert place.exists(), link
        if anchor:
            assert anchor in Page(str(place.relative_to(ROOT))).anchors(), link


def test_the_pages_have_links_to_check() -> None:
    """The test above would pass on pages that it cannot read."""
    assert len(README.links()) > 10
    assert any("#" in link for link in ARCHITECTURE.links())


FOREIGN = re.compile(r"/work/|/root/|\bregistry\.[\w-]+\.\w+", re.IGNORECASE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_the_machine_it_was_written_on(page: Page) -> None:
    """Nor a registry: from where packages come is for the reader's machine to say."""
    assert FOREIGN.search("pip from registry.example.org")
    assert FOREIGN.search("cd /work/tree")
    assert [line for line in page.text.splitlines() if FOREIGN.search(line)] == []


def test_changelog_names_the_version() -> None:
    """The version that is being made, or one that was."""
    assert __version__ in CHANGELOG.text
    assert __version__ == PYPROJECT["project"]["version"]
