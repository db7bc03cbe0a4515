"""What every test tier shares."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.fakes.clock import VirtualLoop

# How long an example takes says something of the machine, not of the code.
settings.register_profile("wsmgr", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# For `make check`: enough to see that a property is broken badly; `make test` looks for the rare cases.
settings.register_profile("quick", settings.get_profile("wsmgr"), max_examples=20)
settings.load_profile("wsmgr")

VIRTUAL = Path(__file__).parent / "control"


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests of `control`, and modules that say VIRTUAL_TIME, run in virtual time, all others in real time."""
    if item.path.is_relative_to(VIRTUAL) or getattr(getattr(item, "module", None), "VIRTUAL_TIME", False):
        return {"virtual": VirtualLoop}
    return {"real": asyncio.new_event_loop}
