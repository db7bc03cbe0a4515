"""A Markdown page of this repository, as the tests read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """`name` is relative to the root of the repository."""

    name: str

    @property
    def text(self) -> str:
        """The whole page."""
        return (ROOT / self.name).read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """The page without its blocks of code."""
        return _FENCE.sub("", self.text)

    def section(self, title: str) -> str:
        """What stands below a heading, up to the next one of the same or a higher level."""
        heading = re.search(rf"^(#+) {re.escape(title)}$", self.prose, re.MULTILINE)
        assert heading, f"{self.name} has no section {title!r}"
        below = self.prose[heading.end() :]
        following = re.search(rf"^#{{1,{len(heading[1])}}} ", below, re.MULTILINE)
        return below[: following.start()] if following else below

    def rows(self, title: str) -> Iterator[list[str]]:
        """The cells of the tables of a section, row by row, without the lines under their heads."""
        for line in self.section(title).splitlines():
            if line.startswith("|") and not set(line) <= set("|- "):
                yield [cell.strip() for cell in line.strip("|").split("|")]

    def anchors(self) -> set[str]:
        """The names by which its headings can be linked to."""
        headings = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    def links(self) -> set[str]:
        """The targets of its links."""
        return set(re.findall(r"\]\(([^)\s]+)\)", self.prose))


README = Page("README.md")
ARCHITECTURE = Page("ARCHITECTURE.md")
CHANGELOG = Page("CHANGELOG.md")
