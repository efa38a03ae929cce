"""Render a call as plain text, one line for each event.

Text is in logical order, without characters that control direction, so a pipe, a log and a terminal get the
same text. In each line Latin text comes first and the spoken text last, so that terminals with and without
support for right-to-left text keep the columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from yemot_ai_testing.line.transcript import Transcript
from yemot_ai_testing.scenario.play.timeline import (
    TimelineEvent,
    build_timeline,
    in_order,
    join_speech,
    with_tools,
)
from yemot_ai_testing.scenario.play.tools.runs import ToolRun

__all__ = ["conversation_lines", "escape_controls", "render_transcript"]

LABELS = {
    "presses": "keys",
    "dials": "dials",
    "repeats": "again",
    "speaks": "line",
    "silence": "· · ·",
    "acts": "server",
    "tool": "tool",
    "tool failed": "tool",
    "enters": "→",
    "ends": "end",
}
CONTROL_CHARACTERS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that move the cursor, end a line, change direction, or cannot be encoded as UTF-8."""


def conversation_lines(timeline: Iterable[TimelineEvent]) -> Iterator[tuple[TimelineEvent, str]]:
    """Yield the lines of a conversation, each with its first event; consecutive texts of the line are one."""
    for first, *others in join_speech(timeline, lambda event: event.origin == "line"):
        text = " | ".join([_text(first), *map(_text, others)])
        minutes, seconds = divmod(round(first.at, 1), 60)
        clock = f"{int(minutes):2}:{seconds:04.1f}"
        yield first, f"  {clock}  {_label(first):>7}  {escape_controls(text)}".rstrip()


def render_transcript(transcript: Transcript, tools: Sequence[ToolRun] = ()) -> str:
    """Return the conversation of a call without a scenario, with the calls of tools."""
    timeline = in_order(build_timeline([], after=with_tools(transcript, tools)))
    return "\n".join(line for _, line in conversation_lines(timeline))


def escape_controls(text: str) -> str:
    r"""Escape the characters of ``text`` that a terminal would act on.

    >>> escape_controls("ערב\x1b[2Jטוב")
    'ערב\\x1b[2Jטוב'
    """
    return CONTROL_CHARACTERS.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def _label(event: TimelineEvent) -> str:
    return "yemot" if event.origin == "platform" else LABELS.get(event.kind, "caller")


def _text(event: TimelineEvent) -> str:
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
    limit = ""
    if event.bound is not None:
        bound = f"{event.bound:g} s"
        limit = f", at most {bound} may pass" if event.grade == "too_long" else f", more than {bound}"
    return f"{event.seconds:.1f} s of silence{limit}"
