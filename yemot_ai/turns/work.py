"""Work: what is done for one turn, and what it came to.

The ledger does it once; whatever goes wrong in it is an error that the ledger can keep.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from yemot_ai.errors import CallEndedError, ProviderError
from yemot_ai.errors.unexpected import UNEXPECTED, contain, log_without_message
from yemot_ai.providers.provider import JSON, Usage
from yemot_ai.turns.stream import AnswerStream

__all__ = ["TurnResult", "TurnWork", "run_guarded"]


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What the work on a turn came to.

    Attributes:
        answer: what was answered.
        conversation: whose memory the turn belongs to, and whose ``session`` this is.
        session: the provider's session after the turn.
        session_id: the provider's own id of it, for logs.
        usage: what it cost.
        outcome: the line's answer, where the turn ended in one of its own.
        spoken: rendered messages to be played before the answer.
        state: what ``call.state`` is after the turn; None where it has not changed.
        retired_session: a session of the provider that the conversation does not go on with; it is to be
            forgotten when the call ends.
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


TurnWork = Callable[[AnswerStream], Awaitable[TurnResult]]
"""Works a turn out; what the caller may hear before it is over is told to the ``Telling``."""


async def run_guarded(work: TurnWork, stream: AnswerStream) -> TurnResult:
    """Do the work; whatever goes wrong in it is an error that the ledger can keep."""
    try:
        return await work(stream)
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
