"""The requests of a call, and the music while the line waits for a response."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from time import monotonic

from yemot_ai_testing.line.clock import Clock
from yemot_ai_testing.line.exchange import LineExchange, LineProblem, build_exchange, build_hangup_exchange
from yemot_ai_testing.line.platform.extension import Extension
from yemot_ai_testing.line.platform.settings import LineSettings
from yemot_ai_testing.line.platform.tree import Line
from yemot_ai_testing.line.transcript import CallEnded, HoldMusic, Transcript
from yemot_ai_testing.line.transports.in_process import timed_out
from yemot_ai_testing.line.transports.transport import HTTPRules, Transport, TransportResponse

__all__ = [
    "CALL_ID_BYTES",
    "EPOCH",
    "CallerId",
    "RequestBuilder",
    "RequestSender",
    "ServingExtension",
    "Values",
]

CALL_ID_BYTES = 20
EPOCH = 1_767_225_600
"""``ApiTime`` at the start of a call: a fixed second, so that requests of two runs are equal."""

Values = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CallerId:
    """The caller's number and the IDs of the call.

    Attributes:
        phone: ``ApiPhone``; empty for a withheld number.
        call_id: ``ApiCallId``, 40 hexadecimal digits [LIVE].
        yf_call_id: ``ApiYFCallId``, a UUID of 36 characters [LIVE].
    """

    phone: str
    call_id: str
    yf_call_id: str


@dataclass(frozen=True, slots=True)
class ServingExtension:
    """An extension in which a server decides: its path and its settings."""

    path: str
    settings: Extension


@dataclass(frozen=True, slots=True)
class RequestBuilder:
    """Builds the requests of one call [OFF], in the order of a real line [LIVE].

    Attributes:
        settings: the settings of the line.
        caller_id: the caller's number and the IDs of the call.
    """

    settings: LineSettings
    caller_id: CallerId

    def build(self, serving: ServingExtension, values: Values, *, time: int) -> Values:
        """Return the pairs of a request.

        Args:
            serving: the extension that sends it.
            values: the collected values.
            time: ``ApiTime`` in seconds since 1970.
        """
        settings, extension = self.settings, serving.settings
        nested = "/" in serving.path and settings.nested_extension == "/1/2"
        api_pairs = (
            ("ApiCallId", self.caller_id.call_id),
            ("ApiYFCallId", self.caller_id.yf_call_id),
            ("ApiDID", settings.did),
            ("ApiRealDID", settings.real_did),
            ("ApiPhone", self.caller_id.phone),
            ("ApiExtension", f"/{serving.path}" if nested else serving.path),
            *((("ApiEnterID", settings.enter_id),) if settings.enter_id else ()),
            *((("ApiEnterIDName", settings.enter_id_name),) if settings.enter_id_name else ()),
            ("ApiTime", str(time)),
        )
        sent = tuple(pair for pair in api_pairs if pair[0] not in extension.omitted)
        referred = extension.directed_phone and settings.referred_from
        referrer = (("ReferredFrom", settings.referred_from),) if referred else ()
        return (*sent, *referrer, *extension.constants, *values)

    def hangup_values(self, extension: str) -> Values:
        """Return the last pairs of the request of a hang-up in ``extension``."""
        marker = (("ApiHangup", ""),) if self.settings.hangup_marker else ()
        return (*marker, ("hangup", "yes"), ("ApiHangupExtension", f"/{extension}"))


class RequestSender:
    """Builds and sends the requests of one call.

    Args:
        line: the line that is called.
        settings: its settings.
        clock: its clock.
        caller_id: the caller's number and the IDs of the call.
    """

    def __init__(self, line: Line, settings: LineSettings, clock: Clock, caller_id: CallerId) -> None:
        self._line = line
        self._lenient = settings.lenient
        self._http_rules = HTTPRules(settings.accept_any_2xx, settings.follow_redirects)
        self._timeout = settings.server_timeout
        self._clock = clock
        self._builder = RequestBuilder(settings, caller_id)
        self._started_at = clock.now()
        self._last_time = EPOCH - 1
        self._music_position = 0.0
        self._monitors = [engine.monitor for engine in line.engines()]
        self._blocked_before = monotonic()

    @property
    def caller_id(self) -> CallerId:
        """The caller's number and the IDs of the call, as the next request has them."""
        return self._builder.caller_id

    def change_call_id(self) -> None:
        """Give the call another ``ApiCallId``, which follows from the one before [LIVE]."""
        call_id = blake2b(self.caller_id.call_id.encode(), digest_size=CALL_ID_BYTES).hexdigest()
        self._builder = replace(self._builder, caller_id=replace(self.caller_id, call_id=call_id))

    def build_request(self, serving: ServingExtension, values: Values) -> Values:
        """Return the pairs of the next request of an extension."""
        # A Unix time that is greater than that of every earlier request of the call.
        self._last_time = max(self._last_time + 1, EPOCH + int(self._clock.now() - self._started_at))
        return self._builder.build(serving, values, time=self._last_time)

    def send(self, serving: ServingExtension, pairs: Values, transcript: Transcript) -> LineExchange:
        """Send ``pairs`` and return the exchange; record the hold music of the wait."""
        response, at, seconds = self._send(self._line.transport(serving.settings), pairs)
        self._note_hold_music(serving.settings, at, seconds, transcript)
        if seconds > self._timeout and response.fault is None:
            response = timed_out(self._timeout)  # in virtual time a timeout shows only afterwards
        exchange = build_exchange(
            pairs, response, at=at, seconds=seconds, extension=serving.path, lenient=self._lenient
        )
        return self._with_blockings(exchange)

    def send_hangup(
        self, serving: ServingExtension, values: Values, hangup_extension: str
    ) -> LineExchange | None:
        """Send the hang-up request; return None if the extension sends none [OFF]."""
        transport = self._line.transport(serving.settings, serving.settings.hangup_link)
        if transport is None or not serving.settings.hangup_send:
            return None
        pairs = (*self.build_request(serving, values), *self._builder.hangup_values(hangup_extension))
        response, at, seconds = self._send(transport, pairs)
        exchange = build_hangup_exchange(pairs, response, at=at, seconds=seconds, extension=serving.path)
        return self._with_blockings(exchange)

    def _with_blockings(self, exchange: LineExchange) -> LineExchange:
        """Add what has blocked the application's loop since the exchange before; the cause comes first."""
        blockings = [blocking for monitor in self._monitors for blocking in tuple(monitor.blockings)]
        problems = tuple(
            LineProblem(
                "error",
                "blocked-loop",
                f"{blocking}, for {blocking.seconds:.1f} s",
                exchange.body,
                blocking.way_out,
            )
            for blocking in blockings
            if blocking.since > self._blocked_before
        )
        self._blocked_before = max([self._blocked_before, *(blocking.since for blocking in blockings)])
        return replace(exchange, problems=(*problems, *exchange.problems)) if problems else exchange

    def _send(self, transport: Transport | None, pairs: Values) -> tuple[TransportResponse, float, float]:
        """Send ``pairs``; return the response, when they were sent, and how many seconds it took."""
        if transport is None:
            raise AssertionError
        at = self._clock.now()
        response = transport.send(pairs, timeout=self._timeout, rules=self._http_rules)
        return response, at, self._clock.now() - at

    def _note_hold_music(
        self, extension_settings: Extension, at: float, seconds: float, transcript: Transcript
    ) -> None:
        """Record the music of a wait: until the response, or until the caller hung up [OFF]."""
        if extension_settings.waiting_music is None:
            return
        ended_at = next((event.at for event in reversed(transcript) if isinstance(event, CallEnded)), None)
        heard = seconds if ended_at is None or ended_at < at else ended_at - at
        position = self._music_position if extension_settings.waiting_music_continues else 0.0
        self._music_position += heard
        transcript.add(
            HoldMusic(at=at, seconds=heard, name=extension_settings.waiting_music, position=position)
        )
