"""The sockets that the server listens on, and what to do if there are none."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from typing import Final

from yemot_ai.errors import ConfigurationError

__all__ = ["listen", "open_sockets", "port_of", "url_of"]

PRIVILEGED: Final = 1024
"""Ports below it need rights on most systems."""

_ABSENT: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Return a socket, bound and not yet listening, for each address of ``host``.

    Args:
        host: a name or an address of this machine; "" for all addresses.
        port: the port; 0 for a free one, the same for all addresses.

    Raises:
        ConfigurationError: there is none; the message says what to change.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise ConfigurationError(
            f"--host {host}: there is no such host: use 127.0.0.1 for this machine only, or 0.0.0.0"
        ) from error
    sockets: list[socket.socket] = []
    errors: list[OSError] = []
    for family, address in dict.fromkeys((family, address) for family, *_, address in found):
        try:
            sockets.append(_bind(family, (address[0], port_of(sockets) or port, *address[2:])))
        except OSError as error:
            errors.append(error)
    # Of a name with several addresses, this machine may have only some.
    decisive = [error for error in errors if error.errno not in _ABSENT] or errors[: not sockets]
    if decisive:
        for opened in sockets:
            opened.close()
        raise ConfigurationError(_explain(decisive[0], host, port)) from decisive[0]
    return sockets


def listen(sockets: Sequence[socket.socket]) -> None:
    """Let sockets take connections.

    Raises:
        ConfigurationError: another program has begun to listen on the port since it was bound.
    """
    for opened in sockets:
        try:
            opened.listen(socket.SOMAXCONN)
        except OSError as error:
            host, port = opened.getsockname()[:2]
            raise ConfigurationError(_explain(error, host, port)) from error


def _bind(family: int, address: tuple[object, ...]) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
    except OSError:
        opened.close()
        raise
    opened.set_inheritable(True)
    return opened


def _explain(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"port {port} of {host or 'this machine'} is in use by another program: end it "
                f"(ss -ltnp 'sport = :{port}' shows it), or take another port: --port {port + 1}"
            )
        case errno.EADDRNOTAVAIL:
            return (
                f"--host {host}: this machine has no such address: use 127.0.0.1 for this machine only, or "
                "0.0.0.0 for all its addresses"
            )
        case errno.EACCES if port < PRIVILEGED:
            return (
                f"--port {port}: ports below {PRIVILEGED} need the rights of root: take another one, such as "
                "--port 8000, behind a proxy that has this port"
            )
    return f"the server cannot listen on {host}:{port}: {error.strerror or error}"


def port_of(sockets: Sequence[socket.socket]) -> int:
    """Return the port of the first socket; 0 without one."""
    return int(sockets[0].getsockname()[1]) if sockets else 0


def url_of(sockets: Sequence[socket.socket]) -> str:
    """Return the address of the first socket as a URL."""
    host = sockets[0].getsockname()[0]
    return f"http://{f'[{host}]' if ':' in host else host}:{port_of(sockets)}"
