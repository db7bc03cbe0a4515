"""Which addresses of the Internet belong to everybody, and which to somebody's own network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_TRANSLATED = IPv6Network("64:ff9b::/96")


def is_public(text: str) -> bool:
    """Whether an address is one of the public Internet. Loopback, private, link-local (where clouds keep their
    metadata), shared, reserved, multicast and unspecified ones are not, however they are wrapped in IPv6; nor is what
    is no address."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    wrapped = _inside(address)
    return all(map(_is_public, wrapped)) if wrapped else _is_public(address)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _inside(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that an IPv6 address may be turned into on its way."""
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _TRANSLATED:
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [each for each in found if each is not None]
