"""The validators: the fake one, and the one that parses in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.fakes.validator import FakeValidator
from wsmgr.adapters.validator.checker import Bounds, CodeValidator
from wsmgr.core.policy import Sighting
from wsmgr.ports.validator import Validator


@dataclass(frozen=True)
class Rig:
    """`expect` tells the fake what the real one finds by itself: where a text is, and the rule."""

    validator: Validator
    fake: FakeValidator | None

    def expect(self, text: str, line: int, column: int, rule: str) -> None:
        """In any file that has the text."""
        if self.fake is not None:
            self.fake.sees[text] = Sighting("", line, column, rule, "")


@pytest.fixture(params=["fake", "code"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    """One of each kind, with bounds that no slow machine meets."""
    if request.param == "fake":
        fake = FakeValidator()
        yield Rig(fake, fake)
        return
    real = CodeValidator(Bounds(file_s=60.0, vendored_s=60.0))
    yield Rig(real, None)
    await real.close()
