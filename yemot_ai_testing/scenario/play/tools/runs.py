"""The runs of tools during calls, and what runs in the place of tools.

>>> from yemot_ai.sessions import ToolUse, Turn
>>> runs = ToolRuns()
>>> step = Turn("ai_1.tool1", "", tool=ToolUse("order_status", '{"id": 7}', "", 1), answer="מוכנה")
>>> _ = runs.tool_starts("call-1", step)
>>> runs.tool_done("call-1", step)
>>> [(run.name, run.arguments, run.result) for run in runs]
[('order_status', {'id': 7}, 'מוכנה')]
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from yemot_ai.errors import ToolError, ToolNotConfirmedError, ToolUnknownError
from yemot_ai.errors.missing_names import closest
from yemot_ai.sessions import ToolUse, Turn
from yemot_ai.tools.observation import ToolReplacement as Replacement
from yemot_ai_testing.errors import AppError, ToolkitError
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.clock import CombinedClock
from yemot_ai_testing.scenario.format.model import Scenario, ToolReplacement

__all__ = [
    "ToolRun",
    "ToolRuns",
    "UnknownToolError",
    "declared_tools",
    "line_time",
    "tools_of",
    "unknown_tool",
]


class UnknownToolError(ToolkitError, LookupError):
    """The application has no tool of a name; the message has those that it has."""


@dataclass(frozen=True, slots=True)
class ToolRun:
    """One call of a tool by the model.

    Attributes:
        name: the tool, as the model has named it.
        arguments: the arguments, as the model has written them; a text if they are no JSON object.
        call_id: the call of the line.
        turn_id: names the run within that call.
        at: when it began, on the clock of the line.
        seconds: how long it took.
        times: how often its function has run in this process; 0: it did not run.
        done: whether it has ended.
        result: what the model was told; empty before that.
        failure: why there is no result, as ``TurnFailure.kind``: ``tool_failed``, ``tool_unknown`` (nobody
            knows whether it was done) or ``tool_not_confirmed`` (the caller is asked first); else empty.
        message: the failure in words.
        use: what the model has written, and in which of its messages.
    """

    name: str
    arguments: Mapping[str, Any] | str
    call_id: str
    turn_id: str
    at: float = 0.0
    seconds: float = 0.0
    times: int = 0
    done: bool = False
    result: str = ""
    failure: str = ""
    message: str = ""
    use: ToolUse | None = field(default=None, repr=False, compare=False)

    @property
    def has_run(self) -> bool:
        """Whether its function has run, or may have."""
        return self.times > 0 or self.is_unknown

    @property
    def is_unknown(self) -> bool:
        """Whether nobody knows what it has done."""
        return self.failure == ToolUnknownError.kind or not self.done

    @property
    def has_failed(self) -> bool:
        """Whether it has no result; one that waits for the caller's consent has not failed."""
        return self.is_unknown or self.failure not in {"", ToolNotConfirmedError.kind}

    @property
    def outcome(self) -> str:
        """How it ended, in words; empty if it has a result."""
        if not self.done:
            return "has no result"
        words = {"": "", ToolUnknownError.kind: "unknown", ToolNotConfirmedError.kind: "asks for consent"}
        return words.get(self.failure, "failed")

    def __str__(self) -> str:
        return f"{self.name}({_shown(self.arguments)})"


def _shown(arguments: Mapping[str, Any] | str) -> str:
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False) if arguments else ""


@dataclass(slots=True)
class ToolRuns:
    """What a test sees of tools; iterating yields the runs, oldest first.

    Args:
        now: returns the time of the line.

    Attributes:
        known: the tools of the application; None if they are not known.
    """

    now: Callable[[], float] = time.monotonic
    known: Sequence[str] | None = None
    _runs: dict[tuple[str, str], ToolRun] = field(default_factory=dict)
    _replacements: dict[str, Replacement] = field(default_factory=dict)

    def __iter__(self) -> Iterator[ToolRun]:
        return iter(tuple(self._runs.values()))

    def __len__(self) -> int:
        return len(self._runs)

    @property
    def calls(self) -> tuple[ToolRun, ...]:
        """The calls of tools so far, oldest first."""
        return tuple(self)

    def replace(
        self,
        name: str,
        *,
        returns: Any = None,  # noqa: ANN401 - a value of JSON
        raises: str | None = None,
        after: float = 0.0,
        function: Callable[..., Any] | None = None,
    ) -> None:
        """Let something run in the place of a tool; its schema stays.

        Args:
            name: the tool.
            returns: the result.
            raises: what the model is told instead of a result, as by a ``ToolError``.
            after: seconds before that.
            function: is called with the arguments, and returns the result; ``def`` or ``async def``.

        Raises:
            UnknownToolError: the application has no such tool.
        """
        self._check(name)

        async def run(arguments: Mapping[str, Any], _tool: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - as above
            await asyncio.sleep(after)
            if raises is not None:
                raise ToolError(raises)
            result = returns if function is None else function(**arguments)
            return await result if isinstance(result, Awaitable) else result

        self._replacements[name] = run

    def use(self, replacement: ToolReplacement) -> None:
        """Let what a scenario says run in the place of a tool.

        Raises:
            UnknownToolError: the application has no such tool.
        """
        self.replace(
            replacement.name, returns=replacement.returns, raises=replacement.raises, after=replacement.after
        )
        if replacement.runs:
            self._replacements[replacement.name] = _delayed(replacement.after)

    def observe(self, known: Sequence[str] | None, now: Callable[[], float]) -> None:
        """Observe the calls of a caller from now.

        Args:
            known: the tools of what is called; None if they are not known.
            now: returns the time of the line.

        Raises:
            UnknownToolError: something was replaced that is no tool of it.
        """
        self.known, self.now = known, now
        for name in self._replacements:
            self._check(name)

    def _check(self, name: str) -> None:
        if problem := unknown_tool(name, self.known):
            raise UnknownToolError(problem)

    def tool_starts(self, call_id: str, turn: Turn) -> Replacement | None:
        """Take note of a run that begins; return what runs in the place of the tool."""
        run = self._runs.get((call_id, turn.id)) or self._new_run(call_id, turn)
        self._runs[call_id, turn.id] = replace(run, times=run.times + 1)
        return self._replacements.get(run.name)

    def tool_done(self, call_id: str, turn: Turn) -> None:
        """Take note of the end of a call of a tool."""
        run = self._runs.get((call_id, turn.id)) or self._new_run(call_id, turn)
        failure = turn.failure
        self._runs[call_id, turn.id] = replace(
            run,
            done=not turn.interrupted,
            seconds=max(self.now() - run.at, 0.0),
            result=turn.answer,
            failure=failure.kind if failure else "",
            message=failure.message if failure else "",
        )

    def _new_run(self, call_id: str, turn: Turn) -> ToolRun:
        use = turn.tool
        name, arguments = (use.name, use.arguments) if use is not None else ("", "")
        return ToolRun(name, _parsed(arguments), call_id, turn.id, at=self.now(), use=use)


def unknown_tool(name: str, known: Sequence[str] | None) -> str:
    """Return that there is no such tool, with those that there are; empty if it is known, or none is."""
    if known is None or name in known:
        return ""
    similar = closest(name, known)
    hint = f" (did you mean {similar!r}?)" if similar else ""
    return f"no tool {name!r}{hint}; there are {', '.join(known) or 'none'}"


def _delayed(seconds: float) -> Replacement:
    async def run(_arguments: Mapping[str, Any], tool: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - the result of a tool
        await asyncio.sleep(seconds)
        return await tool()

    return run


def _parsed(arguments: str) -> Mapping[str, Any] | str:
    try:
        parsed = json.loads(arguments or "{}")
    except ValueError:
        return arguments
    return parsed if isinstance(parsed, dict) else arguments


def tools_of(scenario: Scenario, app: object) -> ToolRuns:
    """Return what observes the tools of a call, with what the scenario lets run in their place.

    Args:
        scenario: the scenario.
        app: the application.

    Raises:
        AppError: the application has no such tool.
    """
    tools = ToolRuns(known=declared_tools(app))
    for replacement in scenario.tools:
        try:
            tools.use(replacement)
        except UnknownToolError as error:
            raise AppError(f"{replacement.location}: tool: {error}") from error
    return tools


def declared_tools(app: object) -> Sequence[str] | None:
    """Return the tools of an ``AIFlow``; None for an application whose tools are not known."""
    toolboxes = getattr(getattr(app, "ai", None), "toolboxes", None)
    if toolboxes is None:
        return None
    return sorted({name for toolbox in toolboxes.values() for name in toolbox.tools})


def line_time(caller: Caller) -> Callable[[], float]:
    """Return a function that returns the time of a caller's line; the loop of an engine may call it.

    The common time of several engines can only be read where none of them works; in such a call it is the
    time of the newest event.
    """
    clock = caller.schedule.inner
    if isinstance(clock, CombinedClock):
        return lambda: max((event.at for event in caller.transcript), default=0.0)
    return clock.now
