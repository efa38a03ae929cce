"""One request of the line, as a fault sees it: with what this call and other calls have sent before.

>>> first = Turn((("ApiCallId", "c1"), ("ApiPhone", "0501234567")))
>>> answered = Answered(first.pairs, TransportResponse("read=t-שלום=order,no,voice"))
>>> turn = Turn((*first.pairs, ("order", "לחם")), earlier=(answered,))
>>> turn.said, turn.call_id, turn.is_repeat
('לחם', 'c1', False)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from yemot_ai.protocol import Message, Read, Request, Voice
from yemot_ai_testing.line.exchange import final_read
from yemot_ai_testing.line.transports.transport import Method, Pairs, TransportResponse
from yemot_ai_testing.line.verbs.keypad import is_poll
from yemot_ai_testing.mutation.responses import messages_of

__all__ = ["Answered", "ApplicationFault", "Send", "Turn"]


@dataclass(frozen=True)
class Answered:
    """A request that was answered.

    Attributes:
        pairs: its names and values.
        response: what the line got.
    """

    pairs: Pairs
    response: TransportResponse

    @cached_property
    def question(self) -> Read | None:
        """The read that the caller then answers; None for a poll, and where there is none."""
        read = final_read(self.response.body)
        return None if read is None or is_poll(read.mode) else read

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """What the caller hears."""
        return messages_of(self.response)

    @cached_property
    def is_poll(self) -> bool:
        """Whether the line only waits for the answer."""
        return self.question is None and final_read(self.response.body) is not None


@dataclass(frozen=True)
class Turn:
    """A request, and what came before it.

    Attributes:
        pairs: the names and values that the line sends.
        method: GET or POST.
        earlier: the answered requests of this call, oldest first.
        other_words: the newest request of another call that has words in its response.
        is_overlapping: another call waits for its response at this moment.
    """

    pairs: Pairs
    method: Method = "GET"
    earlier: tuple[Answered, ...] = ()
    other_words: Answered | None = None
    is_overlapping: bool = False

    @cached_property
    def request(self) -> Request:
        """The parsed request."""
        return Request.parse(self.pairs)

    @property
    def call_id(self) -> str:
        """The id of the call."""
        return self.request.call_key

    @property
    def is_repeat(self) -> bool:
        """Whether the line sends its last request again, byte for byte."""
        return bool(self.earlier) and tuple(self.earlier[-1].pairs) == tuple(self.pairs)

    @cached_property
    def question(self) -> Read | None:
        """The read that this request answers; None for a poll, a first request and a hang-up."""
        is_answer = self.earlier and not self.request.hangup and not self.is_repeat
        return self.earlier[-1].question if is_answer else None

    @property
    def said(self) -> str | None:
        """What the caller has just said or typed; empty for silence; None if nothing was asked."""
        return None if self.question is None else self.request.newest(self.question.name)

    @property
    def is_speech(self) -> bool:
        """Whether the caller was asked to speak, and did."""
        return self.question is not None and isinstance(self.question.mode, Voice) and bool(self.said)

    @cached_property
    def said_before(self) -> tuple[str, ...]:
        """What the caller has said before in this call, without silence."""
        turns = (self.at(number) for number in range(len(self.earlier)))
        return tuple(turn.said for turn in turns if turn.said)

    @property
    def has_first_words(self) -> bool:
        """Whether the caller speaks for the first time in this call, or types for the first time."""
        if not self.is_speech:
            return bool(self.said) and not self.said_before
        return not any(self.at(number).is_speech for number in range(len(self.earlier)))

    @cached_property
    def answers(self) -> tuple[Answered, ...]:
        """The responses to what the caller has said before, oldest first, as they were after the polls."""
        found: list[Answered] = []
        is_open = False
        for number, answered in enumerate(self.earlier):
            is_open = is_open or bool(self.at(number).said)
            if is_open and answered.messages and not answered.is_poll:
                found.append(answered)
                is_open = False
        return tuple(found)

    @property
    def last_question(self) -> Read | None:
        """The newest question of this call."""
        return next((one.question for one in reversed(self.earlier) if one.question is not None), None)

    @property
    def is_waiting(self) -> bool:
        """Whether this request is a poll: the caller waits for an answer."""
        return bool(self.earlier) and self.earlier[-1].is_poll and not self.request.hangup

    @property
    def is_answer(self) -> bool:
        """Whether the response to this request may be the answer to what the caller has said."""
        return bool(self.said) or self.is_waiting

    def at(self, number: int) -> Turn:
        """Return an earlier turn of this call, by its number from 0."""
        return replace(self, pairs=self.earlier[number].pairs, earlier=self.earlier[:number])


Send: TypeAlias = Callable[[Pairs], TransportResponse]
"""Sends a request to the healthy application."""

ApplicationFault: TypeAlias = Callable[[Turn, Send], TransportResponse]
"""Returns what a line with a fault would respond; the healthy application is asked with ``Send``."""
