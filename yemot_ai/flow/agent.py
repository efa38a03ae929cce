"""The agent loop: listen, hold, speak, decided from the line's cursor and the session alone.

``AgentLoop.step`` is pure: given what is remembered and what the line sent, it says what to
answer, or which turn has to be answered first. Any process that has the session decides the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from yemot_ai.conversation import Conversation
from yemot_ai.errors import ConfigurationError, LimitReachedError
from yemot_ai.flow.listening import ByVoice, Listening, Utterance
from yemot_ai.flow.manners import Key, Manners, sentence
from yemot_ai.flow.names import Cursor, heard_name, newest_cursor, poll_name, turn_name
from yemot_ai.flow.polling import poll_answer, up
from yemot_ai.hearing import Hearing
from yemot_ai.protocol import Message, Play, Read, Request, Response, speakable
from yemot_ai.sessions import Session, Status, Turn, Visit

__all__ = ["AgentFunction", "AgentLoop", "Asked", "Pending", "Recorded"]

AgentFunction = Callable[..., "str | Awaitable[str | None] | None"]
"""A developer's function ``(call, text)`` or ``(call, agent)``; sync or async."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn has to be answered before the line can be.

    Attributes:
        turn: its number.
        poll: how often the line has polled for it.
        text: what the caller said.
    """

    turn: int
    poll: int
    text: str

    @property
    def turn_id(self) -> str:
        """Its id in the ledger."""
        return turn_name(self.turn)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording has to be transcribed before it is known what to do.

    Attributes:
        turn: the number of the turn that will answer it.
        poll: how often the line has polled for that.
        path: where the recording is.
        hearing: who transcribes it.
    """

    turn: int
    poll: int
    path: str
    hearing: Hearing

    @property
    def turn_id(self) -> str:
        """The id, in the ledger, of what it says."""
        return heard_name(self.turn)


Pending = Asked | Recorded
"""What has to be worked out before the line can be answered."""


@dataclass(frozen=True, slots=True)
class AgentLoop:
    """An agent in an extension.

    Attributes:
        extension: where it lives.
        conversation: who answers, and with what memory.
        greeting: said on arrival.
        manners: sentences, keys, times.
        function: the developer's own part in each turn.
        listening: how the caller is listened to.
        hearing: makes words of the line's values, where these are recordings.
    """

    extension: str
    conversation: Conversation
    greeting: str
    manners: Manners
    function: AgentFunction | None = None
    listening: Listening = field(default_factory=ByVoice)
    hearing: Hearing | None = None

    def __post_init__(self) -> None:
        if not sentence(self.greeting):
            raise ConfigurationError(
                f"the agent of extension {self.extension!r} needs a greeting that can be spoken"
            )

    def step(self, session: Session, request: Request) -> tuple[Session, str | Pending]:
        """Decide what to do about ``request``.

        Args:
            session: what is remembered; its visit is the one of the request.
            request: what the line sent.

        Returns:
            The session as it shall be saved (the same object: nothing to save), and the answer,
            or what has to be worked out first.
        """
        visit = session.visit or Visit()
        cursor = newest_cursor(request.values, visit.first_turn) or Cursor(0, 0)
        decided_turn, decided = visit.decided
        if decided and cursor.turn <= decided_turn:
            return session, decided
        if cursor.turn == 0:
            return self._listen(session, cursor, sentence(self.greeting))
        if self._exits_while_thinking(cursor, request):
            return self._leave(session, cursor, self.manners.goodbye)
        turn = session.turn(turn_name(cursor.turn))
        if turn is not None and turn.is_over:
            return self._conclude(session, cursor, turn)
        if self.hearing is not None:
            return self._hear(self.hearing, session, cursor, request)
        value = request.newest(turn_name(cursor.turn)) or (turn.text if turn else "")
        return self._react(session, cursor, self.listening.understood(value))

    def filler(self, pending: Pending) -> str:
        """Render the poll that the line makes while the turn is not answered."""
        return poll_answer(self.manners, pending.turn, pending.poll + 1)

    def _hear(
        self, hearing: Hearing, session: Session, cursor: Cursor, request: Request
    ) -> tuple[Session, str | Pending]:
        """Find out what a recording says, and handle that."""
        heard = session.turn(heard_name(cursor.turn))
        if heard is None or not heard.is_over:
            path = request.newest(turn_name(cursor.turn)) or (heard.text if heard else "")
            if not path.strip():
                return self._silence(session, cursor)
            return session, Recorded(cursor.turn, cursor.poll, path, hearing)
        if heard.status is Status.FAILED:
            return self._conclude(session, cursor, heard)
        return self._react(session, cursor, self.listening.understood(heard.answer))

    def _react(self, session: Session, cursor: Cursor, said: Utterance) -> tuple[Session, str | Asked]:
        """Handle a new utterance: silence, a key, goodbye, or something to answer."""
        if not said.words:
            return self._silence(session, cursor)
        match self.manners.keys.get(said.key):
            case Key.LEAVE:
                return self._leave(session, cursor, self.manners.goodbye)
            case Key.REPEAT:
                return self._listen(session, cursor, self._last_answer(session))
            case Key.RESTART:
                return self._listen(session.anew(self.conversation.name), cursor, sentence(self.greeting))
        if self.manners.is_exit(said.words):
            return self._leave(session, cursor, self.manners.goodbye)
        return session, Asked(cursor.turn, cursor.poll, said.words)

    def _exits_while_thinking(self, cursor: Cursor, request: Request) -> bool:
        """Tell whether the exit key was pressed in the newest poll; no other key acts there."""
        if not cursor.poll:
            return False
        pressed = request.newest(poll_name(cursor.turn, cursor.poll)) or ""
        return self.manners.keys.get(pressed) is Key.LEAVE

    def _silence(self, session: Session, cursor: Cursor) -> tuple[Session, str]:
        visit = session.visit or Visit()
        silences = visit.silences + 1
        if silences >= self.manners.silences:
            return self._leave(session, cursor, self.manners.gave_up)
        return self._listen(session, cursor, sentence(self.manners.not_heard), silences=silences)

    def _conclude(self, session: Session, cursor: Cursor, turn: Turn) -> tuple[Session, str]:
        """Speak the end of a turn."""
        if turn.failure and isinstance(turn.failure.error(), LimitReachedError):
            return self._leave(session, cursor, self.manners.limit_reached)
        if turn.status is Status.FAILED:
            return self._listen(session, cursor, sentence(self.manners.apology))
        if turn.outcome:
            leaves = Response.parse(turn.outcome).leaves
            return _decided(session, cursor, turn.outcome, left=leaves)
        return self._listen(session, cursor, self._spoken(turn))

    def _spoken(self, turn: Turn) -> tuple[Message, ...]:
        before = _messages(turn.spoken)
        # A model can answer with nothing that can be spoken: an emoji, a row of dashes.
        return (*before, *(speakable(turn.answer) or (() if before else sentence(self.manners.apology))))

    def _last_answer(self, session: Session) -> tuple[Message, ...]:
        first = session.visit.first_turn if session.visit else 1
        for turn in reversed(session.turns):
            cursor = newest_cursor(((turn.id, ""),), first)
            if turn.forgotten:
                break
            if cursor and turn.status is Status.ANSWERED and not turn.outcome:
                return self._spoken(turn)
        return sentence(self.greeting)

    def _listen(
        self, session: Session, cursor: Cursor, messages: tuple[Message, ...], *, silences: int = 0
    ) -> tuple[Session, str]:
        """Speak, and listen under the next number that this call has never used."""
        number = max(session.next_turn, cursor.turn + 1)
        answer = str(Response((Read(messages, turn_name(number), self.listening.mode),)))
        visit = replace(session.visit or Visit(), silences=silences)
        session = replace(session, next_turn=number + 1, visit=visit)
        return _decided(session, cursor, answer, left=False)

    def _leave(self, session: Session, cursor: Cursor, words: str) -> tuple[Session, str]:
        session = replace(session, next_turn=max(session.next_turn, cursor.turn + 1))
        answer = str(Response((Play(sentence(words)), up(self.extension))))
        return _decided(session, cursor, answer, left=True)


def _decided(session: Session, cursor: Cursor, answer: str, *, left: bool) -> tuple[Session, str]:
    visit = replace(session.visit or Visit(), decided=(cursor.turn, answer), left=left)
    return replace(session, visit=visit, faults=0), answer


def _messages(rendered: str) -> tuple[Message, ...]:
    """Read messages that were rendered for the ledger."""
    if not rendered:
        return ()
    (played,) = Response.parse(f"id_list_message={rendered}").actions
    return tuple(played.messages) if isinstance(played, Play) else ()
