"""The session of a conversation that can move from one provider to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from yemot_ai.providers.chat_history import ChatHistory, foreign_session_error
from yemot_ai.providers.provider import JSON, session_id

__all__ = ["FallbackSession"]


@dataclass(frozen=True, slots=True)
class FallbackSession:
    """The provider that has the thread, and the history.

    Attributes:
        history: for the next provider.
        provider_index: the index of the provider that has the thread; None before the first answer.
        provider_name: its name.
        provider_session: its own session.
        left_threads: threads that earlier providers still keep, as (index, name, session).
    """

    history: ChatHistory
    provider_index: int | None = None
    provider_name: str = ""
    provider_session: JSON = None
    left_threads: tuple[tuple[int, str, JSON], ...] = ()

    @classmethod
    def from_json(cls, session: JSON, *, provider: str) -> Self:
        """Read what ``to_json`` wrote.

        Raises:
            SessionLostError: the session is another provider's, or damaged.
        """
        history = ChatHistory.from_session(session, provider=provider)
        match session:
            case {"entry": int(entry), "name": str(name), "session": own, "left": [*left]}:
                threads = tuple(_thread(thread, provider) for thread in left)
                return cls(history, entry, name, own, threads)
            case _:
                raise foreign_session_error(provider)

    @property
    def threads(self) -> tuple[tuple[int, str, JSON], ...]:
        """All threads of the conversation, as (index, name, session)."""
        if self.provider_index is None or self.provider_session is None:  # a provider without sessions
            return self.left_threads
        return ((self.provider_index, self.provider_name, self.provider_session), *self.left_threads)

    def thread_of(self, index: int, name: str) -> JSON:
        """Return the provider session of a provider that has the thread; None for another one."""
        return self.provider_session if (index, name) == (self.provider_index, self.provider_name) else None

    def to_json(self) -> JSON:
        """Return what ``from_json`` reads, and the thread's ``id`` for logs."""
        return {
            "id": session_id(self.provider_session),
            "entry": self.provider_index,
            "name": self.provider_name,
            "session": self.provider_session,
            "history": self.history.to_json(),
            "left": [list(thread) for thread in self.left_threads],
        }


def _thread(thread: JSON, provider: str) -> tuple[int, str, JSON]:
    match thread:
        case [int(entry), str(name), session]:
            return entry, name, session
        case _:
            raise foreign_session_error(provider)
