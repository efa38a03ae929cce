"""Faults in what of a request an application understands: who calls, what was said, that a call is over."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from yemot_ai.protocol import GoToFolder, pressed_keys
from yemot_ai_testing.line.requests import CALL_ID_BYTES
from yemot_ai_testing.line.transports.transport import Pairs, TransportResponse
from yemot_ai_testing.mutation.mutation import application
from yemot_ai_testing.mutation.responses import HANGUP, respond
from yemot_ai_testing.mutation.turn import Send, Turn

LONG_PAUSE: Final = 30
"""Seconds after which a call is forgotten."""
MIDNIGHT: Final = 10
"""Seconds from the start of each call to the next day."""


@application("calls")
def hangup_ignored(turn: Turn, send: Send) -> TransportResponse:
    """After a hang-up the call stays open: its session, its model, its process."""
    return TransportResponse() if turn.request.hangup else send(turn.pairs)


@application("calls")
def post_unread(turn: Turn, send: Send) -> TransportResponse:
    """On a line that sends POST nothing of a caller arrives."""
    return send(()) if turn.method == "POST" else send(turn.pairs)


@application("calls")
def keyed_by_phone(turn: Turn, send: Send) -> TransportResponse:
    """A second call from the same number continues the first one."""
    return send(_with_call_id(turn.pairs, f"phone {turn.request.phone}"))


@application("calls")
def withheld_numbers_shared(turn: Turn, send: Send) -> TransportResponse:
    """All callers with a withheld number are in one call."""
    return send(turn.pairs if turn.request.phone else _with_call_id(turn.pairs, "withheld"))


@application("calls")
def withheld_number_refused(turn: Turn, send: Send) -> TransportResponse:
    """A caller with a withheld number is hung up on."""
    return send(turn.pairs) if turn.request.phone else respond(GoToFolder(HANGUP))


@application("calls")
def extension_ignored(turn: Turn, send: Send) -> TransportResponse:
    """In every extension a caller is treated as in the root."""
    return send(tuple((name, "" if name == "ApiExtension" else value) for name, value in turn.pairs))


@application("calls")
def forgotten_after_a_pause(turn: Turn, send: Send) -> TransportResponse:
    """After 30 s without a request the call begins again."""
    times = [_time(pairs) for pairs in _requests(turn)]
    pauses = sum(later - earlier > LONG_PAUSE for earlier, later in itertools.pairwise(times))
    return send(_renamed(turn, pauses))


@application("calls")
def forgotten_at_midnight(turn: Turn, send: Send) -> TransportResponse:
    """At midnight, here 10 s after it began, the call begins again."""
    first, *_ = requests = _requests(turn)
    return send(_renamed(turn, int(_time(requests[-1]) - _time(first) >= MIDNIGHT)))


@application("calls")
def begins_again_at_the_third_words(turn: Turn, send: Send) -> TransportResponse:
    """At the third words of a caller the call begins again."""
    words = len(turn.said_before) + bool(turn.said)
    return send(_renamed(turn, int(words > 2)))  # noqa: PLR2004 - the third


@application("input")
def first_value_kept(turn: Turn, send: Send) -> TransportResponse:
    """What a caller says first counts as the answer to every later question."""
    return send(_with_said(turn, lambda said: said.said_before[0] if said.said_before else None))


@application("input")
def first_word_only(turn: Turn, send: Send) -> TransportResponse:
    """Of what a caller says only the first word is understood."""
    return send(_with_said(turn, lambda said: str(said.said).partition(" ")[0] if said.is_speech else None))


@application("input")
def leading_zero_lost(turn: Turn, send: Send) -> TransportResponse:
    """A typed number loses its leading zeros: a phone number, a code."""
    return send(_with_said(turn, _without_leading_zeros))


@application("input")
def keys_taken_for_words(turn: Turn, send: Send) -> TransportResponse:
    """A key that is pressed where a caller may speak is taken for words."""
    return send(_with_said(turn, _keys_as_words))


@application("input")
def words_after_a_repeat_lost(turn: Turn, send: Send) -> TransportResponse:
    """After a request that the line repeats, the next words of a caller are lost."""
    is_after_repeat = bool(turn.earlier) and turn.at(len(turn.earlier) - 1).is_repeat
    return turn.earlier[-1].response if turn.said and is_after_repeat else send(turn.pairs)


@application("input")
def silence_taken_for_words(turn: Turn, send: Send) -> TransportResponse:
    """A caller who is silent is treated as if the last words were said again."""
    return send(_with_said(turn, _last_words_if_silent))


def _without_leading_zeros(turn: Turn) -> str | None:
    said = turn.said or ""
    return said.lstrip("0") or "0" if said.isdigit() else None


def _keys_as_words(turn: Turn) -> str | None:
    keys = pressed_keys(turn.said or "")
    return None if keys is None else f"Digits {keys}"


def _last_words_if_silent(turn: Turn) -> str | None:
    return turn.said_before[-1] if turn.said == "" and turn.said_before else None


def _requests(turn: Turn) -> list[Pairs]:
    return [*(answered.pairs for answered in turn.earlier), turn.pairs]


def _time(pairs: Pairs) -> int:
    text = dict(pairs).get("ApiTime", "")
    return int(text) if text.isdigit() else 0


def _renamed(turn: Turn, number: int) -> Pairs:
    return _with_call_id(turn.pairs, f"{turn.call_id} {number}") if number else turn.pairs


def _with_call_id(pairs: Pairs, name: str) -> Pairs:
    """Return the request with the ids of another call, which follow from ``name``."""
    call_id = blake2b(name.encode(), digest_size=CALL_ID_BYTES).hexdigest()
    ids = {"ApiCallId": call_id, "ApiYFCallId": call_id[:36]}
    return tuple((name, ids.get(name, value)) for name, value in pairs)


def _with_said(turn: Turn, understood: Callable[[Turn], str | None]) -> Pairs:
    """Return the request with what a caller has said as it is understood, now and before.

    Args:
        turn: the request; a line sends all earlier values again.
        understood: returns what is understood in a turn; None: what was said.
    """
    values: dict[tuple[str, str], str] = {}
    for one in (*map(turn.at, range(len(turn.earlier))), turn):
        value = understood(one) if one.said is not None else None
        if one.question is not None and value is not None:
            values[one.question.name, one.said or ""] = value
    return tuple((name, values.get((name, value), value)) for name, value in turn.pairs)
