"""A call as a person would read it, and a failure as a person can act on it."""

from __future__ import annotations

import shlex
import traceback
from dataclasses import dataclass
from typing import Literal, TypeAlias

from yemot_ai_testing.line.heard import Beep, Ended, Event, HoldMusic, Moved, Sound, SystemSound, Verb
from yemot_ai_testing.scenario.outcome import Failure, Outcome

__all__ = ["Line", "conversation", "failure_report", "heading", "plain", "tally"]

QUIET = 1.0
"""Seconds of silence from which on it is shown."""

MAX_LINES = 15
DOING = {
    "says": "caller",
    "presses": "keys",
    "records": "caller",
    "dials": "dials",
    "is silent": "caller",
    "hangs up": "caller",
    "repeats": "again",
}
Who: TypeAlias = Literal["caller", "line", "platform", "silence", "place"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a conversation.

    Attributes:
        at: seconds since the call began.
        who: whose line it is; what a colour hangs on.
        label: how that is said.
        text: what was said or done.
    """

    at: float
    who: Who
    label: str
    text: str

    def __str__(self) -> str:
        minutes, seconds = divmod(self.at, 60)
        return f"  {int(minutes):2}:{seconds:04.1f}  {self.label:>7}  {self.text}".rstrip()


def conversation(outcome: Outcome) -> list[Line]:
    """Return the call line by line, its dead air in place."""
    events = list(outcome.transcript)
    began = events[0].at if events else 0.0
    lines: list[Line] = []
    quiet_since: float | None = None
    for event in events:
        if quiet_since is not None and not isinstance(event, Moved) and event.at - quiet_since >= QUIET:
            gap = event.at - quiet_since
            lines.append(Line(quiet_since - began, "silence", "· · ·", f"{gap:.1f} s of silence"))
        if not isinstance(event, HoldMusic) or event.seconds >= QUIET:
            lines.append(_line(event, event.at - began))
        if not isinstance(event, Moved):
            quiet_since = _end(event)
    return _joined(lines)


def heading(outcome: Outcome) -> str:
    """Return the line above a conversation: the scenario, its caller and how it went."""
    caller = outcome.scenario.caller
    number = caller.phone or "withheld number"
    state = "fake only" if outcome.fake_only else "FAILED" if outcome.failure else "ok"
    return f"{outcome.scenario.name}  ({number} → /{caller.extension.strip('/')}, {state})"


def plain(outcome: Outcome) -> str:
    """Return heading and conversation as plain text."""
    return "\n".join([heading(outcome), *map(str, conversation(outcome))])


def tally(calls: int, agent_turns: int, fake_only: int = 0) -> str:
    """Return the line that ends a run."""
    words = [_counted(calls, "call"), _counted(agent_turns, "agent turn")]
    return " · ".join([*words, f"{fake_only} fake only"] if fake_only else words)


def failure_report(outcome: Outcome, failure: Failure, *, replay: tuple[str, ...]) -> str:
    """Return at most 15 lines: where, of which kind, the turn as written, the call so far, how to replay.

    Args:
        outcome: the whole of it.
        failure: why it failed.
        replay: the command that plays this scenario again.
    """
    head = [
        _where(outcome, failure),
        *(f"  {message}" for message in failure.messages[:3]),
        *_origin(failure.cause),
    ]
    source = _annotated(outcome, failure)[:5]
    tail = [f"replay: {shlex.join(replay)}"]
    room = MAX_LINES - len(head) - len(source) - len(tail) - 1
    lines = [str(line) for line in conversation(outcome)]
    story = ["the call so far:", *lines[-room:]] if lines and room > 0 else []
    return "\n".join([*head, *source, *story, *tail])


def _where(outcome: Outcome, failure: Failure) -> str:
    where = f"{failure.place}: {failure.kind}"
    if failure.turn is None:
        return f"{where} · after the call"
    return f"{where} · turn {failure.turn} of {len(outcome.turns)}"


def _origin(cause: BaseException | None) -> list[str]:
    """Return where the application raised, if it did."""
    frames = traceback.extract_tb(cause.__traceback__) if cause else []
    return [f"  raised at {frames[-1].filename}:{frames[-1].lineno}"] if frames else []


def _annotated(outcome: Outcome, failure: Failure) -> list[str]:
    """Return the failed turn in the user's own YAML, what was heard beside its ``hears``."""
    if failure.turn is None:
        return []
    result = outcome.turns[failure.turn - 1]
    lines = list(result.turn.source)
    if not lines:
        return []
    beside = 0 if result.turn.hears_line is None else result.turn.hears_line - result.turn.place.line
    lines[beside] = f"{lines[beside]}   # heard: {_cut(result.heard) or 'nothing'}"
    return lines if beside < len(lines[:5]) else [lines[0], lines[beside]]


def _line(event: Event, at: float) -> Line:
    match event:
        case Verb(name=name, text=text):
            said = f"“{text}”" if name == "says" else f"[{text}]" if name == "presses" else f"{name} {text}"
            return Line(at, "caller", DOING.get(name, "caller"), text if name == "dials" else said.rstrip())
        case Sound(text=text):
            return Line(at, "line", "line", text)
        case SystemSound() | Beep() | HoldMusic():
            return Line(at, "platform", "yemot", str(event))
        case Moved():
            return Line(at, "place", "→", str(event))
        case Ended(why=why):
            return Line(at, "place", "end", why)


def _joined(lines: list[Line]) -> list[Line]:
    """Join what the line says in one breath."""
    joined: list[Line] = []
    for line in lines:
        last = joined[-1] if joined else None
        if last is not None and last.who == line.who == "line":
            joined[-1] = Line(last.at, "line", "line", f"{last.text} | {line.text}")
        else:
            joined.append(line)
    return joined


def _end(event: Event) -> float:
    return event.at + (0.0 if isinstance(event, Moved | Ended) else event.seconds)


def _cut(text: str, limit: int = 100) -> str:
    return text if len(text) <= limit else f"…{text[-limit:]}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
