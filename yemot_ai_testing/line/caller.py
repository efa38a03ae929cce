"""A scripted caller: does what a person does on the phone, and hears what a person hears.

>>> from yemot_ai_testing.line.caller import Caller
>>> def shop(pairs):
...     if "name" in dict(pairs):
...         return "id_list_message=t-תודה " + dict(pairs)["name"] + "&go_to_folder=hangup"
...     return "read=t-מה שמך=name,no,voice"
>>> caller = Caller(shop)
>>> caller.dial()
'מה שמך'
>>> caller.says("דוד")
'תודה דוד'
>>> caller.ended
True
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from yemot_ai.protocol import Record, Tap, Voice
from yemot_ai_testing.errors import AppError, CallOverError, WrongVerbError
from yemot_ai_testing.line import questions
from yemot_ai_testing.line.call import Call, CallerId
from yemot_ai_testing.line.clock import clock_of
from yemot_ai_testing.line.course import Course
from yemot_ai_testing.line.folders import bare
from yemot_ai_testing.line.heard import (
    SECONDS_PER_CHARACTER,
    Transcript,
)
from yemot_ai_testing.line.interruption import Interruption, at_once
from yemot_ai_testing.line.settings import LineSettings
from yemot_ai_testing.line.transports import transport_to

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self, Unpack

    from yemot_ai.protocol import Read, Response
    from yemot_ai_testing.line.clock import Clock
    from yemot_ai_testing.line.exchange import Exchange, LineProblem
    from yemot_ai_testing.line.settings import Method, Switches

__all__ = ["Caller"]

SECONDS_PER_KEY = 0.3


class Caller:
    """One person calling one application.

    Each verb runs the line until it waits for the caller again, or the call is over, and returns what
    was heard meanwhile. Reads that need nobody (a poll: one key, at most 4 s, empty accepted) answer
    themselves. Several callers may call one application at once, each from a thread of its own;
    ``hangs_up`` may also come from another thread while a verb runs.

    Args:
        app: an ``AIFlow`` or ``Flow``, a WSGI or ASGI application, a function of (name, value) pairs,
            an ``http://`` url, or None for a line without ``api_link``.
        phone: ``ApiPhone``; empty for a withheld number.
        extension: where the caller dials in; ``""`` is the root.
        method: ``GET`` or ``POST``.
        clock: the line's time; without one it is the application's virtual clock, else the wall.
        strict: raise a ``LineError`` for an answer that a real line would meet with M1607.
        remote: an url may point beyond this machine.
        call_id: ``ApiCallId``; a fresh one without.
        switches: any of ``LineSettings``.

    Raises:
        AppError: ``app`` cannot be called, or the number or the extension is no text.
    """

    def __init__(  # noqa: PLR0913 - the line has that many switches, and each has a default
        self,
        app: object,
        phone: str = "0501234567",
        extension: str = "",
        method: Method = "GET",
        *,
        clock: Clock | None = None,
        strict: bool = True,
        remote: bool = False,
        call_id: str | None = None,
        **switches: Unpack[Switches],
    ) -> None:
        if method not in {"GET", "POST"}:
            raise AppError(f"the line calls with GET or POST, not {method!r}")
        _check_text("phone", phone, "0501234567")
        _check_text("extension", extension, "1/2")
        self.settings = LineSettings(method=method, **switches)
        clock = clock or clock_of(app)
        self._transport = (
            None if app is None else transport_to(app, self.settings, clock=clock, remote=remote)
        )
        who = CallerId(phone, call_id or secrets.token_hex(20))
        self._call = Call(self._transport, self.settings, clock, who)
        self._course = Course(self._call, strict=strict)
        self._dialled_to = bare(extension)
        self._dialled = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        if self._dialled and not self.ended:
            self.hangs_up()
        self.close()

    def close(self) -> None:
        """Let go of the way to the application; the call itself stays as it is."""
        if self._transport is not None:
            self._transport.close()

    # -- what the caller does

    def dial(self) -> str:
        """Call the line and listen.

        Returns:
            What was heard until the line waited, or the call was over.

        Raises:
            CallOverError: this caller has dialled before.
        """
        if self._dialled:
            raise CallOverError("dials", waits_for="has dialled already", hint="a new call is a new Caller")
        self._dialled = True
        self._course.begin("dials", f"/{self._dialled_to}", seconds=0)
        self._call.enter(self._dialled_to)
        return self._course.settle()

    def says(self, text: str) -> str:
        """Speak.

        Args:
            text: what the line's speech recognition understands.

        Raises:
            WrongVerbError: the line does not listen to speech now.
        """
        read = self._question("says", Voice)
        if not text:
            raise WrongVerbError("says nothing", waits_for=self.waits_for, hint="use silent()")
        self._course.begin("says", text, seconds=len(text) * SECONDS_PER_CHARACTER)
        questions.spoken(self._call, read, text)
        return self._course.settle()

    def presses(self, keys: str) -> str:
        """Press keys.

        Args:
            keys: digits, ``*`` and ``#``; the line waits its time after the last key unless ``#`` or the
                greatest number of digits ends the input.

        Raises:
            WrongVerbError: the line does not take keys now, or not that many.
        """
        read = self._question("presses", Tap, Voice, Record)
        outcome = questions.outcome(self._call, read, keys)
        self._course.begin("presses", keys, seconds=len(keys) * SECONDS_PER_KEY)
        questions.pressed(self._call, read, keys, outcome)
        return self._course.settle()

    def records(self, path: str = "/1/000.wav") -> str:
        """Record something and end it with ``#``.

        Args:
            path: where the platform stored it; the value that the application gets.

        Raises:
            WrongVerbError: the line does not record now.
        """
        read = self._question("records", Record)
        self._course.begin("records", path, seconds=1)
        questions.recorded(self._call, read, path)
        return self._course.settle()

    def silent(self) -> str:
        """Neither speak nor press anything until the line has had enough.

        Raises:
            WrongVerbError: the line records: silence is a recording like any other.
        """
        read = self._question("keeps silent", Tap, Voice)
        self._course.begin("is silent", "", seconds=questions.patience(read))
        questions.unanswered(self._call, read)
        return self._course.settle()

    def repeats(self) -> str:
        """Let the line send its last request again, byte for byte, as a line that got no answer may.

        Raises:
            CallOverError: nothing was sent yet.
        """
        last = next((e for e in reversed(self._call.exchanges) if not e.hangup), None)
        if last is None:
            raise CallOverError("repeats", waits_for="has sent no request yet", hint="dial() first")
        self._course.begin("repeats", "the last request", seconds=0)
        self._call.repeat(last)
        return self._course.settle()

    def hangs_up(self) -> str:
        """Hang up; also while a verb runs, from another thread.

        Raises:
            CallOverError: the call is over.
        """
        if not self._dialled or (self._call.over and not self._call.elsewhere):
            raise self._not_now("hangs up")
        if self._course.running:
            self._course.hang_up()
            return ""
        self._course.begin("hangs up", "", seconds=0)
        self._call.hang_up()
        return self._course.settle()

    def interrupts(
        self, keys: str | None = None, *, after: float = 0.0, once: Callable[[], bool] = at_once
    ) -> None:
        """Do something while the next verb's answer is being made.

        Args:
            keys: what the line gets at its next poll; None hangs up, at any time.
            after: seconds after the end of the verb.
            once: a gate: nothing happens before it is true.
        """
        self._course.interruption = Interruption(keys, after, once)

    # -- what came of it

    @property
    def heard(self) -> str:
        """What was heard since the last verb."""
        return self._course.heard

    @property
    def response(self) -> Response:
        """The last answer that the line understood.

        Raises:
            CallOverError: there is none yet.
        """
        for exchange in reversed(self._call.exchanges):
            if exchange.response is not None:
                return exchange.response
        raise CallOverError("looks for the answer", waits_for="has had no answer yet", hint="dial() first")

    @property
    def raw(self) -> str:
        """The last answer, byte for byte; empty before the first."""
        return next((e.body for e in reversed(self._call.exchanges) if not e.hangup), "")

    @property
    def dialled(self) -> bool:
        """Whether this caller has dialled."""
        return self._dialled

    @property
    def ended(self) -> bool:
        """Whether the call has left the application's extensions."""
        return self._call.over

    @property
    def extension(self) -> str:
        """Where the caller is."""
        return self._call.extension

    @property
    def call_id(self) -> str:
        """The call's ``ApiCallId``."""
        return self._call.who.call_id

    @property
    def phone(self) -> str:
        """The caller's number."""
        return self._call.who.phone

    @property
    def transcript(self) -> Transcript:
        """Everything that happened so far; ``str()`` of it is readable."""
        return Transcript(self._call.transcript)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Every request with its raw answer."""
        return tuple(self._call.exchanges)

    @property
    def problems(self) -> tuple[LineProblem, ...]:
        """Everything that was wrong with the answers, warnings included."""
        return self._call.problems

    @property
    def dead_air(self) -> float:
        """The longest silence, in seconds, since the end of the last verb."""
        return self._course.dead_air

    @property
    def question(self) -> Read | None:
        """The read that waits for this caller; None if none does."""
        return self._call.question

    @property
    def waits_for(self) -> str:
        """What the line waits for, in words."""
        return questions.described(self._call, dialled=self._dialled)

    # -- how the line is run

    def _question(self, verb: str, *modes: type) -> Read:
        read = self._call.question
        if read is None:
            raise self._not_now(verb)
        if not isinstance(read.mode, modes):
            raise WrongVerbError(verb, waits_for=self.waits_for, hint=questions.hint(read))
        return read

    def _not_now(self, verb: str) -> CallOverError:
        hint = "a new call is a new Caller" if self._dialled else "call dial() first"
        return CallOverError(verb, waits_for=self.waits_for, hint=hint)


def _check_text(name: str, value: object, example: str) -> None:
    """A number would lose its leading zeros, and some lines have them."""
    if not isinstance(value, str):
        raise AppError(f'{name} is a text such as "{example}", not {value!r}')
