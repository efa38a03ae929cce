"""The steps of ``agent:``: from the record of the model's answers, else from what an agent spoke.

A log without the model's answers still shows them where the agent loop of this package asked: what followed
the caller's words, and is none of the loop's own sentences, is the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from yemot_ai.flow import DialogSettings
from yemot_ai.protocol import Read, Voice
from yemot_ai_testing.doubles.steps import (
    Answer,
    Crash,
    Cut,
    Drop,
    Failure,
    Hang,
    Malformed,
    Step,
    Transcription,
)
from yemot_ai_testing.from_log.entries import LogTurn
from yemot_ai_testing.from_log.interest import LONG_WAIT
from yemot_ai_testing.from_log.replay import ReplayedTurn
from yemot_ai_testing.scenario.format.model import CallerAction

__all__ = ["ModelAnswers", "assign_turns", "is_agents_question"]

MAX_AFTER: Final = 20.0
"""Seconds at most until an answer."""

ROUNDING: Final = 0.01
"""Seconds by which the times of a record may differ."""

UNKNOWN_TRANSCRIPT: Final = "לא ידוע"
"""In place of the transcript of a recording that the log does not have."""

_SENTENCES: Final = DialogSettings()
_FIXED: Final[Mapping[str, tuple[Step, ...]]] = {
    _SENTENCES.apology: (Failure("quota_exceeded"),),
    _SENTENCES.request_refused: (Failure("refused_request"),),
    **dict.fromkeys(
        (_SENTENCES.not_heard, _SENTENCES.too_many_silences, _SENTENCES.goodbye, _SENTENCES.limit_reached,
         _SENTENCES.call_too_long, _SENTENCES.access_denied, _SENTENCES.internal_error), ()
    ),
}  # fmt: skip
_OF_FAILURES: Final[Mapping[str, tuple[Step, ...]]] = {
    # What is transient is asked for twice.
    "rate_limited": (Failure("rate_limited"), Failure("rate_limited")),
    "overloaded": (Failure("overloaded"), Failure("overloaded")),
    "crashed": (Crash(), Crash()),
    "empty": (Drop(), Drop()),
    "unauthorized": (Failure("unauthorized"),),
    "quota_exceeded": (Failure("quota_exceeded"),),
    "unknown_model": (Failure("unknown_model"),),
    "refused_request": (Failure("refused_request"),),
    "context_overflow": (Failure("context_overflow"),),
    "malformed": (Malformed(),),
    "timeout": (Hang(),),
    "limit": (),
    "agent_function": (),
}


@dataclass(frozen=True, slots=True)
class ModelAnswers:
    """Writes the steps of the turns of one call.

    Args:
        replaced: replaces numbers and names.
        has_turns: whether the log has the model's answers.
        takes_speech: whether each answer to spoken words is the model's, also outside of an agent.
    """

    replaced: Callable[[str], str]
    has_turns: bool
    takes_speech: bool = False

    def steps(
        self, turn: ReplayedTurn, question: Read | None, recorded: Sequence[LogTurn], spoken: str
    ) -> tuple[Step, ...]:
        """Return the steps of a turn.

        Args:
            turn: the turn.
            question: what the caller answered in it.
            recorded: the questions to the model in it, as the log has them.
            spoken: what was spoken then.
        """
        steps = self._answers(turn, question, recorded, spoken)
        if is_agents_question(question) and turn.action is not None and turn.action.verb == "records":
            transcript = self.replaced(recorded[0].text) if recorded else _transcript_before(spoken)
            return (Transcription(transcript), *steps)
        return steps

    def _answers(
        self, turn: ReplayedTurn, question: Read | None, recorded: Sequence[LogTurn], spoken: str
    ) -> tuple[Step, ...]:
        if recorded:
            steps = tuple(step for one in recorded for step in self._recorded(one))
        elif turn.interruption is not None and is_agents_question(question):
            return (Hang(),)
        elif self.has_turns or not self._asks_model(turn.action, question):
            return ()
        else:
            steps = self._spoken(spoken)
        if turn.interruption is None:
            return steps
        return (*steps[:-1], Hang()) if turn.interruption.keys is None else (Hang(), *steps[1:])

    def _recorded(self, turn: LogTurn) -> tuple[Step, ...]:
        self.replaced(turn.text)  # its numbers are known from now on
        if turn.failure == "answer_cut":
            return (Cut("length", (self.replaced(turn.answer) or "…",)),)
        if turn.failure:
            return _OF_FAILURES.get(turn.failure, (Drop(),))
        if turn.interrupted:
            return (Hang(),)
        after = min(round(turn.seconds, 1), MAX_AFTER) if turn.seconds >= LONG_WAIT else 0.0
        return (Answer((self.replaced(turn.answer),), after),)

    def _asks_model(self, action: CallerAction | None, question: Read | None) -> bool:
        """Return whether what the caller did was probably a question to the model."""
        if action is None or question is None or action.verb not in {"says", "presses", "records"}:
            return False
        if not is_agents_question(question):
            return self.takes_speech and action.verb == "says" and isinstance(question.mode, Voice)
        return action.text not in _SENTENCES.keys and not _SENTENCES.is_exit(action.text)

    def _spoken(self, spoken: str) -> tuple[Step, ...]:
        if spoken in _FIXED or not spoken:
            return _FIXED.get(spoken, ())
        if spoken.endswith(_SENTENCES.answer_cut_off):
            text = spoken.removesuffix(_SENTENCES.answer_cut_off).strip()
            return (Cut("length", (self.replaced(text) or "…",)),)
        return (Answer((self.replaced(spoken),)),)


def _transcript_before(spoken: str) -> str:
    """Return a transcript after which the agent loop speaks what it spoke."""
    if _SENTENCES.not_heard in spoken or _SENTENCES.too_many_silences in spoken:
        return ""
    return min(_SENTENCES.exit_words) if _SENTENCES.goodbye in spoken else UNKNOWN_TRANSCRIPT


def is_agents_question(question: Read | None) -> bool:
    """Return whether the agent loop of this package asks: its values are ``ai_1``, ``ai_2``."""
    return question is not None and question.name.startswith("ai_") and question.name[3:].isdecimal()


def assign_turns(turns: Sequence[ReplayedTurn], recorded: Sequence[LogTurn]) -> list[list[LogTurn]]:
    """Return the questions to the model of each turn: those that were asked after its first request."""
    assigned: list[list[LogTurn]] = [[] for _ in turns]
    starts = [(turn.logged[0].at, index) for index, turn in enumerate(turns) if turn.logged]
    for question in recorded:
        before = [index for at, index in starts if at is not None and at <= question.started + ROUNDING]
        if before:
            assigned[before[-1]].append(question)
    return assigned
