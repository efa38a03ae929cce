"""A simulated caller: one method for each thing that a person does on the phone.

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
import uuid
from collections.abc import Callable
from typing import Self, Unpack

from yemot_ai.protocol import Read, Response
from yemot_ai_testing.errors import AppError, CallOverError
from yemot_ai_testing.line.call import Call
from yemot_ai_testing.line.caller_options import check_extension, check_text, line_settings_from, open_line
from yemot_ai_testing.line.clock import Clock
from yemot_ai_testing.line.driver import Driver
from yemot_ai_testing.line.exchange import LineExchange, LineProblem
from yemot_ai_testing.line.interruption import Interruption, always
from yemot_ai_testing.line.platform.extension import Extension
from yemot_ai_testing.line.platform.folders import display_path, strip_slashes
from yemot_ai_testing.line.platform.settings import CallerOptions
from yemot_ai_testing.line.requests import CALL_ID_BYTES, CallerId
from yemot_ai_testing.line.schedule import Schedule
from yemot_ai_testing.line.states import Idle, Over, State, has_left, open_question
from yemot_ai_testing.line.transcript import Transcript
from yemot_ai_testing.line.transports.transport import Method
from yemot_ai_testing.line.verbs import dtmf, navigation, payment, recording, speech
from yemot_ai_testing.line.verbs.verb import Verb, wrong_verb_error

__all__ = ["Caller"]


class Caller:
    """Calls one application, or a line of several extensions.

    Each verb runs the line until it waits for the caller again, or the call is over, and returns what
    the caller heard in that time. A poll (a read of one key, at most 4 s, empty accepted) answers itself.
    Several callers may call one application at the same time, each in its thread; ``hangs_up`` may also
    be called from another thread while a verb runs.

    Args:
        app: an ``AIFlow`` or ``Flow``, a WSGI or ASGI application, a function of (name, value) pairs,
            an ``http://`` url, or None for a line without ``api_link``; or a ``Line``, which has its settings
            in ``ext.ini`` files.
        phone: ``ApiPhone``; empty for a withheld number.
        extension: where the call begins; ``""`` is the root.
        method: ``GET`` or ``POST``; a ``Line`` has its own.
        clock: the line's clock; by default the application's virtual clock, else real time.
        strict: raise a ``LineError`` for a response that a real line may meet with M1607.
        remote: allow a URL that is not on this machine.
        call_id: ``ApiCallId``; a new one by default.
        options: any field of ``LineSettings``; without a ``Line`` also the settings of its ``ext.ini``; and
            ``path="/yemot"``, where a WSGI or ASGI application answers the line.

    Attributes:
        schedule: ``schedule.call(function, after=2.0)`` lets something happen at the server meanwhile.

    Raises:
        AppError: ``app`` cannot be called, the number or the extension is no string, the line has no such
            extension, or a setting is invalid.
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
        **options: Unpack[CallerOptions],
    ) -> None:
        if method not in {"GET", "POST"}:
            raise AppError(f"the line calls with GET or POST, not {method!r}")
        check_text("phone", phone, "0501234567")
        check_text("extension", extension, "1/2")
        self.settings = line_settings_from(options)
        self._line, self._owns_line = open_line(app, method, options, clock=clock, remote=remote)
        self._dialled_extension = strip_slashes(extension)
        check_extension(self._line, self._dialled_extension)
        caller_id = CallerId(phone, call_id or secrets.token_hex(CALL_ID_BYTES), str(uuid.uuid4()))
        self.schedule = Schedule(clock or self._line.clock())
        self._call = Call(self._line, self.settings, self.schedule, caller_id)
        self._driver = Driver(self._call, self.schedule, strict=strict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.dialled and not self.ended:
            self.hangs_up()
        self.close()

    def close(self) -> None:
        """Close the transport to the application; the state of the call does not change.

        A ``Line`` that was passed in stays open.
        """
        if self._owns_line:
            self._line.close()

    def dial(self) -> str:
        """Dial and listen.

        Returns:
            What was heard until the line waited, or the call was over.

        Raises:
            CallOverError: this caller has dialled already.
        """
        if self.dialled:
            raise CallOverError("dials", waits_for="has dialled already", hint="a new call is a new Caller")
        self._driver.begin_verb("dials", display_path(self._dialled_extension), seconds=0)
        self._call.enter_extension(self._dialled_extension)
        return self._driver.run_until_waiting()

    def says(self, text: str) -> str:
        """Speak.

        Args:
            text: what the line's speech recognition understands.

        Raises:
            WrongVerbError: the line does not listen to speech now.
        """
        return self._perform("says", text, speech.says(self._call, text))

    def mumbles(self) -> str:
        """Speak unclearly: the line asks again (M1611), and in the end sends an empty value.

        Raises:
            WrongVerbError: the line does not listen to speech now.
        """
        return self._perform("mumbles", "", speech.mumbles(self._call))

    def presses(self, keys: str) -> str:
        """Press keys: at a question, in a menu of the line, to end music, or to enter a folder.

        Args:
            keys: digits, ``*`` and ``#``; the line waits after the last key unless ``#`` or the maximum
                number of digits ends the input.

        Raises:
            WrongVerbError: the line does not take keys now, or not that many.
        """
        return self._perform("presses", keys, dtmf.presses(self._call, keys))

    def changes_keyboard(self) -> str:
        """Ask for another language of the keyboard; M4186 if the response locks it.

        Raises:
            WrongVerbError: there is no keyboard of letters or ``DigitsKeyboard`` now.
        """
        return self._perform("changes the keyboard", "", dtmf.changes_keyboard(self._call))

    def records(self, path: str | None = None, *, seconds: float = 5.0) -> str:
        """Record something and end it with ``#``.

        Args:
            path: the value that the application gets; None for the path that the platform would choose.
            seconds: its duration; the line refuses what is too short, and cuts what is too long.

        Raises:
            WrongVerbError: the line does not record now.
        """
        verb = recording.records(self._call, path, seconds)
        return self._perform("records", path or f"{seconds:g} s", verb)

    def silent(self) -> str:
        """Neither speak nor press a key until the line stops waiting.

        Raises:
            WrongVerbError: the line records (silence is a valid recording), or it plays music.
        """
        return self._perform("is silent", "", navigation.silent(self._call))

    def pays(self, code: str = "000", details: str = "") -> str:
        """Enter a payment card.

        Args:
            code: the result code of the clearing house (``CreditCard_CODE``).
            details: its full result (``CreditCard_All``), sent if the action requests it, and by default
                with Pelecard.

        Raises:
            WrongVerbError: the line takes no payment now.
        """
        return self._perform("pays", code, payment.pays(self._call, code, details))

    def goes_to(self, target: str) -> str:
        """Go to another extension, from one where no server decides.

        Args:
            target: as in ``go_to_folder``: ``/2``, ``1``, ``..``.

        Raises:
            WrongVerbError: a server decides here, or the line has no such extension.
        """
        return self._perform("goes to", target, navigation.goes_to(self._call, target))

    def repeats(self) -> str:
        """Send the last request again, byte for byte, as a line does that got no response.

        Raises:
            CallOverError: no request was sent yet.
        """
        last = next((e for e in reversed(self._call.exchanges) if not e.hangup), None)
        if last is None:
            raise CallOverError("repeats", waits_for="has sent no request yet", hint="dial() first")
        self._driver.begin_verb("repeats", "the last request", seconds=0)
        self._call.resend(last)
        return self._driver.run_until_waiting()

    def hangs_up(self) -> str:
        """Hang up; may be called from another thread while a verb runs.

        Raises:
            CallOverError: the call is over.
        """
        if isinstance(self.state, Idle | Over):
            raise wrong_verb_error("hangs up", self.state)
        if self._driver.is_running:
            self._driver.hang_up()
            return ""
        self._driver.cancel_pending()
        self._driver.begin_verb("hangs up", "", seconds=0)
        self._call.hang_up()
        return self._driver.run_until_waiting()

    def interrupts(
        self, keys: str | None = None, *, after: float = 0.0, when: Callable[[], bool] = always
    ) -> None:
        """Press keys or hang up while the application answers the next verb.

        Args:
            keys: the keys that the line gets at its next poll; ``*`` also ends music; None hangs up.
            after: seconds after the end of the verb.
            when: a condition; the interruption waits until it returns True.
        """
        self._driver.interruption = Interruption(keys, after, when)

    @property
    def heard(self) -> str:
        """What was heard since the last verb."""
        return self._driver.heard

    @property
    def response(self) -> Response:
        """The last response that the line understood.

        Raises:
            CallOverError: there is none yet.
        """
        for exchange in reversed(self._call.exchanges):
            if exchange.response is not None:
                return exchange.response
        raise CallOverError("looks for the answer", waits_for="has had no answer yet", hint="dial() first")

    @property
    def raw(self) -> str:
        """The last response, byte for byte; empty before the first."""
        return next((e.body for e in reversed(self._call.exchanges) if not e.hangup), "")

    @property
    def dialled(self) -> bool:
        """Whether this caller has dialled."""
        return not isinstance(self.state, Idle)

    @property
    def ended(self) -> bool:
        """Whether the call is over, or has left the extensions that this line knows."""
        return has_left(self.state)

    @property
    def extension(self) -> str:
        """The extension in which the caller is."""
        return self._call.extension

    @property
    def call_id(self) -> str:
        """The call's ``ApiCallId``; with ``new_call_id_per_extension`` that of the last extension."""
        return self._call.caller_id.call_id

    @property
    def phone(self) -> str:
        """The caller's number."""
        return self._call.caller_id.phone

    @property
    def transcript(self) -> Transcript:
        """All events so far; ``str()`` renders them as text."""
        return Transcript(self._call.transcript)

    @property
    def exchanges(self) -> tuple[LineExchange, ...]:
        """Every request with its response."""
        return tuple(self._call.exchanges)

    @property
    def problems(self) -> tuple[LineProblem, ...]:
        """All problems of the responses, warnings included."""
        return tuple(self._call.problems)

    @property
    def dead_air(self) -> float:
        """The longest silence, in seconds, since the end of the last verb."""
        return self._driver.dead_air

    @property
    def question(self) -> Read | None:
        """The read that waits for this caller, or None."""
        asking = open_question(self.state)
        return None if asking is None else asking.read

    @property
    def state(self) -> State:
        """The state of the call."""
        return self._call.state

    @property
    def extension_settings(self) -> Extension | None:
        """The settings of the caller's extension; None if the line does not know it."""
        return self._call.extension_settings

    @property
    def waits_for(self) -> str:
        """What the line waits for, in words."""
        return self.state.waits_for

    def _perform(self, name: str, text: str, verb: Verb) -> str:
        self._driver.begin_verb(name, text, seconds=verb.seconds)
        verb.perform()
        return self._driver.run_until_waiting()
