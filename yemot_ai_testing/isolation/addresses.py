"""Which addresses stay on this machine.

>>> leaves("127.0.0.1"), leaves("::ffff:127.0.0.1"), leaves("0.0.0.0"), leaves("192.0.2.1")
(False, False, False, True)
>>> is_foreign_name("localhost"), is_foreign_name("api.example.com")
(False, True)
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

__all__ = ["is_remote", "is_remote_name", "remote_target"]

_LOCAL_FAMILIES = frozenset(
    getattr(socket, name) for name in ("AF_UNIX", "AF_NETLINK", "AF_ALG") if hasattr(socket, name)
)
"""Between processes of this machine, or to its own kernel."""

_LOCAL_NAMES = ("localhost", "ip6-localhost", "ip6-loopback", "localhost.localdomain")


def remote_target(sock: Any, address: object) -> tuple[str, int | None] | None:  # noqa: ANN401 - any socket
    """Return host and port that a socket is about to reach, or None if it stays on this machine.

    Args:
        sock: the socket.
        address: as it was given to ``connect`` or ``sendto``; None where the socket is connected already.
    """
    if address is None or sock.family in _LOCAL_FAMILIES:
        return None
    if sock.family not in {socket.AF_INET, socket.AF_INET6} or not isinstance(address, tuple):
        return f"{address!r} ({socket.AddressFamily(sock.family).name})", None
    host, port = _text(address[0]), address[1]
    return (host, port) if is_remote(host) else None


def is_remote(host: str) -> bool:
    """Tell whether a packet for ``host``, a number or a name, would leave this machine."""
    number = _ip_address(host)
    if number is None:
        return is_remote_name(host)
    mapped = getattr(number, "ipv4_mapped", None)
    number = mapped or number
    return not (number.is_loopback or number.is_unspecified)


def is_remote_name(host: object) -> bool:
    """Tell whether looking up ``host`` could ask somebody else; numbers ask nobody."""
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
