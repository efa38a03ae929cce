"""What holds the network of a run: the kernel, or the audit hook of Python only.

>>> str(Fence())
'network blocked by the kernel and in Python'
>>> Fence("it was asked for").describe(["uvloop"])
'network blocked in Python only (it was asked for): it does not see uvloop, which was imported'
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

__all__ = ["Fence", "imported_in_c"]

_IN_C: Final = (
    "_interpreters",
    "_xxinterpreters",
    "_xxsubinterpreters",
    "curl_cffi",
    "gevent",
    "grpc",
    "MySQLdb",
    "psycopg2",
    "psycopg_binary",
    "psycopg_c",
    "pycares",
    "pycurl",
    "pymssql",
    "pynng",
    "scapy",
    "uvloop",
    "winloop",
    "zmq",
)
"""Packages that open sockets, or look names up, without Python's ``socket`` or in another interpreter."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What holds the network.

    Attributes:
        weakness: why the kernel does not hold it; empty if it does.
    """

    weakness: str = ""

    @property
    def by_kernel(self) -> bool:
        """Whether the kernel holds it, for all code and all programs."""
        return not self.weakness

    def describe(self, imported: Collection[str] = ()) -> str:
        """Return a line for the end of a run.

        Args:
            imported: the packages, imported by a test, whose sockets Python does not see.
        """
        if self.by_kernel:
            return "network blocked by the kernel and in Python"
        unseen = f"{', '.join(sorted(imported))}, which was imported" if imported else "sockets opened in C"
        return f"network blocked in Python only ({self.weakness}): it does not see {unseen}"

    def __str__(self) -> str:
        return self.describe()


def imported_in_c() -> frozenset[str]:
    """Return the imported packages whose sockets Python does not see."""
    return frozenset(_IN_C) & sys.modules.keys()
