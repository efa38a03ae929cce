"""The agent loop: listen, hold, speak, decided from the line's cursor and the session alone.

``AgentLoop.step`` is pure: given what is remembered and what the line sent, it says what to
answer, or which turn has to be answered first. Any process that has the session decides the same.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final

from yemot_ai.errors import ConfigurationError, LimitReachedError
from yemot_ai.flow.agent.input_modes import ByVoice, Listening, Utterance
from yemot_ai.flow.dialog import Key, Manners, sentence
from yemot_ai.flow.polling import poll_answer, up
from yemot_ai.flow.rendering import SILENTLY, rest, sentences, told_again, whole
from yemot_ai.flow.value_names import Cursor, heard_name, newest_cursor, poll_name, turn_name
from yemot_ai.protocol import Message, Play, Read, Request, Response
from yemot_ai.providers.provider import Streaming
from yemot_ai.sessions import NOTHING_TOLD, Session, Status, Told, Turn, Visit
from yemot_ai.turns.conversation import Conversation
from yemot_ai.turns.recording_transcriber import Hearing

__all__ = ["AgentFunction", "AgentLoop", "Asked", "Pending", "Recorded"]

_KEYS: Final = re.compile(r"[0-9*#]+")

AgentFunction = Callable[..., "str | Awaitable[str | None] | None"]
"""A developer's function ``(call, text)`` or ``(call, agent)``; sync or async."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn has to be answered before the line can be.

    Attributes:
        turn: its number.
        poll: how often the line has polled for it.
        visit: the number of the visit that it belongs to.
        text: what the caller said.
        pieces: how many sentences of the answer are written so far; nothing of them can be spoken.
    """

    turn: int
    poll: int
    visit: int
    text: str
    pieces: int = 0

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
        visit: the number of the visit that it belongs to.
        path: where the recording is.
        hearing: who transcribes it.
    """

    turn: int
    poll: int
    visit: int
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
        stream: whether sentences may be spoken before the answer is whole.
        streams: whether they are: whether the provider hands them over, too.
    """

    extension: str
    conversation: Conversation
    greeting: str
    manners: Manners
    function: AgentFunction | None = None
    listening: Listening = field(default_factory=ByVoice)
    hearing: Hearing | None = None
    stream: bool = True
    streams: bool = field(init=False)

    def __post_init__(self) -> None:
        # Looked at by every poll, and to ask a runtime protocol takes microseconds.
        can_stream = isinstance(self.conversation.provider, Streaming)
        object.__setattr__(self, "streams", self.stream and can_stream)
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
        visit = _visit(session)
        cursor = newest_cursor(request.values, visit.first_turn) or Cursor(0, 0)
        decided_turn, decided = visit.decided
        if decided and cursor.turn <= decided_turn:
            return session, decided
        if cursor.turn == 0:
            return self._listen(session, cursor, sentence(self.greeting))
        return (
            self._told_before(session, cursor)
            or self._interrupted(session, cursor, request)
            or self._proceed(session, cursor, request)
        )

    def _told_before(self, session: Session, cursor: Cursor) -> tuple[Session, str] | None:
        """Repeat what a request of a running turn was answered."""
        if not _visit(session).told.polls:
            return None
        span = _told(session, cursor).span(cursor.poll)
        if span is None:
            return None
        turn = session.turn(turn_name(cursor.turn)) or Turn(turn_name(cursor.turn), "")
        return session, told_again(turn, cursor.turn, span, self.manners)

    def _proceed(self, session: Session, cursor: Cursor, request: Request) -> tuple[Session, str | Pending]:
        turn = session.turn(turn_name(cursor.turn))
        if turn is not None and turn.is_over:
            return self._conclude(session, cursor, turn)
        if turn is not None and turn.pieces and sentences(turn, _told(session, cursor).upto):
            return self._go_on(session, cursor, turn, len(turn.pieces))
        if self.hearing is not None:
            return self._hear(self.hearing, session, cursor, request)
        value = request.newest(turn_name(cursor.turn)) or (turn.text if turn else "")
        return self._react(session, cursor, self.listening.understood(value))

    def waits(self, session: Session, pending: Pending) -> tuple[Session, str]:
        """Decide that the line polls on, where other workers have to know of it."""
        cursor, name = Cursor(pending.turn, pending.poll), turn_name(pending.turn)
        turn = session.turn(name) or Turn(name, "")
        return self._go_on(session, cursor, turn, _told(session, cursor).upto)

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
            return session, Recorded(cursor.turn, cursor.poll, _visit(session).number, path, hearing)
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
        turn = session.turn(turn_name(cursor.turn))
        pieces = len(turn.pieces) if turn else 0
        return session, Asked(cursor.turn, cursor.poll, _visit(session).number, said.words, pieces)

    def _interrupted(self, session: Session, cursor: Cursor, request: Request) -> tuple[Session, str] | None:
        """Handle a key that was pressed in the newest poll.

        While an answer is spoken every key stops it, and the caller is listened to; while the filler
        plays only the key acts that leaves.
        """
        pressed = request.newest(poll_name(cursor.turn, cursor.poll)) if cursor.poll else None
        if pressed is None or not _KEYS.fullmatch(pressed):
            return None
        key = self.manners.keys.get(pressed)
        told = _told(session, cursor)
        before = told.span(cursor.poll - 1)
        has_spoken = before is not None and before[1] < before[2]
        if key is not Key.LEAVE and not has_spoken:
            return None
        turn = session.turn(turn_name(cursor.turn))
        if turn is not None:
            session = _cut_short(session, turn, told)
        match key:
            case Key.LEAVE:
                return self._leave(session, cursor, self.manners.goodbye)
            case Key.REPEAT:
                return self._listen(session, cursor, self._last_answer(session))
            case Key.RESTART:
                return self._listen(session.anew(self.conversation.name), cursor, sentence(self.greeting))
        return self._listen(session, cursor, SILENTLY)

    def _go_on(self, session: Session, cursor: Cursor, turn: Turn, stop: int) -> tuple[Session, str]:
        """Speak the sentences up to ``stop``, if there are new ones, and poll for more."""
        visit = _visit(session)
        told = _told(session, cursor).and_at(cursor.poll, stop)
        span = told.span(cursor.poll) or (cursor.poll, stop, stop)
        session = replace(session, visit=replace(visit, told=told), faults=0)
        return session, told_again(turn, cursor.turn, span, self.manners)

    def _silence(self, session: Session, cursor: Cursor) -> tuple[Session, str]:
        visit = _visit(session)
        silences = visit.silences + 1
        if silences >= self.manners.silences:
            return self._leave(session, cursor, self.manners.gave_up)
        return self._listen(session, cursor, sentence(self.manners.not_heard), silences=silences)

    def _conclude(self, session: Session, cursor: Cursor, turn: Turn) -> tuple[Session, str]:
        """Speak the end of a turn."""
        if turn.failure and isinstance(turn.failure.error(), LimitReachedError):
            return self._leave(session, cursor, self.manners.limit_reached)
        if turn.outcome and turn.status is not Status.FAILED:
            leaves = Response.parse(turn.outcome).leaves
            return _decided(session, cursor, turn.outcome, left=leaves)
        words = rest(turn, _told(session, cursor), self.manners)
        return self._listen(_without_pieces(session, turn), cursor, words)

    def _last_answer(self, session: Session) -> tuple[Message, ...]:
        first = session.visit.first_turn if session.visit else 1
        for turn in reversed(session.turns):
            cursor = newest_cursor(((turn.id, ""),), first)
            if turn.forgotten:
                break
            if cursor and turn.is_said and not turn.outcome:
                return whole(turn, self.manners)
        return sentence(self.greeting)

    def _listen(
        self, session: Session, cursor: Cursor, messages: tuple[Message, ...], *, silences: int = 0
    ) -> tuple[Session, str]:
        """Speak, and listen under the next number that this call has never used."""
        number = max(session.next_turn, cursor.turn + 1)
        answer = str(Response((Read(messages, turn_name(number), self.listening.mode),)))
        visit = replace(_visit(session), silences=silences)
        session = replace(session, next_turn=number + 1, visit=visit)
        return _decided(session, cursor, answer, left=False)

    def _leave(self, session: Session, cursor: Cursor, words: str) -> tuple[Session, str]:
        session = replace(session, next_turn=max(session.next_turn, cursor.turn + 1))
        answer = str(Response((Play(sentence(words)), up(self.extension))))
        return _decided(session, cursor, answer, left=True)


def _decided(session: Session, cursor: Cursor, answer: str, *, left: bool) -> tuple[Session, str]:
    visit = replace(_visit(session), decided=(cursor.turn, answer), left=left, told=NOTHING_TOLD)
    return replace(session, visit=visit, faults=0), answer


def _visit(session: Session) -> Visit:
    return session.visit or Visit()


def _told(session: Session, cursor: Cursor) -> Told:
    return _visit(session).told.of(cursor.turn)


def _cut_short(session: Session, turn: Turn, told: Told) -> Session:
    """End a turn with what was said of it; one that was said to its end stays as it is."""
    if not turn.is_over or told.upto < len(turn.pieces):
        session = session.interrupted(turn.id, "".join(turn.pieces[: told.upto]).strip())
    return _without_pieces(session, turn)


def _without_pieces(session: Session, turn: Turn) -> Session:
    """Keep the answer alone: its sentences are needed only while they are spoken one by one."""
    known = session.turn(turn.id)
    return session.with_turn(replace(known, pieces=())) if known and known.pieces else session
