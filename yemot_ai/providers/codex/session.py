"""The session of a conversation with Codex."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from yemot_ai.errors import SessionLostError
from yemot_ai.providers.codex.events import usage_delta
from yemot_ai.providers.codex.home.folders import is_key, is_thread_id, new_key
from yemot_ai.providers.codex.home.rollouts import Checksum
from yemot_ai.providers.provider import Reply

if TYPE_CHECKING:
    from yemot_ai.providers.codex.events import TurnOutcome
    from yemot_ai.providers.codex.home.folders import CodexHome
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
        rollouts: what the file of each thread was after its last turn.
        unusable: whether this turn has failed in a way after which the thread cannot be continued.
    """

    thread_id: str = ""
    key: str = field(default_factory=new_key)
    usage: Mapping[str, int] | None = field(default_factory=dict)
    threads: list[str] = field(default_factory=list)
    rollouts: dict[str, Checksum] = field(default_factory=dict)
    unusable: bool = False

    @classmethod
    def from_json(cls, session: JSON) -> Self:
        """Return the valid parts of ``session``; an invalid key must not become a path."""
        fields = session if isinstance(session, Mapping) else {}
        names = ("thread_id", "key", "usage", "threads", "rollouts")
        thread_id, key, usage, threads, rollouts = map(fields.get, names)
        return cls(
            thread_id if isinstance(thread_id, str) else "",
            key if isinstance(key, str) and is_key(key) else new_key(),
            {name: tokens for name, tokens in usage.items() if isinstance(tokens, int)}
            if isinstance(usage, Mapping)
            else None,
            [thread for thread in threads if isinstance(thread, str)] if isinstance(threads, list) else [],
            _checksums(rollouts),
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

    def check_rollouts(self, home: CodexHome) -> None:
        """Check that the files of the threads are there and have lost nothing.

        Raises:
            SessionLostError: one has; Codex would resume it without an error, if it is there.
        """
        for thread_id, checksum in self.rollouts.items():
            data = home.read_rollout(thread_id) if is_thread_id(thread_id) else None
            if data is not None and not checksum.matches(data):
                message = f"the file of thread {thread_id} has lost a part of the conversation"
                raise SessionLostError(message, thread_id=thread_id, provider="codex")

    def reply(self, outcome: TurnOutcome, home: CodexHome) -> Reply:
        """Return the reply of a turn, with the session after it."""
        data = home.read_rollout(outcome.thread_id)
        own = {outcome.thread_id: Checksum.of(data)} if data else {}
        usage = self.usage if outcome.usage is None else outcome.usage
        session: JSON = {
            "thread_id": outcome.thread_id,
            "usage": None if usage is None else dict(usage),
            "key": self.key,
            "threads": self.threads,
            "rollouts": {name: checksum.to_json() for name, checksum in (self.rollouts | own).items()},
        }
        spent = None if outcome.usage is None else usage_delta(self.usage, outcome.usage)
        return Reply(outcome.text, session, spent, outcome.cut)


def _checksums(rollouts: JSON) -> dict[str, Checksum]:
    parsed = rollouts.items() if isinstance(rollouts, Mapping) else ()
    checksums = ((thread_id, Checksum.from_json(value)) for thread_id, value in parsed)
    return {thread_id: checksum for thread_id, checksum in checksums if checksum is not None}
