"""The agent loop: listen, wait, speak.

``AgentLoop.step`` is a pure function of the session and the request. It returns the response, or the
turn that has to be answered first. Every worker with the session decides the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from yemot_ai._turns.conversation import Conversation
from yemot_ai._turns.recording_transcriber import RecordingTranscriber
from yemot_ai.errors import LimitReachedError
from yemot_ai.flow.agent.announcements import spoken_at, with_announcement
from yemot_ai.flow.agent.input_modes import InputMode, Utterance
from yemot_ai.flow.dialog import DialogSettings, KeyAction
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
from yemot_ai.sessions import NOTHING_SPOKEN, Session, SpokenProgress, Turn, TurnStatus, Visit

__all__ = ["AgentLoop", "AwaitAnswer", "AwaitTranscript", "Pending"]

_KEYS: Final = re.compile(r"[0-9*#]+")


@dataclass(frozen=True, slots=True)
class AwaitAnswer:
    """A turn has to be answered first.

    Attributes:
        turn: number of the turn.
        poll: number of polls for it so far.
        visit: number of its visit.
        text: what the caller said.
        pieces: number of pieces of the answer that are stored, none of which can be spoken.
    """

    turn: int
    poll: int
    visit: int
    text: str
    pieces: int = 0

    @property
    def turn_id(self) -> str:
        """The turn's id in the ledger."""
        return turn_name(self.turn)


@dataclass(frozen=True, slots=True)
class AwaitTranscript:
    """A recording has to be transcribed first.

    Attributes:
        turn: number of the turn that will answer it.
        poll: number of polls for it so far.
        visit: number of its visit.
        path: path of the recording on the line.
        transcriber: transcribes it.
    """

    turn: int
    poll: int
    visit: int
    path: str
    transcriber: RecordingTranscriber

    @property
    def turn_id(self) -> str:
        """The id of the transcription in the ledger."""
        return transcript_turn_id(self.turn)


Pending = AwaitAnswer | AwaitTranscript
"""The work that a response has to wait for."""


@dataclass(frozen=True, slots=True)
class AgentLoop:
    """An agent in an extension.

    Attributes:
        extension: the agent's extension.
        conversation: asks the provider.
        greeting: spoken when a visit starts.
        dialog: sentences, keys, times.
        function: the developer's function, called in each turn.
        is_async: whether it is async.
        wants_agent: whether its second parameter is ``agent``.
        input_mode: how the agent takes an utterance.
        transcriber: turns the line's values into text if they are recordings.
        is_streaming: whether pieces are spoken before the answer is complete.
    """

    extension: str
    conversation: Conversation
    greeting: str
    dialog: DialogSettings
    function: Callable[..., Any]
    is_async: bool
    wants_agent: bool
    input_mode: InputMode
    transcriber: RecordingTranscriber | None
    is_streaming: bool

    def step(self, session: Session, request: Request) -> tuple[Session, str | Pending]:
        """Decide the response to ``request``.

        Args:
            session: the session, with the visit of the request.
            request: the request.

        Returns:
            The session to save (the same object if nothing changed), and the response or the work
            that it has to wait for.
        """
        visit = _visit(session)
        cursor = newest_cursor(request.values, visit.first_turn, session.next_turn) or Cursor(0, 0)
        decided_turn, decided = visit.decided
        if decided and cursor.turn <= decided_turn:
            return session, decided
        if cursor.turn == 0:
            return self._listen(session, cursor, self.dialog.to_messages(self.greeting))
        return (
            self._repeat_poll(session, cursor)
            or self._handle_barge_in(session, cursor, request)
            or self._advance(session, cursor, request)
        )

    def _repeat_poll(self, session: Session, cursor: Cursor) -> tuple[Session, str] | None:
        """Return the response again that this poll of a running turn got before, if any."""
        if not _visit(session).spoken_progress.polls:
            return None
        span = _progress(session, cursor).span(cursor.poll)
        if span is None:
            return None
        turn = session.turn(turn_name(cursor.turn)) or Turn(turn_name(cursor.turn), "")
        return session, self._render_progress(session, turn, cursor.turn, span)

    def _render_progress(self, session: Session, turn: Turn, number: int, span: tuple[int, int, int]) -> str:
        """Render the response to a request while a turn runs: a slow tool has a filler of its own."""
        says = spoken_at(session, turn.id, span[0] + 1)
        return render_progress(turn, number, span, self.dialog, filler=self.dialog.to_messages(says))

    def _advance(self, session: Session, cursor: Cursor, request: Request) -> tuple[Session, str | Pending]:
        turn = session.turn(turn_name(cursor.turn))
        if turn is not None and turn.is_done:
            return self._finish_turn(session, cursor, turn)
        if (
            turn is not None
            and turn.pieces
            and piece_messages(turn, self.dialog, _spoken_count(session, cursor))
        ):
            return self._continue_speaking(session, cursor, turn, len(turn.pieces))
        if self.transcriber is not None:
            return self._transcribe(self.transcriber, session, cursor, request)
        value = request.newest(turn_name(cursor.turn)) or (turn.text if turn else "")
        return self._handle_utterance(session, cursor, self.input_mode.parse(value))

    def keep_polling(self, session: Session, pending: Pending) -> tuple[Session, str]:
        """Respond with a poll, and store it for other workers."""
        cursor, name = Cursor(pending.turn, pending.poll), turn_name(pending.turn)
        turn = session.turn(name) or Turn(name, "")
        session = with_announcement(session, name, pending.poll + 1)
        return self._continue_speaking(session, cursor, turn, _spoken_count(session, cursor))

    @property
    def announces(self) -> bool:
        """Whether a tool has a sentence of its own for callers who wait for it."""
        tools = self.conversation.tools
        return tools is not None and any(tool.says for tool in tools.toolbox.tools.values())

    def render_filler(self, pending: Pending) -> str:
        """Render the poll for a turn that has no answer yet."""
        return render_poll(self.dialog, pending.turn, pending.poll + 1)

    def _transcribe(
        self, transcriber: RecordingTranscriber, session: Session, cursor: Cursor, request: Request
    ) -> tuple[Session, str | Pending]:
        """Handle the transcript of a recording, or return the transcription as pending."""
        transcript = session.turn(transcript_turn_id(cursor.turn))
        if transcript is None or not transcript.is_done:
            path = request.newest(turn_name(cursor.turn)) or (transcript.text if transcript else "")
            if not path.strip():
                return self._handle_silence(session, cursor)
            return session, AwaitTranscript(
                cursor.turn, cursor.poll, _visit(session).number, path, transcriber
            )
        if transcript.status is TurnStatus.FAILED:
            return self._finish_turn(session, cursor, transcript)
        return self._handle_utterance(session, cursor, self.input_mode.parse(transcript.answer))

    def _handle_utterance(
        self, session: Session, cursor: Cursor, utterance: Utterance
    ) -> tuple[Session, str | AwaitAnswer]:
        """Handle a new utterance: silence, a key, goodbye, or something to answer."""
        if not utterance.words:
            return self._handle_silence(session, cursor)
        action = self.dialog.keys.get(utterance.key)
        if action is not None:
            return self._act(session, cursor, action)
        if self.dialog.is_exit(utterance.words):
            return self._leave(session, cursor, self.dialog.goodbye)
        turn = session.turn(turn_name(cursor.turn))
        pieces = len(turn.pieces) if turn else 0
        return session, AwaitAnswer(cursor.turn, cursor.poll, _visit(session).number, utterance.words, pieces)

    def _handle_barge_in(
        self, session: Session, cursor: Cursor, request: Request
    ) -> tuple[Session, str] | None:
        """Handle a key that was pressed in the newest poll.

        While an answer is spoken, every key stops it and the agent listens. While the filler plays,
        only the key for ``KeyAction.LEAVE`` has an effect.
        """
        pressed = request.newest(poll_name(cursor.turn, cursor.poll)) if cursor.poll else None
        if pressed is None or not _KEYS.fullmatch(pressed):
            return None
        action = self.dialog.keys.get(pressed)
        progress = _progress(session, cursor)
        span = progress.span(cursor.poll - 1)
        was_speaking = span is not None and span[1] < span[2]
        if action is not KeyAction.LEAVE and not was_speaking:
            return None
        turn = session.turn(turn_name(cursor.turn))
        if turn is not None:
            session = _cut_off(session, turn, progress)
        if action is not None:
            return self._act(session, cursor, action)
        return self._listen(session, cursor, SILENT_PROMPT)

    def _act(self, session: Session, cursor: Cursor, action: KeyAction) -> tuple[Session, str]:
        match action:
            case KeyAction.LEAVE:
                return self._leave(session, cursor, self.dialog.goodbye)
            case KeyAction.REPEAT:
                return self._listen(session, cursor, self._last_answer(session))
            case KeyAction.RESTART:
                session = session.with_restart(self.conversation.name)
                return self._listen(session, cursor, self.dialog.to_messages(self.greeting))

    def _continue_speaking(
        self, session: Session, cursor: Cursor, turn: Turn, stop: int
    ) -> tuple[Session, str]:
        """Speak the new pieces up to ``stop``, if there are any, and poll for more."""
        visit = _visit(session)
        progress = _progress(session, cursor).with_poll(cursor.poll, stop)
        span = progress.span(cursor.poll) or (cursor.poll, stop, stop)
        session = replace(session, visit=replace(visit, spoken_progress=progress), faults=0)
        return session, self._render_progress(session, turn, cursor.turn, span)

    def _handle_silence(self, session: Session, cursor: Cursor) -> tuple[Session, str]:
        visit = _visit(session)
        silences = visit.silences + 1
        if silences >= self.dialog.max_silences:
            return self._leave(session, cursor, self.dialog.too_many_silences)
        sentences = (self.dialog.not_heard, session.open_question)
        messages = tuple(message for text in sentences if text for message in self.dialog.to_messages(text))
        return self._listen(session, cursor, messages, silences=silences)

    def _finish_turn(self, session: Session, cursor: Cursor, turn: Turn) -> tuple[Session, str]:
        """Speak what is left of a turn that is done."""
        if turn.failure and isinstance(turn.failure.to_error(), LimitReachedError):
            return self._leave(session, cursor, self.dialog.limit_reached)
        if turn.outcome and turn.status is not TurnStatus.FAILED:
            leaves = Response.parse(turn.outcome).leaves
            return _with_decision(session, cursor, turn.outcome, left=leaves)
        messages = remaining_messages(turn, _spoken_count(session, cursor), self.dialog)
        return self._listen(_without_pieces(session, turn), cursor, messages)

    def _last_answer(self, session: Session) -> tuple[Message, ...]:
        first = session.visit.first_turn if session.visit else 1
        for turn in reversed(session.turns):
            cursor = newest_cursor(((turn.id, ""),), first)
            if turn.forgotten:
                break
            if cursor and turn.has_answer and not turn.outcome:
                return answer_messages(turn, self.dialog)
        return self.dialog.to_messages(self.greeting)

    def _listen(
        self, session: Session, cursor: Cursor, messages: tuple[Message, ...], *, silences: int = 0
    ) -> tuple[Session, str]:
        """Speak, and listen with the next turn number that this call has not used."""
        number = max(session.next_turn, cursor.turn + 1)
        response = str(Response((Read(messages, turn_name(number), self.input_mode.read_mode),)))
        return _with_decision(session, cursor, response, next_turn=number + 1, silences=silences)

    def _leave(self, session: Session, cursor: Cursor, sentence: str) -> tuple[Session, str]:
        response = str(Response((Play(self.dialog.to_messages(sentence)), one_level_up(self.extension))))
        next_turn = max(session.next_turn, cursor.turn + 1)
        return _with_decision(session, cursor, response, next_turn=next_turn, left=True)


def _with_decision(  # noqa: PLR0913 - what a decision changes
    session: Session,
    cursor: Cursor,
    response: str,
    *,
    next_turn: int | None = None,
    left: bool = False,
    silences: int | None = None,
) -> tuple[Session, str]:
    before = _visit(session)
    visit = replace(
        before,
        decided=(cursor.turn, response),
        left=left,
        silences=before.silences if silences is None else silences,
        spoken_progress=NOTHING_SPOKEN,
    )
    next_turn = session.next_turn if next_turn is None else next_turn
    return replace(session, visit=visit, next_turn=next_turn, faults=0), response


def _visit(session: Session) -> Visit:
    return session.visit or Visit()


def _spoken_count(session: Session, cursor: Cursor) -> int:
    return _progress(session, cursor).spoken_count if _visit(session).spoken_progress.polls else 0


def _progress(session: Session, cursor: Cursor) -> SpokenProgress:
    return _visit(session).spoken_progress.for_turn(cursor.turn)


def _cut_off(session: Session, turn: Turn, progress: SpokenProgress) -> Session:
    """End a turn with the part that was spoken; a turn that was spoken completely is unchanged."""
    if not turn.is_spoken(progress.spoken_count):
        session = session.with_interruption(turn.id, "".join(turn.pieces[: progress.spoken_count]).strip())
    return _without_pieces(session, turn)


def _without_pieces(session: Session, turn: Turn) -> Session:
    """Drop the pieces of a turn, which are needed only while they are spoken one by one."""
    stored = session.turn(turn.id)
    return session.with_turn(replace(stored, pieces=())) if stored and stored.pieces else session
