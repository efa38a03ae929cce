"""What the line sends: pairs of names and values, in order, repeated ones included [OFF].

After each read the line adds the value to everything sent before, and sends it all again; a name
asked twice is sent twice, and the last one is the newest.

>>> request = Request.parse("/ivr?secret=x?ApiCallId=c1&ApiExtension=/1&choice=1&choice=4")
>>> request.call_id, request.extension, request.newest("choice")
('c1', '1', '4')
>>> request.values
(('secret', 'x'), ('choice', '1'), ('choice', '4'))
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self, TypeAlias
from urllib.parse import unquote_plus

__all__ = ["Params", "Request", "normalize_speech"]

Params: TypeAlias = "Mapping[str, str | Sequence[str]] | Iterable[tuple[str, str]] | str"
"""What a request may be made of."""

_GLUED: Final = re.compile(r"\?(?=Api[A-Za-z]+=)")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_URL_OR_PATH: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:/)?/[^?]*\??|[^?=&]*\?")
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\u061c\ufeff]")
_SECONDS: Final = re.compile("[0-9]{1,15}")
_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the line.

    Attributes:
        pairs: all names and values, as sent.
        values: those that are not the line's own: constants and what was collected.
        latest: the newest value of each name.
    """

    pairs: tuple[tuple[str, str], ...]
    values: tuple[tuple[str, str], ...] = field(init=False, repr=False, compare=False)
    latest: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        own = tuple([pair for pair in self.pairs if pair[0][:3] != "Api" and pair[0] != "hangup"])
        object.__setattr__(self, "values", own)
        object.__setattr__(self, "latest", dict(self.pairs))

    @classmethod
    def parse(cls, params: Params) -> Self:
        """Understand a request; whatever is given, this does not raise.

        A link that carries a query of its own gets a second ``?`` from the line ([LIVE]):
        ``secret=x?ApiCallId=…``. The two are taken apart, also when a framework has split them.

        Args:
            params: a mapping (values may be lists; a framework's multi-dict keeps its duplicates),
                pairs, or a raw query string, alone or with the path or URL before it. Only the raw
                string is percent-decoded.
        """
        if isinstance(params, bytes | bytearray):
            params = bytes(params).decode("utf-8", "replace")
        if isinstance(params, str):
            pairs = [(_decoded(name), _decoded(value)) for name, value in _split_glued_query(_split(params))]
        else:
            pairs = _split_glued_query([_clean_pair(name, value) for name, value in _iter_pairs(params)])
        return cls(tuple(pairs))

    @property
    def call_id(self) -> str:
        """``ApiCallId``: the same for the whole call; empty if the line is set not to send it."""
        return self.latest.get("ApiCallId", "")

    @property
    def phone(self) -> str:
        """``ApiPhone``: the caller's number; empty if withheld."""
        return self.latest.get("ApiPhone", "")

    @property
    def did(self) -> str:
        """``ApiDID``: the system's main number."""
        return self.latest.get("ApiDID", "")

    @property
    def real_did(self) -> str:
        """``ApiRealDID``: the number that was dialled."""
        return self.latest.get("ApiRealDID", "")

    @property
    def extension(self) -> str:
        """``ApiExtension`` without slashes around it; empty for the root."""
        return self.latest.get("ApiExtension", "").strip("/")

    @property
    def time(self) -> int | None:
        """``ApiTime`` in seconds since 1970, or None if it is missing or no number."""
        seconds = self.latest.get("ApiTime", "")
        return int(seconds) if _SECONDS.fullmatch(seconds) else None

    @property
    def hangup(self) -> bool:
        """Whether the caller has hung up, from wherever in the system."""
        return self.latest.get("hangup") == "yes"

    @property
    def hangup_extension(self) -> str:
        """``ApiHangupExtension`` without slashes around it: where the caller hung up."""
        return self.latest.get("ApiHangupExtension", "").strip("/")

    def newest(self, name: str) -> str | None:
        """The newest value of ``name`` as sent, or None if there is none; silence is an empty text."""
        return self.latest.get(name)


def normalize_speech(value: str) -> str:
    """A recognised text without what nobody said, such as bidi marks and no-break spaces [LIVE].

    >>> heard(chr(0x200F) + "שלום" + chr(0xA0) + " עולם ")
    'שלום עולם'
    """
    said = " ".join(unicodedata.normalize("NFC", _INVISIBLE.sub("", value)).split())
    return value if said == value else said  # one text, not two that are equal: a call keeps both


def _iter_pairs(params: object) -> Iterator[tuple[object, object]]:
    """Pairs of anything; the duplicates of a framework's multi-dict are behind methods of its own."""
    several = getattr(params, "multi_items", None)
    lists = getattr(params, "lists", None)
    if callable(several):
        params = several()
    elif callable(lists):
        params = lists()
    elif isinstance(params, Mapping):
        params = params.items()
    if not isinstance(params, Iterable):
        return
    for pair in params:
        if not isinstance(pair, tuple | list) or len(pair) != _PAIR:
            continue
        name, value = pair
        if isinstance(value, list | tuple):
            yield from ((name, one) for one in value)
        else:
            yield name, value


def _clean_pair(name: object, value: object) -> tuple[str, str]:
    if type(name) is str and type(value) is str and name.isascii() and value.isascii():
        return name, value
    return _text(name), _text(value)


def _text(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        value = bytes(value).decode("utf-8", "replace")
    elif isinstance(value, int | float):
        value = _number(value)
    return _SURROGATES.sub("\ufffd", value) if isinstance(value, str) else ""


def _number(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # an integer of more digits than Python agrees to print
        return ""


def _split(query: str) -> list[tuple[str, str]]:
    """A raw query's pairs, still encoded; a path or URL before it is dropped."""
    address = _URL_OR_PATH.match(query)
    pieces = query[address.end() :] if address else query
    pairs = [piece.partition("=") for piece in pieces.split("&") if piece]
    return [(name, value) for name, _, value in pairs]


def _decoded(text: str) -> str:
    return _SURROGATES.sub("\ufffd", unquote_plus(text, errors="replace"))


def _split_glued_query(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Take a glued value such as ``x?ApiCallId=c1`` apart.

    Only before the line's own names have begun: what a caller says later stays what was said.
    """
    for index, (name, value) in enumerate(pairs):
        if name[:3] == "Api":
            break
        glue = "?Api" in value and _GLUED.search(value)
        if glue:
            first, _, rest = value[glue.end() :].partition("=")
            return [*pairs[:index], (name, value[: glue.start()]), (first, rest), *pairs[index + 1 :]]
    return pairs
