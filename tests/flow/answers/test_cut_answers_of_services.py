"""A phone call whose model service cuts an answer: the raw bytes of each API, to the ear."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.providers.streams.event_stream_server import EventStreamServer
from tests.providers.streams.stream_events import (
    MESSAGE_START,
    MESSAGE_STOP,
    Event,
    block,
    chat,
    chunk,
    delta,
    ended,
    messages,
    responses,
    stopped,
)
from yemot_ai import AIFlow, DialogSettings, YemotAI
from yemot_ai._turns.conversation import INTERRUPTION_NOTES
from yemot_ai.providers import Provider
from yemot_ai.sessions import Turn
from yemot_ai_testing import Caller

CUT_OFF_SENTENCE = "סליחה, התשובה נקטעה, אפשר לשאול שוב"
TEXTS = ("זה עולה. ", "מאה ועש")


@dataclass(frozen=True)
class Api:
    """An API: its provider, a stream that is cut, one that is whole, and the inputs of a request."""

    provider: Callable[[str], Provider]
    cut: tuple[Event, ...]
    reason: str
    whole: tuple[Event, ...]
    inputs: str


def incomplete(reason: str) -> Event:
    return ended(kind="incomplete", incomplete_details={"reason": reason})


CHAT_WHOLE = (chunk("בבקשה"), chunk(finish="stop"), "[DONE]")
RESPONSES_WHOLE = (delta("בבקשה"), ended("בבקשה"))
MESSAGES_WHOLE = (MESSAGE_START, block("בבקשה"), stopped(), MESSAGE_STOP)

APIS = [
    *(
        Api(chat, (*map(chunk, TEXTS), chunk(finish=reason), "[DONE]"), reason, CHAT_WHOLE, "messages")
        for reason in ("length", "content_filter", "error")
    ),
    *(
        Api(responses, (*map(delta, TEXTS), incomplete(reason)), reason, RESPONSES_WHOLE, "input")
        for reason in ("max_output_tokens", "content_filter")
    ),
    *(
        Api(
            messages,
            (MESSAGE_START, *map(block, TEXTS), stopped(reason), MESSAGE_STOP),
            reason,
            MESSAGES_WHOLE,
            "messages",
        )
        for reason in ("max_tokens", "pause_turn")
    ),
]


@pytest.mark.parametrize("api", APIS, ids=lambda api: f"{api.provider.__name__}-{api.reason}")
def test_the_caller_hears_what_is_whole_and_the_next_turn_works(api: Api) -> None:
    turns: list[Turn] = []
    with EventStreamServer(*api.cut) as server:
        ai = YemotAI(provider=api.provider(server.url), retries=0)
        ai.on_turn(lambda _call_id, turn: turns.append(turn))
        flow = AIFlow(ai, dialog=DialogSettings(answer_wait=30))  # the first import of a library takes long
        flow.ai_agent("", greeting="שלום")(lambda call, text: None)
        caller = Caller(flow)
        caller.dial()
        assert caller.says("כמה?") == f"זה עולה {CUT_OFF_SENTENCE}"
        server.streams(*api.whole)
        assert caller.says("ומתי?") == "בבקשה"
        caller.hangs_up()
        ai.close()
        sent = server.sent

    first, second = turns
    assert first.failure is not None
    assert (first.answer, first.failure.kind) == ("זה עולה.", "answer_cut")
    assert api.reason in first.failure.message
    assert second.answer == "בבקשה"
    assert_history(sent[-1], api.inputs)


def assert_history(body: dict[str, Any], inputs: str) -> None:
    """Check that the service gets what was heard, and that its end was not."""
    spoken = [(message["role"], _text(message["content"])) for message in body[inputs]]
    spoken = [pair for pair in spoken if pair[0] not in {"system", "developer"}]
    assert spoken == [("user", "כמה?"), ("assistant", "זה עולה."), ("user", f"{INTERRUPTION_NOTES[0]} ומתי?")]


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    assert isinstance(content, list), json.dumps(content)
    return "".join(part["text"] for part in content)
