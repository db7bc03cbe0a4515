"""Which addresses are public."""

from __future__ import annotations

import pytest

from wsmgr.core.address import is_public

PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8"]
PRIVATE = [
    *("127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fe80::1%eth0"),
    *("fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b::a9fe:a9fe", "2002:7f00:1::1", "2002:a00:1::", "::127.0.0.1", "2001:db8::1", "localhost", "", "8.8.8"),
    *("0x7f.1", "2130706433", "017700000001"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public(address: str) -> None:
    """Plain and wrapped."""
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not(address: str) -> None:
    """Nobody's, somebody's own, everybody's at once, wrapped, or no address."""
    assert not is_public(address)
