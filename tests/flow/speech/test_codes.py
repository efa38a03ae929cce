"""Telephone numbers and codes in what is spoken: digit by digit, in their place among the words."""

from __future__ import annotations

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, AnswerLimits, Limits, YemotAI
from yemot_ai.protocol import Digits, Read, Response, Text
from yemot_ai.protocol.messages import MAX_CHARACTERS, MAX_WORDS
from yemot_ai_testing import Caller, ScriptedProvider

ANSWER = "חייגו 03-1234567, שלוחה 5. הקוד הוא 0485. תודה."
HEARD = "חייגו d-031234567 שלוחה 5, הקוד הוא d-0485 תודה"


def caller_of(provider: ScriptedProvider, *, stream: bool = True) -> Caller:
    flow = AIFlow(YemotAI(provider=provider))
    flow.ai_agent("", greeting="כאן 03-7654321", stream=stream)(lambda call, text: None)
    caller = Caller(flow)
    assert caller.dial() == "כאן d-037654321"
    return caller


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_keeps_the_order_of_words_and_codes(provider: ScriptedProvider, *, stream: bool) -> None:
    provider.answers(ANSWER)
    caller = caller_of(provider, stream=stream)

    assert caller.says("איך מגיעים?") == HEARD
    assert caller.presses("*") == HEARD
    caller.hangs_up()


@pytest.mark.parametrize("size", range(1, len(ANSWER)))
def test_a_code_that_arrives_in_two_parts_is_one(provider: ScriptedProvider, size: int) -> None:
    provider.answers([ANSWER[:size], ANSWER[size:]], every=1)
    caller = caller_of(provider)

    assert caller.says("איך מגיעים?").replace(",", "") == HEARD.replace(",", "")
    caller.hangs_up()


def test_sentences_that_are_spoken_one_by_one_have_their_codes(provider: ScriptedProvider) -> None:
    provider.answers(["חייגו 03-1234567. ", "הקוד הוא 0485. ", "תודה."], after=1, every=1.5)
    line = Line(AIFlow(YemotAI(provider=provider)))
    line.flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    line.enter("a")

    assert line.gives("איך?").startswith("read=t-חייגו.d-031234567=ai_1w1,")
    assert line.polls().startswith("read=t-הקוד הוא.d-0485=ai_1w2,")
    assert line.gives("5").startswith("read=noop-listen=ai_2,")
    assert line.gives("Digits-*").startswith("read=t-חייגו.d-031234567.t-הקוד הוא.d-0485=ai_3,")
    line.hang_up()


def test_an_answer_that_is_only_a_code_is_spoken(provider: ScriptedProvider) -> None:
    provider.answers("03-1234567")
    caller = caller_of(provider)

    assert caller.says("מה המספר?") == "d-031234567"
    caller.hangs_up()


def test_texts_of_handlers_have_their_codes(ai: YemotAI) -> None:
    flow = AIFlow(ai)

    @flow.get("")
    def handler(call: AICall) -> None:
        call.play_message("חייגו 03-1234567")
        call.read("הקישו את הקוד 0485", val_name="code")

    assert (
        Line(flow)
        .enter("")
        .startswith("id_list_message=t-חייגו.d-031234567&read=t-הקישו את הקוד.d-0485=code,")
    )


@pytest.mark.parametrize("words", [1, MAX_WORDS, 4 * MAX_WORDS])
def test_each_message_of_a_long_answer_is_within_the_limits_of_the_line(
    provider: ScriptedProvider, words: int
) -> None:
    count = 40
    provider.answers(f"{'מילה ' * words}03-1234567. " * count)
    limits = Limits(answer=AnswerLimits(characters=200_000))
    flow = AIFlow(YemotAI(provider=provider, limits=limits))
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    line = Line(flow)
    line.enter("a")
    line.says("הכול")
    (read,) = Response.parse(line.response)
    assert isinstance(read, Read)

    texts = [message.text for message in read.messages if isinstance(message, Text)]
    assert all(len(text) <= MAX_CHARACTERS and len(text.split()) <= MAX_WORDS for text in texts)
    assert sum(text.split().count("מילה") for text in texts) == count * words
    assert [message for message in read.messages if isinstance(message, Digits)] == [
        Digits("031234567")
    ] * count
    line.hang_up()
