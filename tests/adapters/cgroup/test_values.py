"""The formats of the kernel's files."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsmgr.adapters.cgroup.values import cores, number, quota, table


@pytest.mark.parametrize(
    ("text", "value"),
    [("67108864\n", 67108864), ("0\n", 0), ("max\n", None), ("", None), (None, None), ("-1", None), ("1 2", None)],
)
def test_numbers(text: str | None, value: int | None) -> None:
    """`max` is no limit."""
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("25000 100000\n", 0.25),
        ("150000 100000\n", 1.5),
        ("25000 50000\n", 0.5),
        ("max 100000\n", None),
        ("25000 0\n", None),
        ("25000", None),
        (None, None),
    ],
)
def test_cores(text: str | None, value: float | None) -> None:
    """Any period."""
    assert cores(text) == value


@given(st.integers(min_value=1, max_value=512 * 100))
def test_what_is_written_is_what_is_read(hundredths: int) -> None:
    """From a hundredth of a core on, which is the least that the kernel takes."""
    assert cores(quota(hundredths / 100)) == hundredths / 100


@pytest.mark.parametrize("cpus", [math.inf, math.nan])
def test_what_is_no_number_of_cores(cpus: float) -> None:
    """Refused before the kernel is asked."""
    with pytest.raises(ValueError, match="no number of cores"):
        quota(cpus)


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    """What is not understood is no limit and no count."""
    for value in (number(text), cores(text), *table(text).values()):
        assert value is None or value >= 0


def test_tables() -> None:
    """Lines that are not understood are left out."""
    assert table("populated 1\nfrozen 0\n") == {"populated": 1, "frozen": 0}
    assert table("oom_kill 3\nsome avg10=0.00\n\nnonsense") == {"oom_kill": 3}
    assert table(None) == {}
