"""A body of bounded size: of one that is too long its beginning and its end, where the line's values are.

>>> body = BoundedBody(limit=4)
>>> for chunk in (b"abc", b"defg"):
...     body.add(chunk)
>>> body.content()
b'abcde&fg'
"""

from __future__ import annotations

from typing import Final

__all__ = ["BoundedBody"]

END_BYTES: Final = 4096
"""How much is kept of the end of a body that is too long."""

READ: Final = 8
"""Up to this many times the limit is read: a client that is cut off does not read the response."""


class BoundedBody:
    """Collects a body.

    Args:
        limit: bytes; one more is kept, so that the content shows that the body is too long.

    Attributes:
        limit: see above.
        size: bytes so far.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._beginning = bytearray()
        self._end = b""

    def add(self, chunk: bytes) -> None:
        """Add the next bytes."""
        self.size += len(chunk)
        kept = self.limit + 1 - len(self._beginning)
        self._beginning += chunk[:kept]
        self._end = (self._end + chunk[kept:])[-END_BYTES:] if len(chunk) > kept else self._end

    @property
    def is_full(self) -> bool:
        """Whether the rest should not be read."""
        return self.size > READ * self.limit

    def content(self) -> bytes:
        """Return what is kept."""
        return bytes(self._beginning) + (b"&" + self._end if self._end else b"")
