"""The platform's side of one call: what it sends, what it does with an answer, where the caller is.

A ``Call`` never decides for the caller. It moves in steps: while it is ``busy`` a request is to be
sent, otherwise it waits for the caller (``question``) or is over.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from yemot_ai.protocol import (
    Comment,
    CreditCard,
    GoTo,
    GoToFolder,
    GoToFolderAndPlay,
    MusicOnHold,
    Noop,
    Play,
    Read,
    Record,
    Response,
    Routing,
    RoutingYemot,
    SimpleAnswer,
    Text,
)
from yemot_ai_testing.errors import UnsupportedActionError
from yemot_ai_testing.line.exchange import Exchange, farewell, judged
from yemot_ai_testing.line.folders import parent, resolve
from yemot_ai_testing.line.heard import (
    SECONDS_PER_SOUND,
    Ended,
    Moved,
    Sound,
    SystemSound,
    Transcript,
    length_of,
)
from yemot_ai_testing.line.in_process import late

if TYPE_CHECKING:
    from collections.abc import Iterable

    from yemot_ai.protocol import Action, Message
    from yemot_ai_testing.line.clock import Clock
    from yemot_ai_testing.line.exchange import LineProblem
    from yemot_ai_testing.line.settings import LineSettings
    from yemot_ai_testing.line.wire import Answer, Pairs, Transport

__all__ = ["Call", "CallerId"]

EPOCH = 1_767_225_600
"""``ApiTime`` of a call's beginning: a fixed second, so that requests can be compared between runs."""


class Judge(Protocol):
    """What the line makes of an answer."""

    def __call__(
        self, pairs: Pairs, answer: Answer, *, at: float, seconds: float, extension: str
    ) -> Exchange:
        """Return the exchange."""
        ...


@dataclass(frozen=True, slots=True)
class CallerId:
    """Who calls, in which call.

    Attributes:
        phone: ``ApiPhone``; empty for a withheld number.
        call_id: ``ApiCallId``, 40 hexadecimal digits.
    """

    phone: str
    call_id: str


class Call:
    """One call on one line.

    Attributes:
        extension: where the caller is.
        values: what was collected, in order, repeated names included.
        question: the ``read`` that waits for the caller, if one does.
        unconfirmed: what the caller answered and must still approve, if so.
        over: the call has left the application.
        elsewhere: it has left for an extension of somebody else's, so the caller may still hang up.
        exchanges: every request with its answer.
        transcript: everything that happened.
    """

    def __init__(
        self, transport: Transport | None, settings: LineSettings, clock: Clock, who: CallerId
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.who = who
        self.extension = ""
        self.values: list[tuple[str, str]] = []
        self.question: Read | None = None
        self.unconfirmed: str | None = None
        self.busy = False
        self.over = False
        self.elsewhere = False
        self.exchanges: list[Exchange] = []
        self.transcript = Transcript()
        self._home = ""  # the last extension of the application: what a later hang-up request speaks for
        self._transport = transport
        self._yf_call_id = secrets.token_hex(20)
        self._began = clock.now()
        self._last_time = EPOCH - 1
        self._state = threading.RLock()

    @property
    def problems(self) -> tuple[LineProblem, ...]:
        """What was wrong with the answers so far."""
        return tuple(problem for exchange in self.exchanges for problem in exchange.problems)

    def enter(self, extension: str) -> None:
        """Bring the caller to ``extension``; the next step asks the application."""
        if not self.settings.owns(extension):
            self.elsewhere = True
            self.transcript.add(Moved(at=self.clock.now(), extension=extension))
            self.end(f"left for /{extension}")
            self.extension = extension
            return
        self._home = extension
        if not self.settings.retain_values:
            self.values.clear()
        self.extension = extension
        self.transcript.add(Moved(at=self.clock.now(), extension=extension))
        self.question, self.busy = None, True

    def step(self) -> None:
        """Send the request that is due, and do what the answer says."""
        if self._transport is None:
            self.system("M1609")
            self._leave()
            return
        self.send(self._request())

    def send(self, pairs: tuple[tuple[str, str], ...]) -> None:
        """Send ``pairs`` and do what the answer says, unless the caller is gone by then."""
        self.busy = False
        exchange = self._exchange(pairs, judged)
        with self._state:
            if self.over:  # nobody waits for this answer any more, so it cannot be late
                kept = tuple(problem for problem in exchange.problems if problem.code != "late")
                self.exchanges.append(replace(exchange, problems=kept))
                return
            self.exchanges.append(exchange)
            self._do(exchange)

    def repeat(self, exchange: Exchange) -> None:
        """Send an earlier request again, byte for byte; a call that is over stays so."""
        self.extension = exchange.extension
        self.question = None
        self.send(exchange.pairs)

    def give(self, value: str) -> None:
        """Add the answer to the open question to what is sent from now on."""
        with self._state:
            if self.question is not None:  # else the caller has hung up from another thread
                self.values.append((self.question.name, value))
                self.question, self.busy = None, True
                self.unconfirmed = None

    def ask(self) -> None:
        """Play the open question (again)."""
        if self.question is not None:
            self._play(self.question.messages)

    def system(self, code: str) -> None:
        """Let the platform say something itself."""
        self.transcript.add(SystemSound(at=self.clock.now(), seconds=SECONDS_PER_SOUND, code=code))
        self.clock.spend(SECONDS_PER_SOUND)

    def hang_up(self) -> None:
        """The caller hangs up, whatever the line is doing; may come from another thread."""
        with self._state:
            read = self.question
            if read and isinstance(read.mode, Record) and read.mode.keep_on_hangup:
                self.values.append((read.name, self._kept_recording(read.mode)))
            self.end("the caller hung up")
            self.elsewhere = False
        if self.settings.hangup_send:
            self._say_goodbye()

    def _kept_recording(self, record: Record) -> str:
        """Return the path of a recording that a hang-up ended; [?] that it arrives with that request."""
        folder = record.folder or (f"/{self.extension}" if self.extension else "")
        return f"{folder}/{record.file or '000'}.wav"

    def end(self, why: str) -> None:
        """Take the call out of the application."""
        self.over, self.busy, self.question = True, False, None
        self.transcript.add(Ended(at=self.clock.now(), why=why))

    def _do(self, exchange: Exchange) -> None:
        if exchange.response is None:
            self.system("M1607")
            self._leave()
        else:
            self._perform(exchange.response)

    def _perform(self, response: Response) -> None:
        for action in response:
            if self._act(action):
                return
        self._leave()

    def _act(self, action: Action) -> bool:
        """Do one action; True if nothing after it counts."""
        match action:
            case Play(messages=messages):
                return self._play_and_go(messages)
            case Read():
                self._read(action)
            case GoToFolder(target=target):
                self._go(target)
            case MusicOnHold(name=name, seconds=seconds):
                self._sound(f"music {name}", kind="music", seconds=seconds or SECONDS_PER_SOUND)
                return False
            case Noop():
                return False
            case SimpleAnswer(word=word):
                self._sound(word, kind="simple", seconds=SECONDS_PER_SOUND)
                return False
            case RoutingYemot() | Routing() | GoToFolderAndPlay():
                self.elsewhere = True
                self.end(f"left with {action}")
            case CreditCard():
                raise UnsupportedActionError(str(action))
        return True

    def _read(self, read: Read) -> None:
        if self._play_and_go(read.messages):
            return
        if read.reuse and any(name == read.name for name, _ in self.values):
            self.busy = True  # [OFF] field 2: the line does not ask, it sends again
        else:
            self.question = read

    def _play_and_go(self, messages: Iterable[Message]) -> bool:
        messages = tuple(messages)
        self._play(messages)
        target = messages[-1] if messages else None
        if isinstance(target, GoTo):
            self._go(target.target)
            return True
        return False

    def _play(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if not isinstance(message, GoTo | Comment):
                self._sound_of(message)

    def _sound_of(self, message: Message) -> None:
        if isinstance(message, Text):
            self._sound(message.text, kind="text", seconds=length_of(message))
        else:
            written = str(message)
            self._sound(written, kind=written.partition("-")[0], seconds=length_of(message))

    def _sound(self, text: str, *, kind: str, seconds: float) -> None:
        self.transcript.add(Sound(at=self.clock.now(), seconds=seconds, text=text, kind=kind))
        self.clock.spend(seconds)

    def _go(self, target: str) -> None:
        extension = resolve(self.extension, target)
        if extension is None:
            self._end_from_here("the line hung up")
        else:
            self.enter(extension)

    def _leave(self) -> None:
        """[OFF] an answer that says nothing more: to ``api_end_goto``, else one level up."""
        if self.settings.end_goto is not None:
            self._go(self.settings.end_goto)
            return
        up = parent(self.extension)
        if up is None:
            self._end_from_here("the answer said nothing more, and this was the root")
        else:
            self.enter(up)

    def _end_from_here(self, why: str) -> None:
        self.end(why)
        if self.settings.hangup_send and self.settings.hangup_after_goto:
            self._say_goodbye()

    def _say_goodbye(self) -> None:
        if self._transport is None:
            return
        pairs = (*self._request(), ("hangup", "yes"), ("ApiHangupExtension", f"/{self.extension}"))
        self.exchanges.append(self._exchange(pairs, farewell))

    def _exchange(self, pairs: tuple[tuple[str, str], ...], judge: Judge) -> Exchange:
        if self._transport is None:
            raise AssertionError
        timeout = self.settings.server_timeout
        extension, at = self.extension, self.clock.now()
        answer = self._transport.send(pairs, timeout=timeout)
        seconds = self.clock.now() - at
        if seconds > timeout and answer.fault is None:  # virtual time cannot be interrupted, only measured
            answer = late(timeout)
        return judge(pairs, answer, at=at, seconds=seconds, extension=extension)

    def _request(self) -> tuple[tuple[str, str], ...]:
        """[OFF] the parameters of every request; [LIVE] in the order seen on a line."""
        own = (
            ("ApiCallId", self.who.call_id),
            ("ApiYFCallId", self._yf_call_id),
            ("ApiDID", self.settings.did),
            ("ApiRealDID", self.settings.real_did),
            ("ApiPhone", self.who.phone),
            ("ApiExtension", self._home),
            ("ApiTime", str(self._api_time())),
        )
        kept = tuple(pair for pair in own if pair[0] not in self.settings.omitted)
        return (*kept, *self.settings.constants, *self.values)

    def _api_time(self) -> int:
        """Return a second that is later than every one before: on a phone, nothing takes no time."""
        self._last_time = max(self._last_time + 1, EPOCH + int(self.clock.now() - self._began))
        return self._last_time
