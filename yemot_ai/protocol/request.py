"""Requests of the line: names and values in order, including repeated names [OFF].

After each read the line appends the value to all earlier ones and sends them all again; a name that is
used twice is sent twice, and its last value is the newest.

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

__all__ = ["KEYS_PREFIX", "Params", "Request", "normalize_speech", "pressed_keys"]

Params: TypeAlias = "Mapping[str, str | Sequence[str]] | Iterable[tuple[str, str]] | str"
"""What ``Request.parse`` accepts."""

KEYS_PREFIX: Final = "Digits-"
"""Before the keys in a value, if the caller pressed them instead of speaking [OFF]."""

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
        key: what identifies the call instead of the line's ids; "" for these.
        values: those without the line's own parameters: constants and collected values.
        latest: the newest value of each name.
    """

    pairs: tuple[tuple[str, str], ...]
    key: str = ""
    values: tuple[tuple[str, str], ...] = field(init=False, repr=False, compare=False)
    latest: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        own = tuple([pair for pair in self.pairs if pair[0][:3] != "Api" and pair[0] != "hangup"])
        object.__setattr__(self, "values", own)
        object.__setattr__(self, "latest", dict(self.pairs))

    @classmethod
    def parse(cls, params: Params) -> Self:
        """Parse a request; never raises.

        The line appends ``?`` and its parameters to a link even if the link has a query ([LIVE]):
        ``secret=x?ApiCallId=…``. The two parts are separated, also after a framework has split the
        query.

        Args:
            params: a mapping (values may be lists; the duplicates of a framework's multi-dict are
                kept), pairs, or a raw query string, alone or after a path or URL. Only the raw string
                is percent-decoded.
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
        """``ApiCallId``: the same for the whole call; empty if the line is configured not to send it."""
        return self.latest.get("ApiCallId", "")

    @property
    def yf_call_id(self) -> str:
        """``ApiYFCallId``: the same for the whole call [LIB], also where ``ApiCallId`` changes [LIVE]."""
        return self.latest.get("ApiYFCallId", "")

    @property
    def call_key(self) -> str:
        """What identifies the call: ``key``, else ``ApiCallId``, else ``ApiYFCallId``; empty without all."""
        return self.key or self.latest.get("ApiCallId") or self.latest.get("ApiYFCallId", "")

    @property
    def line_ids(self) -> tuple[str, ...]:
        """The line's own ids of a call that is identified by ``key``; empty without a key."""
        return tuple(filter(None, (self.call_id, self.yf_call_id))) if self.key else ()

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
        """``ApiTime`` in seconds since 1970, or None if it is missing or not a number."""
        seconds = self.latest.get("ApiTime", "")
        return int(seconds) if _SECONDS.fullmatch(seconds) else None

    @property
    def hangup(self) -> bool:
        """Whether the caller has hung up, in any extension."""
        return self.latest.get("hangup") == "yes"

    @property
    def hangup_extension(self) -> str:
        """``ApiHangupExtension`` without slashes around it: where the caller hung up."""
        return self.latest.get("ApiHangupExtension", "").strip("/")

    def newest(self, name: str) -> str | None:
        """Return the newest value of ``name`` as sent, or None; silence is an empty text."""
        return self.latest.get(name)


def normalize_speech(value: str) -> str:
    """Return a recognized text without bidi marks, no-break spaces and the like [LIVE].

    >>> normalize_speech(chr(0x200F) + "שלום" + chr(0xA0) + " עולם ")
    'שלום עולם'
    """
    text = " ".join(unicodedata.normalize("NFC", _INVISIBLE.sub("", value)).split())
    return value if text == value else text  # the same object if equal: a call stores both


def pressed_keys(value: str) -> str | None:
    """Return the keys that a caller pressed instead of speaking, or None for speech [OFF].

    >>> pressed_keys("Digits-12"), pressed_keys("שלום")
    ('12', None)
    """
    return value.removeprefix(KEYS_PREFIX) if value.startswith(KEYS_PREFIX) else None


def _iter_pairs(params: object) -> Iterator[tuple[object, object]]:
    """Yield the pairs of any object; multi-dicts of frameworks have methods for their duplicates."""
    multi_items = getattr(params, "multi_items", None)
    lists = getattr(params, "lists", None)
    if callable(multi_items):
        params = multi_items()
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
            yield from ((name, item) for item in value)
        else:
            yield name, value


def _clean_pair(name: object, value: object) -> tuple[str, str]:
    if type(name) is str and type(value) is str and name.isprintable() and value.isprintable():
        return name, value  # surrogates are not printable
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
    except ValueError:  # an integer with more digits than Python converts
        return ""


def _split(query: str) -> list[tuple[str, str]]:
    """Return the pairs of a raw query, still encoded, without a path or URL before it."""
    url = _URL_OR_PATH.match(query)
    parameters = query[url.end() :] if url else query
    pairs = [parameter.partition("=") for parameter in parameters.split("&") if parameter]
    return [(name, value) for name, _, value in pairs]


def _decoded(text: str) -> str:
    return _SURROGATES.sub("\ufffd", unquote_plus(text, errors="replace"))


def _split_glued_query(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Split a value such as ``x?ApiCallId=c1``.

    Only before the first of the line's own names: what a caller says comes later and is unchanged.
    """
    for index, (name, value) in enumerate(pairs):
        if name[:3] == "Api":
            break
        mark = "?Api" in value and _GLUED.search(value)
        if mark:
            first, _, rest = value[mark.end() :].partition("=")
            return [*pairs[:index], (name, value[: mark.start()]), (first, rest), *pairs[index + 1 :]]
    return pairs
