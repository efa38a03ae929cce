"""A call as a person would tell it, line by line.

What is written down is in the order in which it was said, never turned around, and without characters that
control direction: whoever reads it in a pipe, a log or a terminal gets the same text. What is Latin stands
first in a line and what was said last, so that a terminal which shows right-to-left text as such, and one
which does not, both keep the columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from yemot_ai_testing.line.transcript import Transcript
from yemot_ai_testing.scenario.play.result import ScenarioResult
from yemot_ai_testing.scenario.play.timeline import (
    Origin,
    SilenceGrade,
    TimelineEvent,
    TurnEvent,
    build_timeline,
)

__all__ = [
    "ConversationLine",
    "conversation_lines",
    "escape_controls",
    "heading",
    "render_result",
    "render_transcript",
    "timeline_lines",
]

VERB_LABELS = {
    "says": "caller",
    "presses": "keys",
    "records": "caller",
    "dials": "dials",
    "is silent": "caller",
    "hangs up": "caller",
    "repeats": "again",
}
KIND_LABELS = {"speaks": "line", "silence": "· · ·", "enters": "→", "ends": "end"}
CONTROL_CHARACTERS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What moves a cursor, ends a line, turns text around, or cannot be written as UTF-8."""


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """One line of a conversation.

    Attributes:
        at: seconds since the call began.
        origin: whose line it is; what a colour hangs on.
        label: how that is said.
        text: what was said or done.
        grade: of a silence, whether it is longer than it may be.
    """

    at: float
    origin: Origin
    label: str
    text: str
    grade: SilenceGrade = ""

    def __str__(self) -> str:
        minutes, seconds = divmod(round(self.at, 1), 60)
        return f"  {int(minutes):2}:{seconds:04.1f}  {self.label:>7}  {escape_controls(self.text)}".rstrip()


def conversation_lines(outcome: ScenarioResult) -> list[ConversationLine]:
    """Return the call line by line, its dead air in place."""
    return timeline_lines(build_timeline(outcome.turn_events))


def timeline_lines(call: Iterable[TimelineEvent]) -> list[ConversationLine]:
    """Return the lines that ``call`` makes; what the line says in one breath is one."""
    joined: list[ConversationLine] = []
    for line in map(_line, call):
        last = joined[-1] if joined else None
        if last is not None and last.origin == line.origin == "line":
            joined[-1] = ConversationLine(last.at, "line", "line", f"{last.text} | {line.text}")
        else:
            joined.append(line)
    return joined


def heading(outcome: ScenarioResult) -> str:
    """Return the line above a conversation: how it went, the caller, and the scenario's name."""
    caller = outcome.scenario.caller
    number = caller.phone or "withheld number"
    where = caller.extension.strip("/")
    return escape_controls(f"{outcome.state}: {number} → /{where}  {outcome.scenario.name}")


def render_result(outcome: ScenarioResult) -> str:
    """Return heading and conversation as plain text."""
    return "\n".join([heading(outcome), *map(str, conversation_lines(outcome))])


def render_transcript(transcript: Transcript) -> str:
    """Return a call that is no scenario as plain text."""
    return "\n".join(map(str, timeline_lines(build_timeline(TurnEvent(event, 0) for event in transcript))))


def escape_controls(text: str) -> str:
    r"""Return ``text`` with everything that would act on a terminal made visible.

    >>> escape_controls("ערב\x1b[2Jטוב")
    'ערב\\x1b[2Jטוב'
    """
    return CONTROL_CHARACTERS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def _line(beat: TimelineEvent) -> ConversationLine:
    return ConversationLine(beat.at, beat.origin, _label(beat), _line_text(beat), beat.grade)


def _label(beat: TimelineEvent) -> str:
    if beat.origin == "platform":
        return "yemot"
    return VERB_LABELS.get(beat.kind, "caller") if beat.origin == "caller" else KIND_LABELS[beat.kind]


def _line_text(beat: TimelineEvent) -> str:
    match beat.kind:
        case "says":
            return f"“{beat.text}”"
        case "presses":
            return f"[{beat.text}]"
        case "silence":
            return _silence_text(beat)
    if beat.origin != "caller" or beat.kind == "dials":
        return beat.text
    return f"{beat.kind} {beat.text}".rstrip()


def _silence_text(beat: TimelineEvent) -> str:
    told = f"{beat.seconds:.1f} s of silence"
    if beat.bound is None:
        return told
    bound = f"{beat.bound:g} s"
    return f"{told}, at most {bound} may pass" if beat.grade == "too_long" else f"{told}, more than {bound}"
