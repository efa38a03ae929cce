"""A strategy for the values of requests."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from hypothesis import strategies as st

from yemot_ai_testing.property.strategies.kinds import KindTable, of_kinds
from yemot_ai_testing.property.strategies.texts import TEXT_KINDS, model_texts
from yemot_ai_testing.property.strategies.words import INVISIBLE, SPEECH, sentences

__all__ = ["ValueKind", "digits", "values"]

ValueKind: TypeAlias = Literal[
    "speech", "keys", "digits", "empty", "none", "recording", "formatted", "padded", "hostile"
]


def digits(min_size: int = 1, max_size: int = 8) -> st.SearchStrategy[str]:
    """Return a strategy for texts of digits."""
    return st.text("0123456789", min_size=min_size, max_size=max_size)


def _numbered(pattern: str) -> st.SearchStrategy[str]:
    return st.integers(0, 999).map(pattern.format)


_clocks = st.times().map("{:%H-%M}".format)
_padding = st.sampled_from(INVISIBLE)
_KINDS: Final[KindTable[ValueKind, str]] = {
    "speech": SPEECH,
    "keys": [st.sampled_from(["1", "2", "9", "0", "*", "12*"]), digits()],
    "digits": [(st.sampled_from(["1", "*"]) | digits()).map("Digits-{}".format)],
    "empty": [st.just("")],
    "none": [st.just("None")],
    "recording": [st.sampled_from(["/1/{:03}.wav", "1/2/{:03}.wav", "ivr2:/1/{:03}.wav"]).flatmap(_numbered)],
    "formatted": [st.dates().map("{:%d-%m-%Y}".format) | _clocks | _numbered("{}.5")],
    "padded": [st.tuples(_padding, sentences, _padding, st.sampled_from(["", " "])).map("".join)],
    "hostile": [model_texts(*[kind for kind in TEXT_KINDS if kind not in {"plain", "blank", "long"}])],
}


def values(*kinds: ValueKind) -> st.SearchStrategy[str]:
    """Return a strategy for one value of a request.

    Recognised ``speech``; typed ``keys``; ``digits``: keys instead of speech, ``Digits-12`` [OFF];
    ``empty``: silence; ``none``: the word ``None``, sent if nothing was typed [OFF]; the path of a
    ``recording``; dates, times and prices as ``formatted`` by the line; speech ``padded`` with invisible
    marks [LIVE]; ``hostile``: texts that a caller could speak, or put into a forged request.

    Args:
        kinds: the kinds to draw from; all if none is named.

    >>> from hypothesis import find
    >>> find(values(), lambda value: True), find(values("digits"), lambda value: len(value) > 9)
    ('שלום', 'Digits-000')
    """
    return of_kinds("values", _KINDS, kinds)
