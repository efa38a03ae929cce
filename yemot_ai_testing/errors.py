"""The exceptions of the toolkit.

Each message says what happened on the line, and what to change. ``LineError`` and ``ScenarioFailedError`` are
assertion errors: they are the failure of a test, not a crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "AppError",
    "CallOverError",
    "CallerNotAskedError",
    "DeadlockError",
    "EndlessLineError",
    "IsolationError",
    "LineError",
    "LogFormatError",
    "NeverDueError",
    "OrderSyntaxError",
    "ScenarioFailedError",
    "ScenarioLoadError",
    "ServerFailedError",
    "ToolkitError",
    "WrongVerbError",
]


class ToolkitError(Exception):
    """The base class of all exceptions that ``yemot_ai_testing`` raises."""


class AppError(ToolkitError, ValueError):
    """The object or name is not an application that the line can call."""


class LineError(ToolkitError, AssertionError):
    """The application sent something for which a real line plays the error M1607.

    Attributes:
        code: a stable code (a lint code, or ``late``, ``status`` …).
        body: the response; empty if there is none.
        hint: what to change.
    """

    def __init__(self, problem: str, *, code: str, body: str = "", hint: str = "") -> None:
        self.code = code
        self.body = body
        self.hint = hint
        lines = [f"{code}: {problem}", f"  the response: {body!r}" if body else "  there is no response"]
        super().__init__("\n".join([*lines, f"  hint: {hint}"] if hint else lines))


class WrongVerbError(ToolkitError, AssertionError):
    """The caller did something that the line does not wait for.

    Attributes:
        verb: what the caller did.
        waits_for: what the line waits for, as a clause.
    """

    def __init__(self, verb: str, *, waits_for: str, hint: str = "") -> None:
        self.verb = verb
        self.waits_for = waits_for
        message = f"the caller {verb}, but {waits_for}"
        super().__init__(f"{message}: {hint}" if hint else message)


class CallOverError(WrongVerbError):
    """The caller did something in a call that is over or that has not been dialled."""


class NeverDueError(ToolkitError, AssertionError):
    """A function that was scheduled for the answer to a verb did not run: the line waited before.

    Attributes:
        name: what it was.
        after: for when it was scheduled, in seconds after the caller's verb.
        seconds: after how many seconds the line waited for the caller, or the call was over.
    """

    def __init__(self, name: str, *, after: float, seconds: float, waits_for: str) -> None:
        self.name = name
        self.after = after
        self.seconds = seconds
        super().__init__(
            f"{name} was due {after:g} s after the caller's verb, but after {seconds:.1f} s {waits_for}"
        )


class CallerNotAskedError(ToolkitError, AssertionError):
    """The first caller of a call machine cannot speak, because the line does not wait for speech.

    Attributes:
        waits_for: what the line waits for, as a clause.
        heard: what the caller has heard.
        method: how the line has sent its requests, GET or POST.
    """

    def __init__(self, waits_for: str, *, heard: str, method: str = "GET") -> None:
        self.waits_for = waits_for
        self.heard = heard
        self.method = method
        by_post = only_get = ""
        if method == "POST":
            by_post = ", by POST"
            only_get = ', or `methods = ("GET",)` (hunt: --method GET) if it takes no POST'
        super().__init__(
            f"the line does not listen to the first caller, who has heard {heard!r}{by_post}: {waits_for}. "
            "Override `reach_agent(caller)` to bring callers to an agent, or set `extension` to its folder"
            f"{only_get}"
        )


class EndlessLineError(ToolkitError, AssertionError):
    """The application answered many requests in a row without waiting for the caller.

    Attributes:
        requests: the number of requests since the last action of the caller.
        seconds: the time since then, on the clock of the line.
        warnings: what is doubtful in the last response.
        mistake: the mistake of the application that causes it; empty if none is known.
    """

    def __init__(
        self,
        *,
        requests: int,
        seconds: float,
        body: str,
        warnings: tuple[str, ...] = (),
        mistake: str = "",
    ) -> None:
        self.requests = requests
        self.seconds = seconds
        self.warnings = warnings
        self.mistake = mistake
        causes = "; ".join(warnings) or "do polls, a re-used value or go_to_folder=. make a loop?"
        prefix = f"{mistake}: " if mistake else ""
        super().__init__(
            f"{prefix}after {requests} requests in {seconds:g} s the line still does not wait for the "
            f"caller; the last response was {body!r}: {causes}"
        )


class OrderSyntaxError(ToolkitError, ValueError):
    """A text is not an order of tasks.

    Attributes:
        text: the text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(
            f"{text!r} is not an order: write for example 'arrival', 'chance 7', 'priorities 7, changes 3 9' "
            "or 'arrival, cancel worker 2 before 5'"
        )


class DeadlockError(ToolkitError, RuntimeError):
    """Tasks wait for each other: none is ready, no timer is set, and no thread or file can wake one.

    Attributes:
        waiting: the names of the functions of the tasks that wait.
    """

    def __init__(self, waiting: Sequence[str]) -> None:
        self.waiting = tuple(waiting)
        super().__init__(f"these tasks wait forever, with nothing that can wake them: {', '.join(waiting)}")


class IsolationError(ToolkitError, PermissionError):
    """An isolated test tried to access the network, or to start a program that is not allowed.

    An ``OSError``, so that code that handles network errors handles this one, too; the test fails in any
    case.

    Attributes:
        hint: what to change.
    """

    def __init__(self, errno: int, message: str, *, hint: str) -> None:
        self.hint = hint
        super().__init__(errno, f"{message}; {hint}")


class ScenarioLoadError(ToolkitError, ValueError):
    """A scenario file is invalid; the message has all its mistakes.

    Attributes:
        problems: one line each, ``file:line:column: what is wrong and what is allowed``.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class LogFormatError(ToolkitError, ValueError):
    """A file is no log of calls.

    Attributes:
        path: the file.
        reason: why, as a clause.
    """

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} {reason}")


class ServerFailedError(ToolkitError, RuntimeError):
    """A server that scenarios call does not start.

    Attributes:
        output: the end of its output.
    """

    def __init__(self, problem: str, *, output: str = "") -> None:
        self.output = output
        super().__init__("\n".join([problem, *(f"  | {line}" for line in output.splitlines())]))


class ScenarioFailedError(ToolkitError, AssertionError):
    """A call did not meet the expectations of its scenario; the message is the report.

    Attributes:
        kind: the kind of the failure, from a closed list.
    """

    def __init__(self, report: str, *, kind: str) -> None:
        self.kind = kind
        super().__init__(report)
