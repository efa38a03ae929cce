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
from yemot_ai_testing.scenario.play.result import Outcome
from yemot_ai_testing.scenario.play.timeline import Beat, Grade, Happened, Who, beats

__all__ = ["Line", "conversation", "heading", "lines_of", "plain", "printable", "told"]

DOING = {
    "says": "caller",
    "presses": "keys",
    "records": "caller",
    "dials": "dials",
    "is silent": "caller",
    "hangs up": "caller",
    "repeats": "again",
}
LABELS = {"speaks": "line", "silence": "· · ·", "enters": "→", "ends": "end"}
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves a cursor, ends a line, turns text around, or cannot be written as UTF-8."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a conversation.

    Attributes:
        at: seconds since the call began.
        who: whose line it is; what a colour hangs on.
        label: how that is said.
        text: what was said or done.
        grade: of a silence, whether it is longer than it may be.
    """

    at: float
    who: Who
    label: str
    text: str
    grade: Grade = ""

    def __str__(self) -> str:
        minutes, seconds = divmod(round(self.at, 1), 60)
        return f"  {int(minutes):2}:{seconds:04.1f}  {self.label:>7}  {printable(self.text)}".rstrip()


def conversation(outcome: Outcome) -> list[Line]:
    """Return the call line by line, its dead air in place."""
    return lines_of(beats(outcome.events))


def lines_of(call: Iterable[Beat]) -> list[Line]:
    """Return the lines that ``call`` makes; what the line says in one breath is one."""
    joined: list[Line] = []
    for line in map(_line, call):
        last = joined[-1] if joined else None
        if last is not None and last.who == line.who == "line":
            joined[-1] = Line(last.at, "line", "line", f"{last.text} | {line.text}")
        else:
            joined.append(line)
    return joined


def heading(outcome: Outcome) -> str:
    """Return the line above a conversation: how it went, the caller, and the scenario's name."""
    caller = outcome.scenario.caller
    number = caller.phone or "withheld number"
    where = caller.extension.strip("/")
    return printable(f"{outcome.state}: {number} → /{where}  {outcome.scenario.name}")


def plain(outcome: Outcome) -> str:
    """Return heading and conversation as plain text."""
    return "\n".join([heading(outcome), *map(str, conversation(outcome))])


def told(transcript: Transcript) -> str:
    """Return a call that is no scenario as plain text."""
    return "\n".join(map(str, lines_of(beats(Happened(event, 0) for event in transcript))))


def printable(text: str) -> str:
    r"""Return ``text`` with everything that would act on a terminal made visible.

    >>> printable("ערב\x1b[2Jטוב")
    'ערב\\x1b[2Jטוב'
    """
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def _line(beat: Beat) -> Line:
    return Line(beat.at, beat.who, _label(beat), _told(beat), beat.grade)


def _label(beat: Beat) -> str:
    if beat.who == "platform":
        return "yemot"
    return DOING.get(beat.deed, "caller") if beat.who == "caller" else LABELS[beat.deed]


def _told(beat: Beat) -> str:
    match beat.deed:
        case "says":
            return f"“{beat.text}”"
        case "presses":
            return f"[{beat.text}]"
        case "silence":
            return _silence(beat)
    if beat.who != "caller" or beat.deed == "dials":
        return beat.text
    return f"{beat.deed} {beat.text}".rstrip()


def _silence(beat: Beat) -> str:
    told = f"{beat.seconds:.1f} s of silence"
    if beat.bound is None:
        return told
    bound = f"{beat.bound:g} s"
    return f"{told}, at most {bound} may pass" if beat.grade == "too_long" else f"{told}, more than {bound}"
