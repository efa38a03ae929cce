"""A conversation that may go from one provider to another: what is handed over, and what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from yemot_ai.errors import SessionLostError
from yemot_ai.providers.chat_history import Transcript
from yemot_ai.providers.provider import JSON

__all__ = ["Relay"]


@dataclass(frozen=True, slots=True)
class Relay:
    """Who has a conversation, and what was said in it.

    Attributes:
        said: what was said, for whoever takes over.
        entry: the place of the provider that has the thread; None before the first answer.
        name: its name.
        session: its own session.
        left: threads that others still keep, as (place, name, session).
    """

    said: Transcript
    entry: int | None = None
    name: str = ""
    session: JSON = None
    left: tuple[tuple[int, str, JSON], ...] = ()

    @classmethod
    def read(cls, session: JSON, *, provider: str) -> Self:
        """Read what ``json`` wrote.

        Raises:
            SessionLostError: it is another provider's session, or a damaged one.
        """
        said = Transcript.read(session, provider=provider)
        match session:
            case {"entry": int(entry), "name": str(name), "session": own, "left": left}:
                return cls(said, entry, name, own, _threads(left, provider))
            case _:
                raise _lost(provider)

    @property
    def threads(self) -> tuple[tuple[int, str, JSON], ...]:
        """All threads of the conversation, as (place, name, session)."""
        return self.left if self.entry is None else ((self.entry, self.name, self.session), *self.left)

    def gone_on(self, session: JSON) -> Self:
        """Return it after another turn with the same provider."""
        return replace(self, session=session)

    def handed_to(
        self, entry: int, name: str, session: JSON, *, left: Sequence[tuple[int, str, JSON]]
    ) -> Self:
        """Return it in a new thread; those in ``left`` are to be forgotten when the call ends."""
        return replace(self, entry=entry, name=name, session=session, left=tuple(left))

    def and_then(self, prompt: str, answer: str) -> Self:
        """Return it with one more exchange."""
        return replace(self, said=self.said.and_then(prompt, answer))

    def json(self) -> JSON:
        """Return what ``read`` reads; ``id`` is the thread's, for logs."""
        return {
            "id": _id(self.session),
            "entry": self.entry,
            "name": self.name,
            "session": self.session,
            "history": self.said.json(),
            "left": [list(thread) for thread in self.left],
        }


def _threads(left: JSON, provider: str) -> tuple[tuple[int, str, JSON], ...]:
    if not isinstance(left, Sequence) or isinstance(left, str):
        raise _lost(provider)
    return tuple(_thread(thread, provider) for thread in left)


def _thread(thread: JSON, provider: str) -> tuple[int, str, JSON]:
    match thread:
        case [int(entry), str(name), session]:
            return entry, name, session
        case _:
            raise _lost(provider)


def _lost(provider: str) -> SessionLostError:
    return SessionLostError(f"that is no session of {provider}'s", thread_id="", provider=provider)


def _id(session: JSON) -> JSON:
    if isinstance(session, Mapping):
        return next((session[key] for key in ("thread_id", "response_id", "id") if key in session), "")
    return session if isinstance(session, str) else ""
