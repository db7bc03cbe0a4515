"""Plugins over HTTP: archives beside JSON, findings with their places, and versions with their files."""

from __future__ import annotations

import base64

import httpx
import pytest

from tests.adapters.bundles.archives import tar_gz, zipped
from tests.fakes.daemon import CODE, FakeDaemon
from wsmgr.core.policy import Sighting

PLUG = "/api/workspaces/user:alice/plugins/plug"
FILES = {"index.js": b"module.exports = require('./a')", "a.js": b"module.exports = 1", "b.bin": b"\xff\x00"}
GZIP = {"content-type": "application/gzip"}


@pytest.mark.parametrize(
    ("archive", "media"),
    [(tar_gz(FILES), "application/gzip"), (zipped(FILES), "application/zip; x=y")],
    ids=["tar", "zip"],
)
async def test_an_archive_is_put_and_comes_back(admin: httpx.AsyncClient, archive: bytes, media: str) -> None:
    """In both formats, under the same version; files that are no text come in base64."""
    answer = await admin.put(PLUG, content=archive, headers={"content-type": media})
    assert answer.status_code == 200, answer.text
    version = answer.json()["version"]
    assert [warning["rule"] for warning in answer.json()["warnings"]] == ["not-tried"]
    source = (await admin.get(f"{PLUG}/versions/{version}")).json()
    assert (source["bundled"], source["entry"], source["language"]) == (True, "index.js", "javascript")
    assert {file["path"]: file["text"] for file in source["files"]} == {
        "a.js": "module.exports = 1", "b.bin": None, "index.js": FILES["index.js"].decode(),
    }  # fmt: skip
    assert base64.b64decode(source["files"][1]["base64"]) == b"\xff\x00"


async def test_the_query_chooses_entry_and_language(admin: httpx.AsyncClient) -> None:
    """Where the archive does not say it, or says something else."""
    answer = await admin.put(f"{PLUG}?entry=a.js&language=javascript", content=tar_gz(FILES), headers=GZIP)
    version = answer.json()["version"]
    assert (await admin.get(f"{PLUG}/versions/{version}")).json()["entry"] == "a.js"
    refused = await admin.put(f"{PLUG}?entry=gone.js", content=tar_gz(FILES), headers=GZIP)
    assert (refused.status_code, refused.json()["entry"]) == (422, "gone.js")


async def test_a_hostile_archive_is_422_with_the_entry(admin: httpx.AsyncClient) -> None:
    """And one that is too large is 413 with the limit."""
    refused = await admin.put(PLUG, content=tar_gz({"index.js": b"", "../x": b""}), headers=GZIP)
    assert (refused.status_code, refused.json()["entry"]) == (422, "../x")
    await admin.patch("/api/owners/user:alice", json={"overrides": {"pluginFiles": 1}})
    large = await admin.put(PLUG, content=tar_gz(FILES), headers=GZIP)
    assert (large.status_code, large.json()["limit"]) == (413, "pluginFiles")


@pytest.mark.parametrize("media", ["text/plain", "application/x-tar", "multipart/form-data", ""])
async def test_other_media_types_are_415(admin: httpx.AsyncClient, media: str) -> None:
    """With those that are taken."""
    refused = await admin.put(PLUG, content=b"x", headers={"content-type": media})
    assert refused.status_code == 415
    assert "application/gzip" in refused.json()["detail"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"language": "javascript"}', b'{"language": "javascript", "code": 1}']
)
async def test_json_is_checked_as_ever(admin: httpx.AsyncClient, body: bytes) -> None:
    """The route reads it itself, because it takes other types as well."""
    refused = await admin.put(PLUG, content=body, headers={"content-type": "application/json"})
    assert refused.status_code == 422
    assert refused.json()["errors"]


async def test_findings_have_their_places(admin: httpx.AsyncClient, system: FakeDaemon) -> None:
    """Errors in the problem, warnings in the answer."""
    system.validator.sees["eval"] = Sighting("index.js", 3, 7, "js/dynamic-code", "eval")
    put = {"language": "javascript", "code": CODE + "// eval"}
    refused = await admin.put(PLUG, json=put)
    assert refused.status_code == 422
    (found,) = refused.json()["findings"]
    assert (found["file"], found["line"], found["column"], found["rule"]) == ("index.js", 3, 7, "js/dynamic-code")
    system.validator.sees["eval"] = Sighting("index.js", 3, 7, "js/prototype", "x")
    taken = (await admin.put(PLUG, json=put)).json()
    assert (taken["warnings"][0]["line"], taken["warnings"][0]["severity"]) == (3, "warning")


async def test_a_version_that_is_not_there_is_404(admin: httpx.AsyncClient) -> None:
    """And what is no version is 422."""
    assert (await admin.get(f"{PLUG}/versions/{'0' * 64}")).status_code == 404
    assert (await admin.get(f"{PLUG}/versions/..%2fx")).status_code in {404, 422}


async def test_code_comes_back_as_one_file(admin: httpx.AsyncClient) -> None:
    """Called as its language usually calls it."""
    version = (await admin.put(PLUG, json={"language": "javascript", "code": CODE})).json()["version"]
    source = (await admin.get(f"{PLUG}/versions/{version}")).json()
    assert (source["bundled"], source["files"]) == (False, [{"path": "index.js", "text": CODE, "base64": None}])
