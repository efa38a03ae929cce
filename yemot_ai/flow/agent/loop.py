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
from yemot_ai.flow.agent.input_modes import InputMode, Utterance, VoiceInput
from yemot_ai.flow.dialog import DialogSettings, KeyAction, to_text_messages
from yemot_ai.flow.rendering import (
    SILENT_PROMPT,
    answer_messages,
    one_level_up,
    piece_messages,
    remaining_messages,
    render_poll,
    render_progress,
)
from yemot_ai.flow.value_names import Cursor, newest_cursor, poll_name, transcript_turn_id, turn_name
from yemot_ai.protocol import Message, Play, Read, Request, Response
from yemot_ai.providers.provider import StreamingProvider
from yemot_ai.sessions import NOTHING_SPOKEN, Session, SpokenProgress, Turn, TurnStatus, Visit
from yemot_ai.turns.conversation import Conversation
from yemot_ai.turns.recording_transcriber import RecordingTranscriber

__all__ = ["AgentFunction", "AgentLoop", "AwaitAnswer", "AwaitTranscript", "Pending"]

_KEYS: Final = re.compile(r"[0-9*#]+")

AgentFunction = Callable[..., "str | Awaitable[str | None] | None"]
"""A developer's function ``(call, text)`` or ``(call, agent)``; sync or async."""


@dataclass(frozen=True, slots=True)
class AwaitAnswer:
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
class AwaitTranscript:
    """A recording has to be transcribed before it is known what to do.

    Attributes:
        turn: the number of the turn that will answer it.
        poll: how often the line has polled for that.
        visit: the number of the visit that it belongs to.
        path: where the recording is.
        transcriber: who transcribes it.
    """

    turn: int
    poll: int
    visit: int
    path: str
    transcriber: RecordingTranscriber

    @property
    def turn_id(self) -> str:
        """The id, in the ledger, of what it says."""
        return transcript_turn_id(self.turn)


Pending = AwaitAnswer | AwaitTranscript
"""What has to be worked out before the line can be answered."""


@dataclass(frozen=True, slots=True)
class AgentLoop:
    """An agent in an extension.

    Attributes:
        extension: where it lives.
        conversation: who answers, and with what memory.
        greeting: said on arrival.
        dialog: sentences, keys, times.
        function: the developer's own part in each turn.
        input_mode: how the caller is listened to.
        transcriber: makes words of the line's values, where these are recordings.
        allow_streaming: whether sentences may be spoken before the answer is whole.
        is_streaming: whether they are: whether the provider hands them over, too.
    """

    extension: str
    conversation: Conversation
    greeting: str
    dialog: DialogSettings
    function: AgentFunction | None = None
    input_mode: InputMode = field(default_factory=VoiceInput)
    transcriber: RecordingTranscriber | None = None
    allow_streaming: bool = True
    is_streaming: bool = field(init=False)

    def __post_init__(self) -> None:
        # Looked at by every poll, and to ask a runtime protocol takes microseconds.
        can_stream = isinstance(self.conversation.provider, StreamingProvider)
        object.__setattr__(self, "is_streaming", self.allow_streaming and can_stream)
        if not to_text_messages(self.greeting):
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
            return self._listen(session, cursor, to_text_messages(self.greeting))
        return (
            self._repeat_poll(session, cursor)
            or self._handle_barge_in(session, cursor, request)
            or self._advance(session, cursor, request)
        )

    def _repeat_poll(self, session: Session, cursor: Cursor) -> tuple[Session, str] | None:
        """Repeat what a request of a running turn was answered."""
        if not _visit(session).spoken_progress.polls:
            return None
        span = _progress(session, cursor).span(cursor.poll)
        if span is None:
            return None
        turn = session.turn(turn_name(cursor.turn)) or Turn(turn_name(cursor.turn), "")
        return session, render_progress(turn, cursor.turn, span, self.dialog)

    def _advance(self, session: Session, cursor: Cursor, request: Request) -> tuple[Session, str | Pending]:
        turn = session.turn(turn_name(cursor.turn))
        if turn is not None and turn.is_done:
            return self._finish_turn(session, cursor, turn)
        if turn is not None and turn.pieces and piece_messages(turn, _progress(session, cursor).spoken_count):
            return self._continue_speaking(session, cursor, turn, len(turn.pieces))
        if self.transcriber is not None:
            return self._transcribe(self.transcriber, session, cursor, request)
        value = request.newest(turn_name(cursor.turn)) or (turn.text if turn else "")
        return self._handle_utterance(session, cursor, self.input_mode.parse(value))

    def keep_polling(self, session: Session, pending: Pending) -> tuple[Session, str]:
        """Decide that the line polls on, where other workers have to know of it."""
        cursor, name = Cursor(pending.turn, pending.poll), turn_name(pending.turn)
        turn = session.turn(name) or Turn(name, "")
        return self._continue_speaking(session, cursor, turn, _progress(session, cursor).spoken_count)

    def render_filler(self, pending: Pending) -> str:
        """Render the poll that the line makes while the turn is not answered."""
        return render_poll(self.dialog, pending.turn, pending.poll + 1)

    def _transcribe(
        self, transcriber: RecordingTranscriber, session: Session, cursor: Cursor, request: Request
    ) -> tuple[Session, str | Pending]:
        """Find out what a recording says, and handle that."""
        heard = session.turn(transcript_turn_id(cursor.turn))
        if heard is None or not heard.is_done:
            path = request.newest(turn_name(cursor.turn)) or (heard.text if heard else "")
            if not path.strip():
                return self._handle_silence(session, cursor)
            return session, AwaitTranscript(
                cursor.turn, cursor.poll, _visit(session).number, path, transcriber
            )
        if heard.status is TurnStatus.FAILED:
            return self._finish_turn(session, cursor, heard)
        return self._handle_utterance(session, cursor, self.input_mode.parse(heard.answer))

    def _handle_utterance(
        self, session: Session, cursor: Cursor, utterance: Utterance
    ) -> tuple[Session, str | AwaitAnswer]:
        """Handle a new utterance: silence, a key, goodbye, or something to answer."""
        if not utterance.words:
            return self._handle_silence(session, cursor)
        match self.dialog.keys.get(utterance.key):
            case KeyAction.LEAVE:
                return self._leave(session, cursor, self.dialog.goodbye)
            case KeyAction.REPEAT:
                return self._listen(session, cursor, self._last_answer(session))
            case KeyAction.RESTART:
                return self._listen(
                    session.with_restart(self.conversation.name), cursor, to_text_messages(self.greeting)
                )
        if self.dialog.is_exit(utterance.words):
            return self._leave(session, cursor, self.dialog.goodbye)
        turn = session.turn(turn_name(cursor.turn))
        pieces = len(turn.pieces) if turn else 0
        return session, AwaitAnswer(cursor.turn, cursor.poll, _visit(session).number, utterance.words, pieces)

    def _handle_barge_in(
        self, session: Session, cursor: Cursor, request: Request
    ) -> tuple[Session, str] | None:
        """Handle a key that was pressed in the newest poll.

        While an answer is spoken every key stops it, and the caller is listened to; while the filler
        plays only the key acts that leaves.
        """
        pressed = request.newest(poll_name(cursor.turn, cursor.poll)) if cursor.poll else None
        if pressed is None or not _KEYS.fullmatch(pressed):
            return None
        key = self.dialog.keys.get(pressed)
        told = _progress(session, cursor)
        before = told.span(cursor.poll - 1)
        has_spoken = before is not None and before[1] < before[2]
        if key is not KeyAction.LEAVE and not has_spoken:
            return None
        turn = session.turn(turn_name(cursor.turn))
        if turn is not None:
            session = _cut_off(session, turn, told)
        match key:
            case KeyAction.LEAVE:
                return self._leave(session, cursor, self.dialog.goodbye)
            case KeyAction.REPEAT:
                return self._listen(session, cursor, self._last_answer(session))
            case KeyAction.RESTART:
                return self._listen(
                    session.with_restart(self.conversation.name), cursor, to_text_messages(self.greeting)
                )
        return self._listen(session, cursor, SILENT_PROMPT)

    def _continue_speaking(
        self, session: Session, cursor: Cursor, turn: Turn, stop: int
    ) -> tuple[Session, str]:
        """Speak the sentences up to ``stop``, if there are new ones, and poll for more."""
        visit = _visit(session)
        told = _progress(session, cursor).with_poll(cursor.poll, stop)
        span = told.span(cursor.poll) or (cursor.poll, stop, stop)
        session = replace(session, visit=replace(visit, spoken_progress=told), faults=0)
        return session, render_progress(turn, cursor.turn, span, self.dialog)

    def _handle_silence(self, session: Session, cursor: Cursor) -> tuple[Session, str]:
        visit = _visit(session)
        silences = visit.silences + 1
        if silences >= self.dialog.max_silences:
            return self._leave(session, cursor, self.dialog.too_many_silences)
        return self._listen(session, cursor, to_text_messages(self.dialog.not_heard), silences=silences)

    def _finish_turn(self, session: Session, cursor: Cursor, turn: Turn) -> tuple[Session, str]:
        """Speak the end of a turn."""
        if turn.failure and isinstance(turn.failure.to_error(), LimitReachedError):
            return self._leave(session, cursor, self.dialog.limit_reached)
        if turn.outcome and turn.status is not TurnStatus.FAILED:
            leaves = Response.parse(turn.outcome).leaves
            return _with_decision(session, cursor, turn.outcome, left=leaves)
        words = remaining_messages(turn, _progress(session, cursor), self.dialog)
        return self._listen(_without_pieces(session, turn), cursor, words)

    def _last_answer(self, session: Session) -> tuple[Message, ...]:
        first = session.visit.first_turn if session.visit else 1
        for turn in reversed(session.turns):
            cursor = newest_cursor(((turn.id, ""),), first)
            if turn.forgotten:
                break
            if cursor and turn.has_answer and not turn.outcome:
                return answer_messages(turn, self.dialog)
        return to_text_messages(self.greeting)

    def _listen(
        self, session: Session, cursor: Cursor, messages: tuple[Message, ...], *, silences: int = 0
    ) -> tuple[Session, str]:
        """Speak, and listen under the next number that this call has never used."""
        number = max(session.next_turn, cursor.turn + 1)
        answer = str(Response((Read(messages, turn_name(number), self.input_mode.read_mode),)))
        visit = replace(_visit(session), silences=silences)
        session = replace(session, next_turn=number + 1, visit=visit)
        return _with_decision(session, cursor, answer, left=False)

    def _leave(self, session: Session, cursor: Cursor, words: str) -> tuple[Session, str]:
        session = replace(session, next_turn=max(session.next_turn, cursor.turn + 1))
        answer = str(Response((Play(to_text_messages(words)), one_level_up(self.extension))))
        return _with_decision(session, cursor, answer, left=True)


def _with_decision(session: Session, cursor: Cursor, answer: str, *, left: bool) -> tuple[Session, str]:
    visit = replace(_visit(session), decided=(cursor.turn, answer), left=left, spoken_progress=NOTHING_SPOKEN)
    return replace(session, visit=visit, faults=0), answer


def _visit(session: Session) -> Visit:
    return session.visit or Visit()


def _progress(session: Session, cursor: Cursor) -> SpokenProgress:
    return _visit(session).spoken_progress.for_turn(cursor.turn)


def _cut_off(session: Session, turn: Turn, progress: SpokenProgress) -> Session:
    """End a turn with what was said of it; one that was said to its end stays as it is."""
    if not turn.is_done or progress.spoken_count < len(turn.pieces):
        session = session.with_interruption(turn.id, "".join(turn.pieces[: progress.spoken_count]).strip())
    return _without_pieces(session, turn)


def _without_pieces(session: Session, turn: Turn) -> Session:
    """Keep the answer alone: its sentences are needed only while they are spoken one by one."""
    known = session.turn(turn.id)
    return session.with_turn(replace(known, pieces=())) if known and known.pieces else session
