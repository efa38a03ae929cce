"""The work on one turn, and its result.

The ledger runs it once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from yemot_ai._turns.stream import AnswerStream
from yemot_ai.errors import CallEndedError, ProviderError
from yemot_ai.errors.unexpected import UNEXPECTED, contain, log_without_message
from yemot_ai.providers.provider import JSON, Usage
from yemot_ai.sessions import Session, Turn

__all__ = ["RunningTurn", "TurnResult", "TurnWork", "run_guarded", "running_tool"]

running_tool: Final[ContextVar[str]] = ContextVar("running_tool", default="")
"""The call for which the current code runs as a tool: it must not ask the conversation that waits for it."""


@dataclass(frozen=True, slots=True)
class TurnResult:
    """The result of the work on a turn.

    Attributes:
        answer: the answer.
        conversation: the conversation that ``session`` belongs to.
        session: the provider session after the turn.
        session_id: the provider's id of the conversation, for logs.
        usage: the tokens that it cost.
        outcome: the response to the line, if the turn ended with an action instead of an answer.
        spoken: rendered messages to play before the answer.
        state: ``call.state`` after the turn; None if it has not changed.
        retired_session: a provider session that the conversation no longer uses; it is deleted when the
            call ends.
    """

    answer: str = ""
    conversation: str = ""
    session: JSON = None
    session_id: str = ""
    usage: Usage | None = None
    outcome: str = ""
    spoken: str = ""
    state: Mapping[str, JSON] | None = None
    retired_session: JSON = None


@dataclass(slots=True)
class RunningTurn:
    """A turn while its work runs.

    Attributes:
        session: the session when this worker claimed the turn.
        id: the turn's id.
        stream: takes the parts of the answer.
        hold: ``await hold(key)`` holds a key of the store until the result of the turn is written.
        record: ``await record(steps)`` stores steps that have not begun.
        state: ``call.state`` as the developer's functions of this turn see and change it.
        conversation: the conversation whose model the work has asked; the work sets it.
        cut_result: what the work has got of the model, without an answer, if it fails because the model's
            answer was cut; the work sets it.
    """

    session: Session
    id: str
    stream: AnswerStream
    hold: Callable[[str], Awaitable[None]]
    record: Callable[[Iterable[Turn]], Awaitable[None]]
    state: MutableMapping[str, JSON]
    conversation: str = ""
    cut_result: TurnResult | None = None


TurnWork = Callable[[RunningTurn], Awaitable[TurnResult]]
"""Produces the answer of a turn."""


async def run_guarded(work: TurnWork, turn: RunningTurn) -> TurnResult:
    """Run the work; raise each failure as an error that the ledger can store."""
    try:
        return await work(turn)
    except (ProviderError, CallEndedError, TimeoutError):
        raise
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        log_without_message(error, "the work on a turn was cancelled from inside")
        raise ProviderError("the work on the turn was cancelled from inside") from None
    except UNEXPECTED as error:  # foreign code must not end a call
        raise contain(error, source="the work on the turn") from None
