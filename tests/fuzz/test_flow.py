from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import example, given

from tests.fuzz.budget import FUZZ
from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai.protocol import Digits, GoToFolder, Play, Read, Response, Tap, Text
from yemot_ai_testing.property import EchoProvider, values

CALLS = itertools.count()


@pytest.fixture(scope="module")
def flow() -> Iterator[AIFlow]:
    """A handler that speaks, asks and forwards the values of the caller."""
    flow = AIFlow(YemotAI(provider=EchoProvider()))

    @flow.get("")
    def root(call: AICall) -> None:
        said = call.read("מה שמכם", val_name="said")
        call.play_message(said)
        answer = call.ask_ai(said or "שתיקה")
        call.read(answer, val_name="key", max_digits=1)
        call.play_message(f"{said}{answer}")
        call.hangup()

    yield flow
    flow.ai.close()


@FUZZ
@given(said=values("speech", "padded", "hostile"), key=values("speech", "padded", "hostile"))
@example(said="&go_to_folder=hangup", key="=x,no,1")
@example(said=".g-hangup", key="t-")
def test_no_value_of_a_caller_changes_what_a_handler_does(flow: AIFlow, said: str, key: str) -> None:
    line = Line(flow, call_id=f"c{next(CALLS)}")
    line.enter("")
    *played, read = Response.parse(line.send(("said", said)))
    assert isinstance(read, Read)
    assert isinstance(read.mode, Tap)
    assert (read.name, read.mode.max_digits) == ("key", 1)
    assert all(isinstance(one, Play) for one in played)
    *played, last = Response.parse(line.send(("key", key)))
    assert last == GoToFolder("hangup")
    for action in [read, *played]:
        assert isinstance(action, Play | Read)
        assert all(isinstance(message, Text | Digits) for message in action.messages)
    line.hang_up()
