"""A request of the line before it is parsed: its query and its body.

What has to be known before the cost of parsing is looked for in the bytes, in linear time.

>>> form = Form(b"secret=x&ApiCallId=c1", b"ai_1=%D7%9B%D7%9F&hangup=yes")
>>> form.named("secret"), form.is_hangup
([('secret', 'x')], True)
>>> form.pairs()
[('secret', 'x'), ('ApiCallId', 'c1'), ('ai_1', 'כן'), ('hangup', 'yes')]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final
from urllib.parse import parse_qsl, quote, quote_plus

__all__ = ["Form", "Pairs"]

Pairs = list[tuple[str, str]]

HEAD_FIELDS: Final = 64
"""How many fields at each end of a query and of a body may hold the line's own values."""

HEAD_FIELD_BYTES: Final = 1024
"""A longer field is none of the line's own."""

MAX_CANDIDATES: Final = 8
"""How many values may be tried as the secret: a request must not try thousands."""

_HANGUP: Final = re.compile(rb"(?:^|[?&])hangup=yes(?:&|$)")


@dataclass(frozen=True, slots=True)
class Form:
    """The query and the body of one request.

    Attributes:
        query: the query, as sent.
        body: the body, as sent; of one that is too long, its beginning.
    """

    query: bytes
    body: bytes

    @property
    def size(self) -> int:
        """Bytes of both."""
        return len(self.query) + len(self.body)

    def pairs(self) -> Pairs:
        """Return all pairs; a blank value is silence, and is kept."""
        return [pair for part in (self.query, self.body) for pair in _parse(part)]

    def head(self) -> Pairs:
        """Return the pairs among which are the line's own: the first and the last ones."""
        return [pair for part in (self.query, self.body) for pair in _parse(b"&".join(_ends(part)))]

    def named(self, name: str) -> Pairs:
        """Return the first pairs with ``name``, as the line encodes it."""
        spellings = {name.encode(), quote(name).encode(), quote_plus(name).encode()}
        field = re.compile(rb"(?:^|[?&])((?:%s)=[^&]*)" % b"|".join(map(re.escape, spellings)))
        found = (match[1] for part in (self.query, self.body) for match in field.finditer(part))
        short = (match for match in found if len(match) <= HEAD_FIELD_BYTES)
        return _parse(b"&".join(islice(short, MAX_CANDIDATES)))

    @property
    def is_hangup(self) -> bool:
        """Whether the line reports a hang-up."""
        return any(_HANGUP.search(part) for part in (self.query, self.body))


def _parse(part: bytes) -> Pairs:
    text = part.decode("utf-8", "replace")
    return parse_qsl(text, keep_blank_values=True, errors="replace", separator="&")


def _ends(part: bytes) -> Iterator[bytes]:
    first = part.split(b"&", HEAD_FIELDS)
    last = first[HEAD_FIELDS].rsplit(b"&", HEAD_FIELDS) if len(first) > HEAD_FIELDS else []
    return _short([*first[:HEAD_FIELDS], *(last[1:] if len(last) > HEAD_FIELDS else last)])


def _short(fields: Iterable[bytes]) -> Iterator[bytes]:
    return (field for field in fields if len(field) <= HEAD_FIELD_BYTES)
