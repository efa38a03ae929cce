"""What the toolkit itself complains about, in one tree.

An error of the toolkit says what happened on the line, and the way out. ``LineError`` and
``ScenarioFailedError`` are assertions: a test that meets one has failed, not crashed.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "AppError",
    "CallOverError",
    "CallerNotAskedError",
    "EndlessLineError",
    "IsolationError",
    "LineError",
    "ScenarioFailedError",
    "ScenarioLoadError",
    "ServerFailedError",
    "ToolkitError",
    "WrongVerbError",
]


class ToolkitError(Exception):
    """The root of what ``yemot_ai_testing`` raises on purpose."""


class AppError(ToolkitError, ValueError):
    """The thing to be called is no application that the line can reach."""


class LineError(ToolkitError, AssertionError):
    """The server gave the line something that a real line answers with M1607.

    Attributes:
        code: a stable word for what was wrong (a lint code, or ``late``, ``status`` …).
        body: what the server sent, as far as it sent anything.
        hint: what to change.
    """

    def __init__(self, problem: str, *, code: str, body: str = "", hint: str = "") -> None:
        self.code = code
        self.body = body
        self.hint = hint
        lines = [f"{code}: {problem}", f"  the answer: {body!r}" if body else "  there is no answer"]
        super().__init__("\n".join([*lines, f"  the way out: {hint}"] if hint else lines))


class WrongVerbError(ToolkitError, AssertionError):
    """The caller did something that the line is not waiting for.

    Attributes:
        verb: what the caller did.
        waits_for: what the line waits for, in words.
    """

    def __init__(self, verb: str, *, waits_for: str, hint: str = "") -> None:
        self.verb = verb
        self.waits_for = waits_for
        message = f"the caller {verb}, but {waits_for}"
        super().__init__(f"{message}: {hint}" if hint else message)


class CallOverError(WrongVerbError):
    """The caller did something on a call that is over, or not yet dialled."""


class CallerNotAskedError(ToolkitError, AssertionError):
    """Nobody listens to the first caller of a machine, so that nothing can be tried.

    Attributes:
        waits_for: what the line waits for instead, in words.
        heard: what the caller has heard.
    """

    def __init__(self, waits_for: str, *, heard: str) -> None:
        self.waits_for = waits_for
        self.heard = heard
        super().__init__(
            f"nobody listens to the first caller, who has heard {heard!r}: {waits_for}. "
            "Let `arrives(caller)` bring callers to where they can speak, or set `extension` to where that is"
        )


class EndlessLineError(ToolkitError, AssertionError):
    """The server kept the line busy without ever letting the caller do something.

    Attributes:
        requests: how many requests went by since the caller last did something.
        seconds: how long that took on the line's clock.
    """

    def __init__(self, *, requests: int, seconds: float, body: str) -> None:
        self.requests = requests
        self.seconds = seconds
        super().__init__(
            f"{requests} requests in {seconds:g} s went by and the line does not wait for the caller yet; "
            f"the last answer was {body!r}: does a poll, a re-used value or go_to_folder=. "
            "go round in a circle?"
        )


class IsolationError(ToolkitError, PermissionError):
    """A guarded test was about to leave this machine, or to start a program that is not ours.

    An ``OSError``, so that code which copes with a network that is away copes with this one, too; the test
    fails all the same.

    Attributes:
        hint: what to change.
    """

    def __init__(self, errno: int, message: str, *, hint: str) -> None:
        self.hint = hint
        super().__init__(errno, f"{message}; {hint}")


class ScenarioLoadError(ToolkitError, ValueError):
    """A scenario file cannot be understood; all its mistakes at once.

    Attributes:
        problems: one line each, ``file:line:column: what is wrong and what is allowed``.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class ServerFailedError(ToolkitError, RuntimeError):
    """A server that scenarios call does not start.

    Attributes:
        output: the end of what it has written.
    """

    def __init__(self, problem: str, *, output: str = "") -> None:
        self.output = output
        super().__init__("\n".join([problem, *(f"  | {line}" for line in output.splitlines())]))


class ScenarioFailedError(ToolkitError, AssertionError):
    """A scenario did not go as it says; the message is the report of the failure.

    Attributes:
        kind: the word of the closed list that classes the failure.
    """

    def __init__(self, report: str, *, kind: str) -> None:
        self.kind = kind
        super().__init__(report)
