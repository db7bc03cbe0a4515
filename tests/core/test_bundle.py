"""Bundles: canonical, whole, and without names that collide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsmgr.core.bundle import (
    Bundle,
    BundleFile,
    bundle_of,
    checked_path,
    is_vendored,
    packed,
    unpacked,
    version_of_bundle,
)
from wsmgr.core.errors import InvalidRequest
from wsmgr.core.ids import Slug, parse_version
from wsmgr.core.plugin import Language, source_of_bundle, source_of_code

NAMES = st.text(alphabet="abcd_", min_size=1, max_size=3)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
FILES = st.dictionaries(PATHS, st.binary(max_size=20), min_size=1, max_size=6)


def _bundle(files: dict[str, bytes]) -> Bundle | None:
    try:
        return bundle_of(min(files), [BundleFile(*one) for one in files.items()])
    except InvalidRequest:
        return None


@given(FILES, st.randoms())
def test_packed_and_unpacked_it_is_the_same(files: dict[str, bytes], random: object) -> None:
    """In whatever order the files came."""
    shuffled = list(files.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    bundle, other = _bundle(files), _bundle(dict(shuffled))
    assert bundle == other
    if bundle is not None:
        assert unpacked(packed(bundle)) == bundle


@given(FILES, FILES)
def test_the_same_content_has_the_same_version_and_only_it(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    """Names, contents, entry and language are the content."""
    first, second = _bundle(one), _bundle(other)
    if first is None or second is None:
        return
    version = version_of_bundle("javascript", first)
    assert parse_version(version) == version
    assert (version == version_of_bundle("javascript", second)) == (first == second)
    assert version != version_of_bundle("python", first)


def test_a_single_file_and_a_bundle_of_it_are_two_versions() -> None:
    """They load by other rules, so they are other plugins."""
    bundle = bundle_of("index.js", [BundleFile("index.js", b"1")])
    code = source_of_code(Slug("a"), Language.JAVASCRIPT, packed(bundle).decode())
    assert (
        source_of_bundle(Slug("a"), Language.JAVASCRIPT, bundle).version
        != source_of_code(Slug("a"), Language.JAVASCRIPT, "1").version
    )
    # Code that spells a bundle's content out begins as no code can, and is no bundle all the same.
    assert code.bundle is None


@pytest.mark.parametrize("content", [b"", b"wsmgr-bundle 1\n5:ab", b"wsmgr-bundle 1\nx:ab", b"wsmgr-bundle 1\n1:a1:b"])
def test_what_was_never_packed_is_not_unpacked(content: bytes) -> None:
    """A database that was tampered with says so."""
    with pytest.raises(ValueError, match=r"."):
        unpacked(content)


@pytest.mark.parametrize(
    "name", ["a.js", "./a.js", "a/b/c.js", ".hidden", "ä/ö.js", "with space.js", "@scope/x", "a..b"]
)
def test_ordinary_names_are_taken(name: str) -> None:
    """Hidden files, scopes and letters of any script."""
    assert checked_path(name) == name.removeprefix("./")


@given(st.text(max_size=40))
def test_a_name_that_is_taken_stays_below_its_folder(name: str) -> None:
    """Whatever the name: relative, normalised, without surprises."""
    try:
        path = checked_path(name)
    except InvalidRequest:
        return
    assert path
    assert not path.startswith("/")
    assert all(part not in {"", ".", ".."} for part in path.split("/"))
    assert path.isprintable()


@pytest.mark.parametrize(
    ("path", "vendored"),
    [("index.js", False), ("node_modules/a/b.js", True), ("lib/site-packages/x.py", True), ("node_modules", False)],
)
def test_what_is_vendored(path: str, vendored: bool) -> None:
    """By the folders above it."""
    assert is_vendored(path) is vendored
