"""Keep the history of a conversation in its session, for services that keep none.

>>> history = ChatHistory.from_exchanges([Exchange("שמי דוד", "נעים מאוד")])
>>> history = history.with_exchange("איך קוראים לי?", "דוד")
>>> ChatHistory.from_session({"history": history.to_json()}, provider="openai") == history
True
>>> [message["role"] for message in history.messages_for("תודה")]
['user', 'assistant', 'user', 'assistant', 'user']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from yemot_ai.errors import ContextOverflowError, ProviderError, RefusedRequestError, SessionLostError
from yemot_ai.providers.provider import JSON, Exchange
from yemot_ai.providers.surrogates import replace_surrogates

__all__ = [
    "EXCHANGES_AFTER_OVERFLOW",
    "MAX_CHARACTERS",
    "MAX_EXCHANGES",
    "ChatHistory",
    "foreign_session_error",
    "history_to_rebuild",
]

MAX_EXCHANGES: Final = 50
"""Maximum exchanges in a session; the oldest are dropped first."""

EXCHANGES_AFTER_OVERFLOW: Final = (6, 3, 1, 0)
"""Exchanges that a new thread starts with, one after the other, while the history does not fit into the
context; 0 is the prompt alone."""

MAX_CHARACTERS: Final = 40_000
"""Maximum characters in a session: some 20,000 tokens of Hebrew, which every current model can read."""


@dataclass(frozen=True, slots=True)
class ChatHistory:
    """Exchanges, oldest first, within ``MAX_EXCHANGES`` and ``MAX_CHARACTERS``."""

    exchanges: tuple[Exchange, ...] = ()

    @classmethod
    def from_exchanges(cls, history: Sequence[Exchange]) -> Self:
        """Keep the newest of ``history``; drop exchanges with an empty side, which services refuse."""
        whole = [exchange for exchange in history if exchange.prompt.strip() and exchange.answer.strip()]
        kept: list[Exchange] = []
        room = MAX_CHARACTERS
        for exchange in reversed(whole[-MAX_EXCHANGES:]):
            room -= len(exchange.prompt) + len(exchange.answer)
            if room < 0:
                break
            kept.append(exchange)
        return cls(tuple(reversed(kept)))

    @classmethod
    def from_session(cls, session: JSON, *, provider: str) -> Self:
        """Read the history from ``session["history"]``.

        Raises:
            SessionLostError: there is no history: the session is another provider's, or damaged.
        """
        match session:
            case {"history": [*pairs]}:
                return cls.from_exchanges([_exchange(pair, provider) for pair in pairs])
        raise foreign_session_error(provider)

    def with_exchange(self, prompt: str, answer: str) -> Self:
        """Return the history with another exchange."""
        return self.from_exchanges([*self.exchanges, Exchange(prompt, answer)])

    def to_json(self) -> JSON:
        """Return what ``from_session`` reads."""
        return [[exchange.prompt, exchange.answer] for exchange in self.exchanges]

    def messages_for(self, prompt: str) -> list[dict[str, str]]:
        """Return the messages for the service: the history, then ``prompt``."""
        earlier = [message for exchange in self.exchanges for message in _messages(exchange)]
        return [*earlier, {"role": "user", "content": replace_surrogates(prompt)}]


def foreign_session_error(provider: str) -> SessionLostError:
    """Return the error for a session that ``provider`` has not written."""
    return SessionLostError(f"that is no session of {provider}'s", thread_id="", provider=provider)


def history_to_rebuild(
    error: ProviderError, session: JSON, history: Sequence[Exchange], *, refused_before: bool = False
) -> Sequence[Exchange] | None:
    """Return the history to ask again with, in a new thread; None if that cannot help.

    Args:
        error: why there was no answer.
        session: the provider session that was continued; None if the thread was a new one.
        history: all exchanges of the conversation.
        refused_before: whether the turn before was refused for its words, too: then what the provider refuses
            may stand in the history.
    """
    match error:
        case SessionLostError() if session is not None:
            return history
        case RefusedRequestError() if refused_before and (session is not None or history):
            return ()
        case ContextOverflowError(prompt_alone=False):
            # A stored thread has more than its exchanges, such as the prompts of failed turns.
            if session is not None:
                return history[-EXCHANGES_AFTER_OVERFLOW[0] :]
            fewer = [count for count in EXCHANGES_AFTER_OVERFLOW if count < len(history)]
            return history[len(history) - fewer[0] :] if fewer else None
    return None


def _messages(exchange: Exchange) -> list[dict[str, str]]:
    return [
        {"role": "user", "content": replace_surrogates(exchange.prompt)},
        {"role": "assistant", "content": replace_surrogates(exchange.answer)},
    ]


def _exchange(pair: JSON, provider: str) -> Exchange:
    match pair:
        case [str(prompt), str(answer)]:
            return Exchange(prompt, answer)
        case _:
            message = f"the history in a session of {provider}'s is damaged"
            raise SessionLostError(message, thread_id="", provider=provider)
