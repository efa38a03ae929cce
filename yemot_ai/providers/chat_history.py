"""What was said so far, kept in a session by providers whose service remembers nothing.

>>> said = Transcript.of([Exchange("שמי דוד", "נעים מאוד")]).and_then("איך קוראים לי?", "דוד")
>>> Transcript.read({"history": said.json()}, provider="openai") == said
True
>>> [message["role"] for message in said.asking("תודה")]
['user', 'assistant', 'user', 'assistant', 'user']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from yemot_ai.errors import SessionLostError
from yemot_ai.providers.provider import JSON, Exchange
from yemot_ai.providers.surrogates import replace_surrogates

__all__ = ["MAX_CHARACTERS", "MAX_EXCHANGES", "ChatHistory"]

MAX_EXCHANGES: Final = 50
"""How many exchanges a session carries: the oldest are forgotten first."""

MAX_CHARACTERS: Final = 40_000
"""How much text it carries: some 20,000 tokens of Hebrew, which every model of today can read."""


@dataclass(frozen=True, slots=True)
class ChatHistory:
    """Exchanges, oldest first; never more than a session should carry."""

    exchanges: tuple[Exchange, ...] = ()

    @classmethod
    def from_exchanges(cls, history: Sequence[Exchange]) -> Self:
        """Keep the newest of ``history``; what has a side without words is no exchange to a service."""
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
        """Read it from ``session["history"]``.

        Raises:
            SessionLostError: there is none: another provider's session, or a damaged one.
        """
        pairs = session.get("history") if isinstance(session, Mapping) else None
        if not isinstance(pairs, Sequence) or isinstance(pairs, str):
            raise SessionLostError(f"that is no session of {provider}'s", thread_id="", provider=provider)
        return cls.from_exchanges([_exchange(pair, provider) for pair in pairs])

    def with_exchange(self, prompt: str, answer: str) -> Self:
        """Return it with one more exchange."""
        return self.from_exchanges([*self.exchanges, Exchange(prompt, answer)])

    def to_json(self) -> JSON:
        """Return what ``from_session`` reads."""
        return [[exchange.prompt, exchange.answer] for exchange in self.exchanges]

    def messages_for(self, prompt: str) -> list[dict[str, str]]:
        """Return the messages that a service is sent: all that was said, and ``prompt``."""
        said = [message for exchange in self.exchanges for message in _messages(exchange)]
        return [*said, {"role": "user", "content": replace_surrogates(prompt)}]


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
