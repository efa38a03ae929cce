"""A strategy for callers."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from hypothesis import strategies as st

from yemot_ai_testing.property.strategies.kinds import KindTable, of_kinds
from yemot_ai_testing.property.strategies.values import digits
from yemot_ai_testing.scenario.format.model import CallerSpec

__all__ = ["CallerKind", "callers", "extensions", "phones"]

CallerKind: TypeAlias = Literal["mobile", "landline", "withheld", "foreign"]

extensions: Final = st.sampled_from(["", "1", "9", "1/2", "ai_agent"])
"""Extensions to dial."""

phones: Final[KindTable[CallerKind, str]] = {
    "mobile": [st.just("0500000000"), digits(8, 8).map("05{}".format)],
    "landline": [
        st.tuples(st.sampled_from(["02", "03", "04", "08", "09", "077"]), digits(7, 7)).map("".join)
    ],
    "withheld": [st.just("")],
    "foreign": [st.tuples(st.sampled_from(["00", "+"]), digits(9, 13)).map("".join)],
}
"""Numbers of each kind, as the line sends them."""


def callers(
    *kinds: CallerKind, extension: str | st.SearchStrategy[str] = extensions
) -> st.SearchStrategy[CallerSpec]:
    """Return a strategy for callers: ``mobile``, ``landline`` and ``foreign`` numbers, or ``withheld``.

    Args:
        kinds: the kinds to draw from; all if none is named.
        extension: the extension to dial, or a strategy for it; no slashes at the ends, ``""`` is the root.

    >>> from hypothesis import find
    >>> find(callers(), lambda caller: True)
    CallerSpec(phone='0500000000', extension='', method='GET', line=())
    """
    dialled = st.just(extension) if isinstance(extension, str) else extension
    return st.builds(
        CallerSpec,
        phone=of_kinds("callers", phones, kinds),
        extension=dialled,
        method=st.sampled_from(["GET", "POST"]),
    )
