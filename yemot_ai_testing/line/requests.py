"""What the line sends, and the music while it waits for the answer."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Protocol

from yemot_ai_testing.line.exchange import farewell, judged
from yemot_ai_testing.line.transcript import Ended, HoldMusic
from yemot_ai_testing.line.transports.in_process import late

if TYPE_CHECKING:
    from yemot_ai_testing.line.clock import Clock
    from yemot_ai_testing.line.exchange import Exchange
    from yemot_ai_testing.line.platform.extension import Extension
    from yemot_ai_testing.line.platform.settings import LineSettings
    from yemot_ai_testing.line.platform.tree import Line
    from yemot_ai_testing.line.transcript import Transcript
    from yemot_ai_testing.line.transports.transport import Answer, Transport

__all__ = ["CallerId", "Sending"]

EPOCH = 1_767_225_600
"""``ApiTime`` of a call's beginning: a fixed second, so that requests can be compared between runs."""

Values = tuple[tuple[str, str], ...]


class CallerId(Protocol):
    """Who calls, in which call."""

    @property
    def phone(self) -> str:
        """``ApiPhone``; empty for a withheld number."""
        ...

    @property
    def call_id(self) -> str:
        """``ApiCallId``, 40 hexadecimal digits."""
        ...


class Sending:
    """The requests of one call.

    Args:
        line: the way to each extension's server.
        settings: the switches.
        clock: the line's time.
        who: who calls.
    """

    def __init__(self, line: Line, settings: LineSettings, clock: Clock, who: CallerId) -> None:
        self._line = line
        self._settings = settings
        self._clock = clock
        self._who = who
        self._yf_call_id = secrets.token_hex(20)
        self._began = clock.now()
        self._last_time = EPOCH - 1
        self._music_at = 0.0

    def request(self, extension: str, place: Extension, values: Values) -> Values:
        """Return a request of ``extension`` [OFF]; in the order seen on a line [LIVE]."""
        settings = self._settings
        nested = "/" in extension and settings.nested_extension == "/1/2"
        own = (
            ("ApiCallId", self._who.call_id),
            ("ApiYFCallId", self._yf_call_id),
            ("ApiDID", settings.did),
            ("ApiRealDID", settings.real_did),
            ("ApiPhone", self._who.phone),
            ("ApiExtension", f"/{extension}" if nested else extension),
            *((("ApiEnterID", settings.enter_id),) if settings.enter_id else ()),
            *((("ApiEnterIDName", settings.enter_id_name),) if settings.enter_id_name else ()),
            ("ApiTime", str(self._api_time())),
        )
        kept = tuple(pair for pair in own if pair[0] not in place.omitted)
        referred = place.directed_phone and settings.referred_from
        more = (("ReferredFrom", settings.referred_from),) if referred else ()
        return (*kept, *more, *place.constants, *values)

    def ask(self, extension: str, place: Extension, pairs: Values, transcript: Transcript) -> Exchange:
        """Send ``pairs`` and return what came of it; music may play meanwhile."""
        at = self._clock.now()
        answer = self._deliver(self._line.transport(place), pairs)
        seconds = self._clock.now() - at
        self._play_music(place, at, seconds, transcript)
        if seconds > self._settings.server_timeout and answer.fault is None:
            answer = late(self._settings.server_timeout)  # virtual time can only be measured afterwards
        return judged(pairs, answer, at=at, seconds=seconds, extension=extension)

    def say_goodbye(self, extension: str, home: Extension, pairs: Values, where: str) -> Exchange | None:
        """Tell the server that the caller is gone, unless nobody wants to know [OFF]."""
        transport = self._line.transport(home, home.hangup_link)
        if transport is None or not home.hangup_send:
            return None
        marker = (("ApiHangup", ""),) if self._settings.hangup_marker else ()
        pairs = (*pairs, *marker, ("hangup", "yes"), ("ApiHangupExtension", f"/{where}"))
        at = self._clock.now()
        answer = self._deliver(transport, pairs)
        seconds = self._clock.now() - at
        return farewell(pairs, answer, at=at, seconds=seconds, extension=extension)

    def _deliver(self, transport: Transport | None, pairs: Values) -> Answer:
        if transport is None:
            raise AssertionError
        return transport.send(pairs, timeout=self._settings.server_timeout)

    def _play_music(self, place: Extension, at: float, seconds: float, transcript: Transcript) -> None:
        """Note the music of a wait: until the answer, or until the caller was gone [OFF]."""
        if place.waiting_music is None:
            return
        gone = next((event.at for event in reversed(transcript) if isinstance(event, Ended)), None)
        heard = seconds if gone is None or gone < at else gone - at
        position = self._music_at if place.waiting_music_goes_on else 0.0
        self._music_at += heard
        transcript.add(HoldMusic(at=at, seconds=heard, name=place.waiting_music, position=position))

    def _api_time(self) -> int:
        """Return a second that is later than every one before: on a phone, nothing takes no time."""
        self._last_time = max(self._last_time + 1, EPOCH + int(self._clock.now() - self._began))
        return self._last_time
