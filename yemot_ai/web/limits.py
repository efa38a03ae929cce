"""The bounds of one request: what is more is refused before it is parsed.

>>> RequestLimits().find_excess(b"ApiCallId=c1", b"ai_1=" + b"x" * 100)
>>> RequestLimits(fields=2).find_excess(b"ApiCallId=c1", b"a=1&b=2")
'it has 3 fields, more than 2'
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Final

from yemot_ai.validation import check_number

__all__ = ["RequestLimits"]

ENCODED: Final = 3
"""A byte takes at most this many bytes in a form: ``%D7``."""

UTF8: Final = 4
"""A character takes at most this many bytes."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How much one request may be, and how much is kept of calls that no model has answered.

    The line sends every collected value again with each request, so these bound the length of a call. The
    defaults are far above an honest call: 100 turns of a minute of Hebrew each, with 20 polls a turn.

    Args:
        fields: names and values in one request.
        name_bytes: UTF-8 bytes of one name.
        value_bytes: UTF-8 bytes of one value.
        call_bytes: UTF-8 bytes of all names and values of a call, which are stored.
        query_bytes: bytes of the query, as sent.
        body_bytes: bytes of the body, as sent.
        body_seconds: seconds until the whole body has to be there (ASGI; a WSGI server has its own).
        unanswered_calls: calls without a turn that one process keeps; beyond them it drops the oldest, which
            start again with their next request.
        unanswered_bytes: approximate bytes of memory that these calls may take together.

    Raises:
        ConfigurationError: a bound is not a positive number.
    """

    fields: int = 5_000
    name_bytes: int = 256
    value_bytes: int = 16 * 1024
    call_bytes: int = 512 * 1024
    query_bytes: int = 64 * 1024
    body_bytes: int = 1024 * 1024
    body_seconds: float = 10.0
    unanswered_calls: int = 10_000
    unanswered_bytes: int = 32 * 1024 * 1024

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check_number(f"RequestLimits.{field.name}", getattr(self, field.name))

    def find_excess(self, query: bytes, body: bytes) -> str | None:
        """Return what is too large in a request that is not parsed, for the log; None if nothing is."""
        if len(query) > self.query_bytes:
            return f"its query has more than {self.query_bytes} bytes"
        if len(body) > self.body_bytes:
            return f"its body has more than {self.body_bytes} bytes"
        count = sum(part.count(b"&") + 1 for part in (query, body) if part)
        if count > self.fields:
            return f"it has {count} fields, more than {self.fields}"
        longest = max(len(field) for part in (query, body) for field in part.split(b"&"))
        if longest > ENCODED * (self.name_bytes + self.value_bytes) + 1:
            return f"a field has {longest} bytes"
        return None

    def find_excess_in(self, pairs: Iterable[tuple[str, str]]) -> str | None:
        """Return what is too large in a parsed request, for the log; None if nothing is."""
        pairs = tuple(pairs)
        if self._has_short_texts_only(pairs):
            return None
        if len(pairs) > self.fields:
            return f"it has {len(pairs)} fields, more than {self.fields}"
        names, values = ([_utf8_bytes(pair[part]) for pair in pairs] for part in (0, 1))
        if max(names, default=0) > self.name_bytes:
            return f"a name has {max(names)} bytes, more than {self.name_bytes}"
        if max(values, default=0) > self.value_bytes:
            return f"a value has {max(values)} bytes, more than {self.value_bytes}"
        total = sum(names) + sum(values)
        return (
            f"its values have {total} bytes, more than {self.call_bytes}" if total > self.call_bytes else None
        )

    def _has_short_texts_only(self, pairs: tuple[tuple[str, str], ...]) -> bool:
        """Return whether the limits are kept even if each text is as long as the longest; true of most."""
        count = len(pairs)
        longest = UTF8 * max(map(len, chain.from_iterable(pairs)), default=0)
        return (
            count <= self.fields
            and longest <= min(self.name_bytes, self.value_bytes)
            and 2 * count * longest <= self.call_bytes
        )


def _utf8_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
