"""A phone call as it is written down, before anybody calls.

Times are seconds. ``SourceLocation`` leads every part back to the line of the file it stands on.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from yemot_ai_testing.doubles.script import Step

__all__ = [
    "LEFTOVER_KINDS",
    "VERBS",
    "CallFile",
    "CallerAction",
    "CallerSpec",
    "Expectation",
    "ExpectedLeftovers",
    "InterruptionSpec",
    "ReadExpectation",
    "Scenario",
    "ScenarioTurn",
    "ServerCommand",
    "SilenceLimits",
    "SourceLocation",
    "VerbName",
]

VerbName: TypeAlias = Literal["says", "presses", "records", "silent", "repeats", "hangs_up"]
VERBS: tuple[VerbName, ...] = get_args(VerbName)


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A line and a column, both counted from 1."""

    path: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class CallerSpec:
    """Who calls, and where."""

    phone: str = "0501234567"
    extension: str = ""
    method: Literal["GET", "POST"] = "GET"


@dataclass(frozen=True, slots=True)
class ServerCommand:
    """How the server that is called is started.

    Attributes:
        command: a program and its arguments, without a shell; ``{port}`` becomes the port.
        path: where on the server the line calls.
        within: how long it may take until it accepts connections, in seconds.
    """

    command: tuple[str, ...]
    path: str = "/"
    within: float = 30.0

    def __str__(self) -> str:
        return shlex.join(self.command)


@dataclass(frozen=True, slots=True)
class CallerAction:
    """What the caller does: a verb, and with what."""

    verb: VerbName
    text: str = ""


@dataclass(frozen=True, slots=True)
class SilenceLimits:
    """How long the line may be silent, in seconds: from ``warn`` on it is told, from ``fail`` on it fails."""

    warn: float
    fail: float


@dataclass(frozen=True, slots=True)
class ReadExpectation:
    """What the last answer's ``read`` must be; an empty mapping: any.

    Attributes:
        fields: field name (``mode``, ``name``, ``reuse``, or a field of the mode) to its value as text.
    """

    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the caller must hear in a turn; None and empty mean: whatever.

    Attributes:
        contains: texts that must be among what is heard.
        excludes: texts that must not.
        equals: all that is heard.
        matches: a regular expression to be found in what is heard.
        read: what the line asks in the end; False: nothing.
        play: the messages of a play action, as they are written in the answer.
        goto: the target of a ``go_to_folder``.
        ends: whether the call has left the application.
        same: the answer is, byte for byte, the one before.
        within: how long the line may be silent.
    """

    contains: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    equals: str | None = None
    matches: str | None = None
    read: ReadExpectation | Literal[False] | None = None
    play: tuple[str, ...] = ()
    goto: str | None = None
    ends: bool | None = None
    same: bool | None = None
    within: SilenceLimits | None = None


@dataclass(frozen=True, slots=True)
class InterruptionSpec:
    """What the caller does while the turn runs; ``keys`` None: hangs up."""

    keys: str | None
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class ScenarioTurn:
    """One thing the caller does and what comes of it.

    Attributes:
        location: where it begins in the file.
        source: its lines in the file, as the user wrote them.
        action: what the caller does; None: only listens, on arrival.
        hears: what must be heard.
        agent: what the model does, step by step.
        interruption: what the caller does before the answer is complete.
    """

    location: SourceLocation
    source: tuple[str, ...] = ()
    action: CallerAction | None = None
    hears: Expectation | None = None
    agent: tuple[Step, ...] = ()
    interruption: InterruptionSpec | None = None
    hears_line: int | None = None


LeftoverKind: TypeAlias = Literal["agent_turns", "sessions_open", "processes"]
LEFTOVER_KINDS: tuple[LeftoverKind, ...] = get_args(LeftoverKind)


@dataclass(frozen=True, slots=True)
class ExpectedLeftovers:
    """What must be counted once the call is over."""

    location: SourceLocation
    counts: Mapping[LeftoverKind, int]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One call.

    Attributes:
        name: in the user's language.
        location: where it begins.
        app: ``module:attr``, or a server to be started; None for the run's own.
        caller: who calls.
        turns: what happens.
        afterwards: what is left behind.
        index: its place among the scenarios of its file, from 0.
    """

    name: str
    location: SourceLocation
    turns: tuple[ScenarioTurn, ...]
    app: str | ServerCommand | None = None
    caller: CallerSpec = field(default_factory=CallerSpec)
    afterwards: ExpectedLeftovers | None = None
    index: int = 0

    @property
    def has_model_steps(self) -> bool:
        """Whether a double must stand behind the application."""
        return any(turn.agent for turn in self.turns)


@dataclass(frozen=True, slots=True)
class CallFile:
    """A file of scenarios."""

    path: Path
    name: str
    scenarios: tuple[Scenario, ...]
