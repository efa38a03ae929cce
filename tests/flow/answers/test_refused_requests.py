"""A request that the model's service refuses for its words: a separate sentence, and the call continues."""

from __future__ import annotations

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, DialogSettings, YemotAI
from yemot_ai.errors import RefusedRequestError
from yemot_ai.providers import JSON, Reply
from yemot_ai.sessions import Turn
from yemot_ai_testing import Caller, ScriptedProvider

SENTENCE = "סליחה, על זה אי אפשר לענות, אפשר לשאול משהו אחר"


class FlaggedError(RefusedRequestError):
    """A developer's subclass."""


class Moderated:
    """A model whose service refuses every request with bad words."""

    name = "moderated"

    def __init__(self, refusal: RefusedRequestError) -> None:
        self.engine = ScriptedProvider().engine
        self.refusal = refusal
        self.asked: list[str] = []

    async def start_session(self, prompt: str, **_: object) -> Reply:
        self.asked.append(prompt)
        if "אסורות" in prompt:
            raise self.refusal
        return Reply("פתוח עד שבע", "thread")

    async def continue_session(self, session: JSON, prompt: str, **_: object) -> Reply:
        return await self.start_session(prompt)


@pytest.fixture(params=[RefusedRequestError, FlaggedError])
def model(request: pytest.FixtureRequest) -> Moderated:
    return Moderated(request.param("flagged", provider="moderated"))


@pytest.fixture
def ai(model: Moderated) -> YemotAI:
    return YemotAI(provider=model)


def test_the_caller_hears_the_sentence_and_asks_something_else(ai: YemotAI, model: Moderated) -> None:
    turns: list[Turn] = []
    ai.on_turn(lambda _call_id, turn: turns.append(turn))
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    caller = Caller(flow)
    caller.dial()

    assert caller.says("מילים אסורות") == SENTENCE
    assert caller.says("מתי פתוח?") == "פתוח עד שבע"
    caller.hangs_up()
    assert [turn.failure and turn.failure.message for turn in turns] == ["flagged", None]
    assert model.asked == ["מילים אסורות", "מתי פתוח?"], "it is not asked twice"


def test_the_sentence_is_a_dialog_setting(ai: YemotAI) -> None:
    flow = AIFlow(ai, dialog=DialogSettings(request_refused="נושא אחר בבקשה"))
    flow.ai_agent("", greeting="שלום")(lambda call, text: call.ask_ai(text))
    caller = Caller(flow)
    caller.dial()

    assert caller.says("מילים אסורות") == "נושא אחר בבקשה"
    caller.hangs_up()


@pytest.mark.parametrize(("extension", "move"), [("", "/"), ("a", "..")])
def test_a_handler_that_does_not_catch_it_speaks_the_sentence_too(
    ai: YemotAI, extension: str, move: str
) -> None:
    flow = AIFlow(ai)
    flow.get(extension)(lambda call: call.play_message(call.ask_ai("מילים אסורות")))

    assert Line(flow).enter(extension) == f"id_list_message=t-{SENTENCE}&go_to_folder={move}"


def test_a_handler_that_is_refused_again_and_again_ends_the_call(ai: YemotAI) -> None:
    flow = AIFlow(ai)

    @flow.get("")
    def loop(call: AICall) -> None:
        call.play_message(call.ask_ai("מילים אסורות"))

    line, moves = Line(flow), list[str]()
    for _ in range(3):
        moves.append(line.enter("").rpartition("=")[2])

    assert moves == ["/", "/", "hangup"]
