"""Which addresses are on this machine, and which are remote.

>>> [is_remote(host) for host in ("127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "192.0.2.1")]
[False, False, False, True]
>>> is_remote_name("localhost"), is_remote_name("api.example.com")
(False, True)
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

__all__ = ["family_name", "is_checked_family", "is_remote", "is_remote_name", "remote_target"]

_LOCAL_FAMILIES = frozenset(
    getattr(socket, name) for name in ("AF_UNIX", "AF_NETLINK", "AF_ALG") if hasattr(socket, name)
)
"""Sockets between processes of this machine, or to its kernel."""

_LOCAL_NAMES = ("localhost", "ip6-localhost", "ip6-loopback", "localhost.localdomain")


def remote_target(sock: Any, address: object) -> tuple[str, int | None] | None:  # noqa: ANN401 - any socket
    """Return the remote host and port that a socket would reach; None if the target is on this machine.

    Args:
        sock: the socket.
        address: the argument of ``connect`` or ``sendto``; None if the socket is already connected.
    """
    if address is None or sock.family in _LOCAL_FAMILIES:
        return None
    if sock.family not in {socket.AF_INET, socket.AF_INET6} or not isinstance(address, tuple):
        return f"{address!r} ({family_name(sock.family)})", None
    host, port = _text(address[0]), address[1]
    return (host, port) if is_remote(host) else None


def family_name(family: int) -> str:
    """Return the name of a family of sockets, or its number.

    >>> family_name(socket.AF_INET), family_name(99)
    ('AF_INET', 'family 99')
    """
    try:
        return socket.AddressFamily(family).name
    except ValueError:
        return f"family {family}"


def is_checked_family(family: int) -> bool:
    """Return whether sockets of a family are local, or send only to addresses that are checked."""
    return family in _LOCAL_FAMILIES or family in {socket.AF_INET, socket.AF_INET6}


def is_remote(host: str) -> bool:
    """Return whether a packet for ``host``, an IP address or a name, would leave this machine."""
    address = _ip_address(host)
    if address is None:
        return is_remote_name(host)
    address = getattr(address, "ipv4_mapped", None) or address
    return not (address.is_loopback or address.is_unspecified)


def is_remote_name(host: object) -> bool:
    """Return whether looking up ``host`` could send a query; an IP address needs no lookup."""
    name = _text(host).rstrip(".").lower()
    if not name or _ip_address(name) is not None:
        return False
    return not (name in _LOCAL_NAMES or name.endswith(".localhost") or name == socket.gethostname().lower())


def _ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _text(host: object) -> str:
    if isinstance(host, bytes | bytearray):
        return host.decode("ascii", "replace")
    return "" if host is None else str(host)
