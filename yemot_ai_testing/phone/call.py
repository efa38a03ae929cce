"""A call that a person makes by hand: commands one at a time, and what there is to see after each.

>>> from yemot_ai_testing.phone.command import parse_command
>>> def shop(pairs):
...     return "id_list_message=t-תודה" if "name" in dict(pairs) else "read=t-מה שמך=name,no,voice"
>>> with PhoneCall(Caller(shop)) as call:
...     _ = call.wait()
...     call.send(parse_command("says דוד"))
...     _ = call.wait()
>>> [row.text for row in call.view().rows if row.origin == "line"]
['מה שמך', 'תודה']
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Final, Self, TypeAlias

from yemot_ai.errors.code_errors import observe_code_errors
from yemot_ai.tools.observation import observe_tools
from yemot_ai_testing.errors import AppError, EndlessLineError, LineError, NeverDueError, WrongVerbError
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.exchange import LineExchange
from yemot_ai_testing.line.transcript import Sound, SystemSound, heard_text
from yemot_ai_testing.phone.command import PhoneCommand, possible_commands
from yemot_ai_testing.scenario.format.model import ToolReplacement
from yemot_ai_testing.scenario.play.timeline import TimelineEvent, build_timeline, with_tools
from yemot_ai_testing.scenario.play.tools.runs import ToolRuns, line_time

__all__ = ["CallBusyError", "CallView", "Performed", "PhoneCall", "message_for_phone"]

HANGS_UP: Final = "hangs_up"

HINTS: Final = {
    "a new call is a new Caller": "for a new call, --step dial; in the terminal, F5",
    "pass remote=True if that is meant, or servers={…} to a tree of extensions": (
        "add --i-own-this-server if it is yours"
    ),
}
"""The hints of errors of the line that are written for Python, and what they are at the phone."""

CLOSE_SECONDS: Final = 10.0
"""Seconds that a call that is closed waits for an application to answer."""

LINE_ERRORS: Final = (AppError, WrongVerbError, EndlessLineError, LineError, NeverDueError)
"""Errors that the person at the phone reads, and after which the call continues."""


Work: TypeAlias = Callable[[], str]
"""Does something in the call, and returns why it failed; empty if it did not."""


class CallBusyError(WrongVerbError):
    """The line is still busy with the command before; only hanging up is possible."""


@dataclass(frozen=True, slots=True)
class Performed:
    """A command that was done.

    Attributes:
        command: the command; None for dialling.
        heard: what was heard after it.
        dead_air: the longest silence after it, in seconds.
        exchanges: the indices of its first exchange, and of the first one after it.
        began: when, on the monotonic clock.
        sentences: what was heard, one item for each sound.
        asks: how the line listens afterwards: ``voice``, ``tap`` or ``record``; empty if it does not.
        ended: whether the call was over afterwards.
        error: why the line did not take it, or how a turn of a scenario failed; empty if neither.
        failures: the errors of the application's own code, each with its file and line.
        problems: why the line could not use a response, each with what to change.
    """

    command: PhoneCommand | None
    heard: str
    dead_air: float
    exchanges: tuple[int, int]
    began: float
    sentences: tuple[str, ...]
    asks: str = ""
    ended: bool = False
    error: str = ""
    failures: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def notice(self) -> str:
        """What ends a replay; empty if all went well."""
        return self.error or "; ".join(self.failures)

    @property
    def remark(self) -> str:
        """What the person has to know of it; empty if all went well."""
        return self.notice or "; ".join(self.problems)


@dataclass(frozen=True, slots=True)
class CallView:
    """What a person sees of a call.

    Attributes:
        rows: what was said, heard and not heard, in order.
        exchanges: the requests and responses.
        waits_for: what the line waits for, in words.
        possible: the commands that the line takes now.
        busy: a command is being done.
        waiting: seconds since the caller's last action for which the line has been busy; 0 if it is not.
        ended: the call is over.
        notice: why the last command was not done, how the application's own code failed, or why the line
            could not use a response; else empty.
    """

    rows: tuple[TimelineEvent, ...]
    exchanges: tuple[LineExchange, ...]
    waits_for: str
    possible: tuple[str, ...]
    busy: bool
    waiting: float
    ended: bool
    notice: str


class PhoneCall:
    """One call; it dials when it is created.

    Commands run in a thread, one after the other; ``hangs_up`` works at any time.

    Args:
        caller: has not dialled yet, and should not be strict, so that a person hears what callers hear.
        dialled: the extension that the caller dials.
        on_change: called after each command, in its thread.
        dials: whether it dials now; else ``play`` begins.
        tools: what observes the tools of the call; a new one unless given.

    Attributes:
        caller: the caller.
        tools: the calls of tools.
        replaced_tools: what a replayed scenario lets run in the place of tools, for what is saved.
        dialled: see above.
        performed: what was done so far.
    """

    def __init__(
        self,
        caller: Caller,
        *,
        dialled: str = "",
        on_change: Callable[[], object] = lambda: None,
        dials: bool = True,
        tools: ToolRuns | None = None,
    ) -> None:
        self.caller = caller
        self.replaced_tools: tuple[ToolReplacement, ...] = ()
        self.tools = ToolRuns() if tools is None else tools
        self.tools.now = line_time(caller)
        self.dialled = dialled
        self.performed: list[Performed] = []
        self._on_change = on_change
        self._lock = threading.Lock()
        self._started_at = time.monotonic()
        self._running: Future[None] = Future()
        if dials:
            self._submit(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def busy(self) -> bool:
        """Whether a command is being done."""
        return not self._running.done()

    def send(self, command: PhoneCommand) -> None:
        """Begin a command; what it cannot do is said by ``view().notice``.

        Raises:
            CallBusyError: the line is busy, and the command is not ``hangs_up``.
        """
        with self._lock:
            if not self.busy:
                self._submit(command)
                return
        if command.verb != HANGS_UP:
            raise CallBusyError(str(command), waits_for="the line is busy", hint="wait, or hang up")
        self._hang_up_now()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the line waits for the caller again; False if ``seconds`` passed first."""
        try:
            self._running.result(seconds)
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Hang up if the call is not over; an application that does not answer is left alone."""
        caller = self.caller
        if self.busy:
            self._hang_up_now()
        if self.wait(CLOSE_SECONDS) and caller.dialled and not caller.ended:
            self.send(PhoneCommand(HANGS_UP))
            self.wait(CLOSE_SECONDS)
        caller.close()

    def view(self) -> CallView:
        """Return what there is to see now."""
        caller, busy = self.caller, self.busy
        last = self.performed[-1] if self.performed else None
        return CallView(
            rows=tuple(_without_thinking(self._timeline(busy=busy))),
            exchanges=caller.exchanges,
            waits_for=caller.waits_for,
            possible=(HANGS_UP,) if busy else possible_commands(caller.state),
            busy=busy,
            waiting=round(time.monotonic() - self._started_at, 1) if busy else 0.0,
            ended=caller.ended,
            notice="" if busy or last is None else last.remark,
        )

    def _timeline(self, *, busy: bool) -> list[TimelineEvent]:
        """Return the rows so far; each new one comes after those that were there before.

        So a tool has the time of its end. One that has no result, because the caller hung up, ends the rows.
        """
        events = self.caller.transcript
        last = max((event.at for event in events), default=0.0)
        ended = [
            replace(run, at=run.at + run.seconds if run.done else last)
            for run in self.tools
            if run.done or not busy
        ]
        return build_timeline([], after=with_tools(events, ended))

    def play(self, turns: Sequence[tuple[PhoneCommand | None, Work]]) -> None:
        """Begin to do several things, until one of them fails.

        Args:
            turns: each with its command, for what is saved, and its work.
        """
        self._begin(lambda: self._play(turns))

    def _play(self, turns: Sequence[tuple[PhoneCommand | None, Work]]) -> None:
        for command, work in turns:
            self._perform(command, work)
            if self.performed[-1].notice or self.caller.ended:
                return

    def _submit(self, command: PhoneCommand | None) -> None:
        self._begin(lambda: self._perform(command, lambda: self._do(command)))

    def _hang_up_now(self) -> None:
        """Hang up while the line is busy, in a thread of its own: the application may be stuck."""
        if not self.caller.ended:
            threading.Thread(target=self.caller.hangs_up, name="yemot-phone-hangup", daemon=True).start()

    def _begin(self, work: Callable[[], None]) -> None:
        """Run ``work`` in a thread that does not keep the process: an application may never answer."""
        self._started_at = time.monotonic()
        self._running = running = Future[None]()

        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised by ``wait``
                running.set_exception(error)
            else:
                running.set_result(None)

        threading.Thread(target=run, name="yemot-phone", daemon=True).start()

    def _do(self, command: PhoneCommand | None) -> str:
        """Do a command, and return why the line did not take it; empty if it did."""
        try:
            if command is None:
                self.caller.dial()
            else:
                command.perform(self.caller)
        except LINE_ERRORS as error:
            return message_for_phone(error)
        return ""

    def _perform(self, command: PhoneCommand | None, work: Work) -> None:
        caller, first, events = self.caller, len(self.caller.exchanges), len(self.caller.transcript)
        self._started_at = began = time.monotonic()
        with observe_code_errors() as failures, observe_tools(self.tools):
            error = work()
        question, sounds = caller.question, caller.transcript[events:]
        self.performed.append(
            Performed(
                command,
                heard_text(sounds),
                caller.dead_air if sounds else 0.0,
                (first, len(caller.exchanges)),
                began,
                tuple(str(sound) for sound in sounds if isinstance(sound, Sound | SystemSound)),
                "" if question is None else type(question.mode).__name__.lower(),
                caller.ended,
                error,
                tuple(map(str, failures)),
                tuple(dict.fromkeys(_problems(caller.exchanges[first:]))),
            )
        )
        self._on_change()


def message_for_phone(error: Exception) -> str:
    """Return the message of an error of the line, with hints for a person at the phone."""
    message = str(error)
    for hint, replaced in HINTS.items():
        message = message.replace(hint, replaced)
    return message


def _problems(exchanges: Sequence[LineExchange]) -> Iterator[str]:
    for problem in (problem for exchange in exchanges for problem in exchange.problems):
        if problem.level == "error":
            yield f"{problem.message}: {problem.hint}" if problem.hint else problem.message


def _without_thinking(rows: Sequence[TimelineEvent]) -> Iterator[TimelineEvent]:
    """Yield the rows without the silences in which the line waits for the person."""
    for row, following in itertools.zip_longest(rows, rows[1:]):
        is_thinking = row.origin == "silence" and (following is None or following.origin == "caller")
        if not is_thinking:
            yield row
