"""Versions are content addresses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wsmgr.core.ids import parse_version
from wsmgr.core.plugin import Language, version_of

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


@given(one=TEXT, other=TEXT)
def test_the_same_content_has_the_same_version_and_only_it(one: str, other: str) -> None:
    """Equal code, equal version; the language is part of the content."""
    version = version_of(Language.JAVASCRIPT, one)
    assert parse_version(version) == version
    assert (version == version_of(Language.JAVASCRIPT, other)) == (one == other)
    assert version != version_of(Language.PYTHON, one)
