"""The session of a conversation with Codex."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from yemot_ai.errors import SessionLostError
from yemot_ai.providers.codex.events import usage_delta
from yemot_ai.providers.codex.home.folders import is_key, is_thread_id, new_key
from yemot_ai.providers.provider import Reply

if TYPE_CHECKING:
    from yemot_ai.providers.codex.events import TurnOutcome
    from yemot_ai.providers.provider import JSON

__all__ = ["CodexSession"]


@dataclass(slots=True)
class CodexSession:
    """What Codex and the disk have of a conversation.

    Attributes:
        thread_id: Codex's id of the conversation; empty before the first turn.
        key: the name of its private folders.
        usage: Codex's counters for the whole conversation; None if they are not known.
        threads: its earlier threads, if it was forked.
    """

    thread_id: str = ""
    key: str = field(default_factory=new_key)
    usage: Mapping[str, int] | None = field(default_factory=dict)
    threads: list[str] = field(default_factory=list)

    @classmethod
    def from_json(cls, session: JSON) -> Self:
        """Return the valid parts of ``session``; an invalid key must not become a path."""
        fields = session if isinstance(session, Mapping) else {}
        thread_id, key, usage, threads = map(fields.get, ("thread_id", "key", "usage", "threads"))
        return cls(
            thread_id if isinstance(thread_id, str) else "",
            key if isinstance(key, str) and is_key(key) else new_key(),
            {name: tokens for name, tokens in usage.items() if isinstance(tokens, int)}
            if isinstance(usage, Mapping)
            else None,
            [thread for thread in threads if isinstance(thread, str)] if isinstance(threads, list) else [],
        )

    @classmethod
    def for_turn(cls, session: JSON, *, provider: str) -> Self:
        """Return the session to continue; a new one if ``session`` is None.

        Raises:
            SessionLostError: it has no thread; for another name Codex would silently start a new thread,
                without the history.
        """
        if session is None:
            return cls()
        own = cls.from_json(session)
        if not is_thread_id(own.thread_id):
            message = f"{own.thread_id!r} is not a Codex thread"
            raise SessionLostError(message, thread_id=own.thread_id, provider=provider)
        return own

    def reply(self, outcome: TurnOutcome) -> Reply:
        """Return the reply of a turn, with the session after it."""
        session: JSON = {
            "thread_id": outcome.thread_id,
            "usage": dict(outcome.usage),
            "key": self.key,
            "threads": self.threads,
        }
        return Reply(outcome.text, session, usage_delta(self.usage, outcome.usage))
