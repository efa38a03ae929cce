"""Render a call as plain text, one line for each event.

Text is in logical order, without characters that control direction, so a pipe, a log and a terminal get the
same text. In each line Latin text comes first and the spoken text last, so that terminals with and without
support for right-to-left text keep the columns.
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
"""Characters that move the cursor, end a line, change direction, or cannot be encoded as UTF-8."""


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """One line of a conversation.

    Attributes:
        at: seconds since the call began.
        origin: who or what caused it; selects the colour.
        label: the label in the second column.
        text: the spoken text or the description.
        grade: of a silence, whether it exceeds a limit.
    """

    at: float
    origin: Origin
    label: str
    text: str
    grade: SilenceGrade = ""

    def __str__(self) -> str:
        minutes, seconds = divmod(round(self.at, 1), 60)
        return f"  {int(minutes):2}:{seconds:04.1f}  {self.label:>7}  {escape_controls(self.text)}".rstrip()


def conversation_lines(result: ScenarioResult) -> list[ConversationLine]:
    """Return the lines of the call, with its silences."""
    return timeline_lines(build_timeline(result.turn_events))


def timeline_lines(timeline: Iterable[TimelineEvent]) -> list[ConversationLine]:
    """Return the lines of a timeline; consecutive texts of the line are one."""
    joined: list[ConversationLine] = []
    for line in map(_line, timeline):
        last = joined[-1] if joined else None
        if last is not None and last.origin == line.origin == "line":
            joined[-1] = ConversationLine(last.at, "line", "line", f"{last.text} | {line.text}")
        else:
            joined.append(line)
    return joined


def heading(result: ScenarioResult) -> str:
    """Return the heading of a conversation: outcome, caller, and the name of the scenario."""
    caller = result.scenario.caller
    number = caller.phone or "withheld number"
    extension = caller.extension.strip("/")
    return escape_controls(f"{result.state}: {number} → /{extension}  {result.scenario.name}")


def render_result(result: ScenarioResult) -> str:
    """Return the heading and the conversation."""
    return "\n".join([heading(result), *map(str, conversation_lines(result))])


def render_transcript(transcript: Transcript) -> str:
    """Return the conversation of a call without a scenario."""
    return "\n".join(map(str, timeline_lines(build_timeline(TurnEvent(event, 0) for event in transcript))))


def escape_controls(text: str) -> str:
    r"""Escape the characters of ``text`` that a terminal would act on.

    >>> escape_controls("ערב\x1b[2Jטוב")
    'ערב\\x1b[2Jטוב'
    """
    return CONTROL_CHARACTERS.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def _line(event: TimelineEvent) -> ConversationLine:
    return ConversationLine(event.at, event.origin, _label(event), _line_text(event), event.grade)


def _label(event: TimelineEvent) -> str:
    if event.origin == "platform":
        return "yemot"
    return VERB_LABELS.get(event.kind, "caller") if event.origin == "caller" else KIND_LABELS[event.kind]


def _line_text(event: TimelineEvent) -> str:
    match event.kind:
        case "says":
            return f"“{event.text}”"
        case "presses":
            return f"[{event.text}]"
        case "silence":
            return _silence_text(event)
    if event.origin != "caller" or event.kind == "dials":
        return event.text
    return f"{event.kind} {event.text}".rstrip()


def _silence_text(event: TimelineEvent) -> str:
    silence = f"{event.seconds:.1f} s of silence"
    if event.bound is None:
        return silence
    bound = f"{event.bound:g} s"
    return (
        f"{silence}, at most {bound} may pass"
        if event.grade == "too_long"
        else f"{silence}, more than {bound}"
    )
