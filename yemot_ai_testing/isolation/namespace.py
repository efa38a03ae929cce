"""A network namespace for this process and its later children: a network that has a loopback only.

The kernel of Linux holds it for every system call, of any library and of any program. Without root it needs
a user namespace, which a container or a setting of the machine may forbid. A process cannot leave it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["enter_namespace", "has_loopback_only", "listening_ports", "namespace_obstacle"]

_CLONE_NEWUSER: Final = 0x1000_0000
_CLONE_NEWNET: Final = 0x4000_0000
_SIOCGIFFLAGS: Final = 0x8913
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP: Final = 0x1
_IFF_LOOPBACK: Final = 0x8
_CAPABILITY_VERSION: Final = 0x2008_0522
_LISTENING: Final = "0A"
"""The state in ``/proc/net/tcp``."""


def has_loopback_only() -> bool:
    """Return whether nothing can leave this process's network: every interface that is up is a loopback."""
    if sys.platform != "linux":
        return False
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        flags = [_interface_flags(probe, name) for _, name in socket.if_nameindex()]
    return not any(one & _IFF_UP and not one & _IFF_LOOPBACK for one in flags)


def namespace_obstacle() -> str:
    """Return why this process cannot enter a network namespace; empty if it can. Nothing is changed."""
    if sys.platform != "linux":
        return f"{sys.platform} has no network namespaces"
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads > 1:
        return f"the process has {threads} threads already"
    # A namespace that is only half set up cannot be left, so another process tries it first.
    child = os.fork()
    if child == 0:  # pragma: no cover - in the child
        _exit_with_result()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return (
        f"the kernel refuses a network namespace: {os.strerror(code) if code > 0 else code}" if code else ""
    )


def enter_namespace() -> None:
    """Enter a new network namespace and bring its loopback up.

    Root enters it directly. Anyone else, and root in a container, enters a user namespace first, in which
    this user keeps its id, its group and its capabilities.

    Raises:
        OSError: the kernel refuses it.
    """
    capabilities = _get_capabilities()
    with contextlib.suppress(PermissionError):
        _call("unshare", _CLONE_NEWNET)
        _bring_up_loopback()
        return
    user, group = os.geteuid(), os.getegid()
    _call("unshare", _CLONE_NEWUSER | _CLONE_NEWNET)
    # The kernel asks for this before an unprivileged process may map its group.
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path("/proc/self", name).write_text(text, encoding="ascii")
    _bring_up_loopback()
    # A new user namespace gives all of them, with which a test could read files that are closed to its user.
    _set_capabilities(capabilities)


def listening_ports() -> frozenset[int]:
    """Return the TCP ports at which a process of this network listens."""
    return frozenset(_listening_ports())


def _listening_ports() -> Iterator[int]:
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError):  # a machine without IPv6
            for line in Path("/proc/self/net", name).read_text(encoding="ascii").splitlines()[1:]:
                _, address, _, state, *_ = line.split()
                if state == _LISTENING:
                    yield int(address.rpartition(":")[2], 16)


def _exit_with_result() -> None:  # pragma: no cover - in a child
    code = 0
    try:
        enter_namespace()
    except OSError as error:
        code = error.errno or 1
    finally:
        os._exit(code)


def _bring_up_loopback() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as any_socket:
        flags = _interface_flags(any_socket, "lo") | _IFF_UP
        _ioctl(any_socket, _SIOCSIFFLAGS, "lo", flags)


def _interface_flags(any_socket: socket.socket, name: str) -> int:
    return _ioctl(any_socket, _SIOCGIFFLAGS, name, 0)


def _ioctl(any_socket: socket.socket, request: int, name: str, flags: int) -> int:
    """Get or set the flags of an interface (``struct ifreq``)."""
    import fcntl  # noqa: PLC0415 - Windows has none

    answer = fcntl.ioctl(any_socket, request, struct.pack("16sH22x", name.encode(), flags))
    return int(struct.unpack_from("16xH", answer)[0])


def _get_capabilities() -> ctypes.Array[ctypes.c_uint32]:
    data = (ctypes.c_uint32 * 6)()
    _call("capget", _capability_header(), data)
    return data


def _set_capabilities(data: ctypes.Array[ctypes.c_uint32]) -> None:
    _call("capset", _capability_header(), data)


def _capability_header() -> ctypes.Array[ctypes.c_uint32]:
    return (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)


def _call(function: str, *arguments: int | ctypes.Array[ctypes.c_uint32]) -> None:
    """Call a function of libc that Python does not have before 3.12.

    Raises:
        OSError: it fails.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, function)(*arguments):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), function)
