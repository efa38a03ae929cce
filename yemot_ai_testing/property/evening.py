"""What is special about an evening of calls; drawn once, at its start.

>>> Evening().call_id(2)[-4:], Evening("middle").call_id(2)[16:24]
('0002', '77000277')
>>> Evening("begin", time_offset=86_390).peculiarities()
['the ids of the calls differed at their begin', 'the line began to count at 23:59:50 UTC']
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from hypothesis import strategies as st

from yemot_ai_testing.line.transports.transport import Method

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Evening", "evenings"]

CallIdForm: TypeAlias = Literal["end", "begin", "middle"]
"""Where the call IDs of an evening differ from each other."""

START_OFFSETS: Final = (0, 79_190, 86_390)
"""Seconds from the line's first ``ApiTime``, midnight UTC, to just before midnight in Israel, and in UTC."""

CROWDS: Final = (0, 0, 50)
"""Short calls in an evening; most have none, because many calls take long."""


@dataclass(frozen=True, slots=True)
class Evening:
    """What is special about the calls of one example.

    Attributes:
        call_ids: where the call IDs differ; otherwise they are equal.
        method: how the line sends its requests.
        time_offset: seconds that are added to every ``ApiTime``.
        crowd: how many short calls may come and go while another one waits; 0 for none.
    """

    call_ids: CallIdForm = "end"
    method: Method = "GET"
    time_offset: int = 0
    crowd: int = 0

    def call_id(self, number: int) -> str:
        """Return an ``ApiCallId`` of 40 hexadecimal digits."""
        match self.call_ids:
            case "end":
                return f"{number:040x}"
            case "begin":
                return f"{number:04x}".ljust(40, "7")
            case "middle":
                return f"{number:04x}".rjust(22, "7").ljust(40, "7")

    def peculiarities(self) -> list[str]:
        """Return what a scenario cannot express; the method can be, and a crowd is noted where it comes."""
        found = []
        if self.call_ids != "end":
            found.append(f"the ids of the calls differed at their {self.call_ids}")
        if self.time_offset:
            found.append(f"the line began to count at {timedelta(seconds=self.time_offset)} UTC")
        return found


def evenings(methods: Sequence[Method]) -> st.SearchStrategy[Evening]:
    """Return a strategy of evenings; the simplest has nothing special.

    Args:
        methods: the methods that the application accepts.
    """
    return st.builds(
        Evening,
        st.sampled_from(get_args(CallIdForm)),
        st.sampled_from(methods),
        st.sampled_from(START_OFFSETS),
        st.sampled_from(CROWDS),
    )
