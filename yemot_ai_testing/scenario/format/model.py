"""The data model of a scenario file.

Times are seconds. ``SourceLocation`` is the position of a part in its file.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from yemot_ai_testing.doubles.steps import Step

__all__ = [
    "CALL_ENDINGS",
    "LEFTOVER_KINDS",
    "SERVER_VERBS",
    "VERBS",
    "CallEnding",
    "CallFile",
    "CallerAction",
    "CallerSpec",
    "Edit",
    "Expectation",
    "ExpectedLeftovers",
    "ExpectedTool",
    "InterruptionSpec",
    "Scenario",
    "ScenarioTurn",
    "ServerAction",
    "ServerCommand",
    "ServerVerb",
    "SilenceGrade",
    "SilenceLimits",
    "SourceLocation",
    "ToolReplacement",
    "VerbName",
    "YamlPath",
]

VerbName: TypeAlias = Literal["says", "presses", "records", "silent", "repeats", "hangs_up"]
VERBS: tuple[VerbName, ...] = get_args(VerbName)
ServerVerb: TypeAlias = Literal["posts", "calls"]
SERVER_VERBS: tuple[ServerVerb, ...] = get_args(ServerVerb)

CallEnding: TypeAlias = Literal["agent", "caller", "maybe"]
CALL_ENDINGS: tuple[CallEnding, ...] = get_args(CallEnding)

YamlPath: TypeAlias = tuple[str | int, ...]
"""Keys of mappings and indices of list items that lead to a part of a file."""


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
    """The caller.

    Attributes:
        phone: the number; empty if withheld.
        extension: the dialled extension.
        method: the HTTP method of the line.
        line: fields of ``LineSettings`` and their values for this call; the others are those of the run.
    """

    phone: str = "0501234567"
    extension: str = ""
    method: Literal["GET", "POST"] = "GET"
    line: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class ServerCommand:
    """How to start the server that the line calls.

    Attributes:
        command: a program and its arguments, without a shell; ``{port}`` becomes the port.
        path: the URL path that the line calls.
        within: seconds until the server must accept connections.
    """

    command: tuple[str, ...]
    path: str = "/"
    within: float = 30.0

    def __str__(self) -> str:
        return shlex.join(self.command)


@dataclass(frozen=True, slots=True)
class CallerAction:
    """What the caller does: a verb and its text."""

    verb: VerbName
    text: str = ""


SilenceGrade: TypeAlias = Literal["", "long", "too_long"]


@dataclass(frozen=True, slots=True)
class SilenceLimits:
    """Limits of dead air, in seconds: above ``warn`` the turn has a warning, above ``fail`` it fails."""

    warn: float
    fail: float

    def grade(self, seconds: float) -> SilenceGrade:
        """Return which limit ``seconds`` of silence exceed."""
        return "too_long" if seconds > self.fail else "long" if seconds > self.warn else ""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the caller must hear in a turn; None and empty fields are not checked.

    Attributes:
        contains: texts that must be heard.
        excludes: texts that must not be heard.
        equals: the whole text that must be heard.
        matches: a regular expression to find in the text that is heard.
        read: fields of the ``read`` that waits for the caller at the end of the turn (``mode``, ``name``,
            ``reuse``, or a field of the mode) and their values as text, or a list of texts; empty for any;
            False: there is none.
        play: the messages of a play action, as they are written in the response.
        goto: the target of a ``go_to_folder``.
        ends: whether the call has left the application; ``agent`` or ``caller``: who has ended it;
            ``maybe``: the agent may end it in this turn, and the next turns are played only if it does not.
        same: whether the response equals the previous one, byte for byte.
        within: limits of dead air.
    """

    contains: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    equals: str | None = None
    matches: str | None = None
    read: Mapping[str, str | tuple[str, ...]] | Literal[False] | None = None
    play: tuple[str, ...] = ()
    goto: str | None = None
    ends: bool | CallEnding | None = None
    same: bool | None = None
    within: SilenceLimits | None = None


@dataclass(frozen=True, slots=True)
class InterruptionSpec:
    """What the caller does while the turn runs: press ``keys``, or hang up if they are None."""

    keys: str | None
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class ServerAction:
    """What happens at the server while the turn runs.

    Attributes:
        verb: ``posts``: a POST to a path; ``calls``: a GET of a path, or the call of a Python function.
        target: a path of the server, such as ``/admin/approve``, or ``module:function``.
        data: the names and values of the form that is posted.
        after: seconds after the end of the caller's verb; of a silence, after its start.
    """

    verb: ServerVerb
    target: str
    data: tuple[tuple[str, str], ...] = ()
    after: float = 0.0

    def __str__(self) -> str:
        return f"{self.verb} {self.target}"

    @property
    def is_request(self) -> bool:
        """Whether it is an HTTP request."""
        return self.target.startswith("/")


@dataclass(frozen=True, slots=True)
class ScenarioTurn:
    """One action of the caller and the expected result.

    Attributes:
        location: where the turn begins in the file.
        source: its lines in the file, as the user wrote them.
        action: what the caller does; None where the caller only listens: in a greeting, and where the server
            acts or the call must have ended.
        hears: what the caller must hear.
        agent: the steps of the model.
        interruption: what the caller does before the response is complete.
        server_actions: what happens at the server in that time.
        hears_line: the line of the key ``hears`` in the file; None without it.
    """

    location: SourceLocation
    source: tuple[str, ...] = ()
    action: CallerAction | None = None
    hears: Expectation | None = None
    agent: tuple[Step, ...] = ()
    interruption: InterruptionSpec | None = None
    server_actions: tuple[ServerAction, ...] = ()
    hears_line: int | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement of one text.

    Attributes:
        path: leads to the text.
        old: the present text; None for null.
        new: the new text; None for null.
    """

    path: YamlPath
    old: str | None
    new: str | None


LeftoverKind: TypeAlias = Literal["agent_turns", "sessions_open", "processes", "errors"]
LEFTOVER_KINDS: tuple[LeftoverKind, ...] = get_args(LeftoverKind)


@dataclass(frozen=True, slots=True)
class ToolReplacement:
    """What runs in the place of a tool of the application.

    Attributes:
        name: the tool.
        location: where it begins in the file.
        returns: the result, a value of JSON.
        raises: what the model is told instead, as by a ``ToolError``; None for a result.
        after: seconds before that.
        runs: whether the tool itself runs then.
    """

    name: str
    location: SourceLocation
    returns: Any = None
    raises: str | None = None
    after: float = 0.0
    runs: bool = False


@dataclass(frozen=True, slots=True)
class ExpectedTool:
    """A tool that must have run.

    Attributes:
        name: the tool.
        arguments: values of JSON that it must have got, by name; it may have got others too.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExpectedLeftovers:
    """What is expected after the call.

    Attributes:
        location: where that begins in the file.
        counts: the expected counts.
        tools: the tools that must have run, in this order, and no others; None is not checked.
        check: ``module:function``, which checks the call; empty for none.
    """

    location: SourceLocation
    counts: Mapping[LeftoverKind, int]
    tools: tuple[ExpectedTool, ...] | None = None
    check: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One call.

    Attributes:
        name: in the user's language.
        location: where the scenario begins in its file.
        app: ``module:attr``, or a server to start; None for the application of the run.
        caller: who calls.
        turns: the turns, in order.
        afterwards: what is expected after the call.
        index: its index among the scenarios of the file, from 0.
        order: the order in which tasks of the application run, as a call machine has found it; None runs
            them as they come.
        tools: what runs in the place of tools.
    """

    name: str
    location: SourceLocation
    turns: tuple[ScenarioTurn, ...]
    app: str | ServerCommand | None = None
    caller: CallerSpec = field(default_factory=CallerSpec)
    afterwards: ExpectedLeftovers | None = None
    index: int = 0
    order: str | None = None
    tools: tuple[ToolReplacement, ...] = ()


@dataclass(frozen=True, slots=True)
class CallFile:
    """A scenario file."""

    path: Path
    name: str
    scenarios: tuple[Scenario, ...]
