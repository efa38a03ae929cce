"""A strategy for the texts of a model."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

from hypothesis import strategies as st

from yemot_ai_testing.property.strategies.kinds import KindTable, of_kinds
from yemot_ai_testing.property.strategies.words import (
    EMOJI,
    INJECTIONS,
    INVISIBLE,
    LETTERS,
    MARKDOWN,
    NIQQUD_WORDS,
    ODD_TEXTS,
    SIGNS,
    SPEECH,
    STRUCTURE,
    WORDS,
    any_text,
    concatenated,
    sentences,
)

__all__ = ["LONG_TEXT_BYTES", "TEXT_KINDS", "TextKind", "model_texts"]

TextKind: TypeAlias = Literal[
    "plain",
    "protocol",
    "injection",
    "markdown",
    "addresses",
    "niqqud",
    "bidi",
    "emoji",
    "repeated",
    "raw",
    "blank",
    "long",
]
TEXT_KINDS: Final[tuple[TextKind, ...]] = get_args(TextKind)
LONG_TEXT_BYTES: Final = 50_000
"""The size of a ``long`` text in bytes of UTF-8, or slightly less."""

_around = st.just("") | sentences
_POINTS = st.characters(min_codepoint=0x05B0, max_codepoint=0x05BC)
_PIECES = st.sampled_from([*STRUCTURE, *INJECTIONS, *ODD_TEXTS, *EMOJI, *INVISIBLE, *NIQQUD_WORDS])
_NAMES = st.sampled_from(["a", "foo", "bank", "next", "www", "x2", "5", "a-b", "a_b", "שלום"])
_HOSTS = st.sampled_from(["www.example.com", "bank.co.il", "localhost:8000", "10.0.0.1", "user@mail.example"])
_SCHEMES = st.sampled_from(["https://", "HTTP://", "", "foo://", "git+ssh://"])
_ENDS = st.sampled_from(["", "", "/", ".", "?", "!", ","])
_BETWEEN = st.sampled_from(["/", "?", "?next=", "&u=", "#", ":", "=", "%2F"])


def _address(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return a strategy for addresses whose path, query and fragment may be addresses themselves."""
    parts = st.lists(st.tuples(_BETWEEN, _NAMES | inner).map("".join), max_size=4).map("".join)
    return st.tuples(_SCHEMES, _HOSTS | _NAMES, parts, _ENDS).map("".join)


def _fill(piece: str, size: int) -> str:
    return piece * max(1, size // len(piece.encode("utf-8", "surrogatepass")))


def _repeated(piece: str, times: int, end: str) -> str:
    return piece * times + end


_pointed = st.tuples(st.sampled_from(LETTERS), st.text(_POINTS, min_size=1, max_size=2)).map("".join)
_addresses = _address(st.recursive(_HOSTS, _address, max_leaves=3))
_SIZES = st.sampled_from([1, 1_000, 10_000, *[LONG_TEXT_BYTES] * 7])  # small sizes for shrinking
_KINDS: Final[KindTable[TextKind, str]] = {
    "plain": SPEECH,
    "protocol": [st.sampled_from(STRUCTURE), concatenated(st.sampled_from(STRUCTURE), sentences, _PIECES)],
    "injection": [st.tuples(_around, st.sampled_from(INJECTIONS), _around).map(" ".join)],
    "markdown": [
        concatenated(st.sampled_from(MARKDOWN), sentences),
        st.lists(st.sampled_from(WORDS) | st.sampled_from(SIGNS), max_size=30).map("".join),
    ],
    "addresses": [st.lists(_addresses | st.sampled_from(WORDS), max_size=6).map(" ".join)],
    "niqqud": [concatenated(st.sampled_from(NIQQUD_WORDS), _pointed, st.just(" "))],
    "bidi": [
        st.tuples(
            sentences, st.sampled_from(INVISIBLE), concatenated(st.sampled_from(INVISIBLE), sentences)
        ).map("".join)
    ],
    "emoji": [concatenated(st.sampled_from(EMOJI), sentences)],
    "repeated": [st.builds(_repeated, _PIECES, st.integers(1, 400), st.text(max_size=8))],
    "raw": [any_text, concatenated(st.sampled_from(ODD_TEXTS), any_text)],
    "blank": [st.sampled_from(["", " ", "\n", "\u200f", "\xa0", "..."])],
    "long": [st.builds(_fill, _PIECES, _SIZES)],
}


def model_texts(*kinds: TextKind) -> st.SearchStrategy[str]:
    """Return a strategy for the texts of a model.

    ``plain`` Hebrew sentences; ``protocol``: the special characters of responses (``& = . , - " '``) and
    whole actions; prompt ``injection`` that asks for such actions; ``markdown``; web and mail ``addresses``;
    ``niqqud``; ``bidi`` marks and other invisible characters; ``emoji``; one piece ``repeated`` many times;
    ``raw``: any characters, with lone surrogates and NUL; ``blank``; ``long``: 50 kB, sometimes less.

    Args:
        kinds: the kinds to draw from; all if none is named.

    >>> from hypothesis import find
    >>> find(model_texts(), lambda text: True), find(model_texts("markdown"), lambda text: "**" in text)
    ('שלום', '**')
    """
    return of_kinds("model_texts", _KINDS, kinds)
