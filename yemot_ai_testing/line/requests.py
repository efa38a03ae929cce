"""The requests of a call, and the music while the line waits for a response."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from yemot_ai_testing.line.clock import Clock
from yemot_ai_testing.line.exchange import LineExchange, build_exchange, build_hangup_exchange
from yemot_ai_testing.line.platform.extension import Extension
from yemot_ai_testing.line.platform.settings import LineSettings
from yemot_ai_testing.line.platform.tree import Line
from yemot_ai_testing.line.transcript import CallEnded, HoldMusic, Transcript
from yemot_ai_testing.line.transports.in_process import timed_out
from yemot_ai_testing.line.transports.transport import Transport, TransportResponse

__all__ = ["EPOCH", "CallerId", "RequestSender", "Values", "hangup_values"]

EPOCH = 1_767_225_600
"""``ApiTime`` at the start of a call: a fixed second, so that requests of two runs are equal."""

Values = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CallerId:
    """The caller's number and the ID of the call.

    Attributes:
        phone: ``ApiPhone``; empty for a withheld number.
        call_id: ``ApiCallId``, 40 hexadecimal digits.
    """

    phone: str
    call_id: str


class RequestSender:
    """Builds and sends the requests of one call.

    Args:
        line: the line that is called.
        settings: its settings.
        clock: its clock.
        caller_id: the caller's number and the ID of the call.
    """

    def __init__(self, line: Line, settings: LineSettings, clock: Clock, caller_id: CallerId) -> None:
        self._line = line
        self._settings = settings
        self._clock = clock
        self._caller_id = caller_id
        self._yf_call_id = secrets.token_hex(20)
        self._started_at = clock.now()
        self._last_time = EPOCH - 1
        self._music_position = 0.0

    def build_request(self, extension: str, extension_settings: Extension, values: Values) -> Values:
        """Return the pairs of a request of ``extension`` [OFF], in the order of a real line [LIVE]."""
        settings = self._settings
        nested = "/" in extension and settings.nested_extension == "/1/2"
        api_pairs = (
            ("ApiCallId", self._caller_id.call_id),
            ("ApiYFCallId", self._yf_call_id),
            ("ApiDID", settings.did),
            ("ApiRealDID", settings.real_did),
            ("ApiPhone", self._caller_id.phone),
            ("ApiExtension", f"/{extension}" if nested else extension),
            *((("ApiEnterID", settings.enter_id),) if settings.enter_id else ()),
            *((("ApiEnterIDName", settings.enter_id_name),) if settings.enter_id_name else ()),
            ("ApiTime", str(self._api_time())),
        )
        sent = tuple(pair for pair in api_pairs if pair[0] not in extension_settings.omitted)
        referred = extension_settings.directed_phone and settings.referred_from
        referrer = (("ReferredFrom", settings.referred_from),) if referred else ()
        return (*sent, *referrer, *extension_settings.constants, *values)

    def send(
        self, extension: str, extension_settings: Extension, pairs: Values, transcript: Transcript
    ) -> LineExchange:
        """Send ``pairs`` and return the exchange; record the hold music of the wait."""
        at = self._clock.now()
        response = self._send(self._line.transport(extension_settings), pairs)
        seconds = self._clock.now() - at
        self._note_hold_music(extension_settings, at, seconds, transcript)
        if seconds > self._settings.server_timeout and response.fault is None:
            response = timed_out(
                self._settings.server_timeout
            )  # in virtual time a timeout shows only afterwards
        return build_exchange(pairs, response, at=at, seconds=seconds, extension=extension)

    def send_hangup(
        self, extension: str, extension_settings: Extension, pairs: Values, hangup_extension: str
    ) -> LineExchange | None:
        """Send the hang-up request; return None if the extension sends none [OFF]."""
        transport = self._line.transport(extension_settings, extension_settings.hangup_link)
        if transport is None or not extension_settings.hangup_send:
            return None
        marker = (("ApiHangup", ""),) if self._settings.hangup_marker else ()
        pairs = (*pairs, *marker, *hangup_values(hangup_extension))
        at = self._clock.now()
        response = self._send(transport, pairs)
        seconds = self._clock.now() - at
        return build_hangup_exchange(pairs, response, at=at, seconds=seconds, extension=extension)

    def _send(self, transport: Transport | None, pairs: Values) -> TransportResponse:
        if transport is None:
            raise AssertionError
        return transport.send(pairs, timeout=self._settings.server_timeout)

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

    def _api_time(self) -> int:
        """Return a Unix time that is greater than that of every earlier request of the call."""
        self._last_time = max(self._last_time + 1, EPOCH + int(self._clock.now() - self._started_at))
        return self._last_time


def hangup_values(extension: str) -> Values:
    """Return what the request of a hang-up in ``extension`` has in addition [OFF]."""
    return ("hangup", "yes"), ("ApiHangupExtension", f"/{extension}")
