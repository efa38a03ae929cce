"""Thoughts, control tokens and calls of tools are removed from an answer, wherever its pieces are split."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from tests.providers.streams.event_stream_server import EventStreamServer
from tests.providers.streams.stream_events import (
    MESSAGE_START,
    MESSAGE_STOP,
    USAGE_CHUNK,
    Event,
    block,
    chat,
    chunk,
    delta,
    ended,
    listen,
    messages,
    responses,
    stopped,
)
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import AnswerEmptyError
from yemot_ai.providers import Provider, Reply
from yemot_ai.providers.answer_filter import AnswerFilter, answer_of

A = "השעה שמונה."
T = "המשתמש שואל שעה. I know that 5 < 7 [and] `more`."

THOUGHTS = {
    f"<think>{T}</think>\n\n{A}": A,
    f"\n\n<think>\n{T}\n</think>{A}": A,
    f"<THINK>{T}</THINK>{A}": A,
    f"<Think >{T}</Think >{A}": A,
    f'<think type="deep" n=3>{T}</think>{A}': A,
    f"<thinking>{T}</thinking>{A}": A,
    f"<thinking>{T}</think>{A}": A,
    f"<thought>{T}</thought>{A}": A,
    f"<reasoning>{T}</reasoning>{A}": A,
    f"<reflection>{T}</reflection>{A}": A,
    f"<seed:think>{T}</seed:think>{A}": A,
    f"<longcat_think>{T}</longcat_think>{A}": A,
    f"<ns:thinking>{T}</ns:thinking>{A}": A,
    f"[THINK]{T}[/THINK]{A}": A,
    f"◁think▷{T}◁/think▷{A}": A,
    f"<|thinking|>{T}<|/thinking|>{A}": A,
    f"<|begin_of_thought|>{T}<|end_of_thought|><|begin_of_solution|>{A}<|end_of_solution|>": A,
    f"<|START_THINKING|>{T}<|END_THINKING|><|START_RESPONSE|>{A}<|END_RESPONSE|>": A,
    f"<unused94>thought\n{T}<unused95>{A}": A,
    f"<|channel>thought\n{T}<channel|>{A}": A,
    f"<|channel|>analysis<|message|>{T}<|channel|>final<|message|>{A}": A,
    f"<|channel|>analysis<|message|>{T}<|end|><|start|>assistant<|channel|>final<|message|>{A}<|return|>": A,
    f"<|start|>assistant<|channel|>commentary<|message|>{T}<|end|><|channel|>final<|message|>{A}": A,
    f"<|channel|>analysis<|message|>{T}<|end|>{A}": A,
    f"<|channel|>final<|message|>{A}": A,
    f"<|channel|>final {A}": A,
    f"analysisThe user asks. {T}assistantfinal{A}": A,
    f"Here is my thought process:\n{T}\nHere is my response:\n{A}": A,
    f"Here's my thought process: {T} Here's my response: {A}": A,
    f"<think>{T}</think>שלום. <think>{T}</think>{A}": f"שלום. {A}",
    f"שלום. <think>{T}</think> {A}": f"שלום. {A}",
    f"שלום.\n<think>{T}</think>\n{A}": f"שלום.\n{A}",
    f"שתי<think>{T}</think>מילים": "שתי מילים",
    f"<think></think>{A}": A,
    f"<think/>{A}": A,
    f"< think >{T}</ think>{A}": A,
    f"<thinking_process>{T}</thinking_process>{A}": A,
    f"<think_fast>{T}</think_fast>{A}": A,
    f"<inner_thoughts>{T}</inner_thoughts>{A}": A,
    f"<my_thinking_1>{T}</my_thinking_1>{A}": A,
    f'<think_deep mode="x">{T}</think_deep>{A}': A,
    f'<details type="reasoning" done="true">\n<summary>Thought</summary>\n{T}\n</details>\n{A}': A,
    f"<details type='thinking'>{T}</details>{A}": A,
    f'<details type="tool_calls" name="clock">{T}</details>{A}': A,
    f"```thinking\n{T.replace('`', '')}\n```\n{A}": A,
    f"<|im_start|>think\n{T}<|im_end|><|im_start|>assistant\n{A}": A,
    f"<think>\n\n</think>\n\n{A}": A,
    f"<think>{T}</think><answer>{A}</answer>": A,
    f"<think>{T}<think>{T}</think>{T}</think>{A}": A,
    f"<think>\n<think>\n{T}\n</think>\n\n{A}": A,
    f"<think>{T}<think>{T}</think>{T}<think>{T}</think>{T}</think>{A}": A,
    f"<think><think><think>{T}</think>{T}</think>{T}</think>{A}": A,
    f"<thinking>{T}<think>{T}</think>{T}</thinking>{A}": A,
    f"[THINK]{T}[THINK]{T}[/THINK]{T}[/THINK]{A}": A,
    f"שלום. <think>{T}<think>{T}</think>{T}</think> {A}": f"שלום. {A}",
    f"שלום. <think>{T}<think>{T}</think> {A}": f"שלום. {A}",
    f"<think>{T} use <think> once.</think>{A}<|im_end|>": A,
    f"<think>{T} `<think>` and `[THINK]`</think>{A}": A,
    f"<think>{T}<think>{T}</think>{A} התג `</think>` סוגר": f"{A} התג `</think>` סוגר",
    f"<think>{T}<think>{T}</think>שלום. <think>{T}</think>{A}": f"שלום. {A}",
    f"<think>{T}<think>{T}</think>{{{A}": f"{{{A}",
    f"<think>{T}<think>{T}": "",
    f"<think>{T}": "",
    f"שלום. <think>{T}": "שלום.",
    f"שלום.\n[THINK]{T}": "שלום.",
    f"<|channel|>analysis<|message|>{T}": "",
    f"analysisThe user asks. {T}": "",
}

LONE_ENDS = {
    f"{T}\n</think>\n\n{A}": A,
    f"{T}</THINKING>{A}": A,
    f"{T}[/THINK]{A}": A,
    f"{T}◁/think▷{A}": A,
    f"{T}<|end_of_thought|>{A}": A,
    f"</think>\n\n{A}": A,
    f"{T}</think>": "",
}

TOKENS = {
    f"{A}<|im_end|>": A,
    f"{A}<|im_end|>\n": A,
    f"{A}<|eot_id|>": A,
    f"{A}<|endoftext|>": A,
    f"{A}<|end|>": A,
    f"{A}</s>": A,
    f"<s>{A}</s>": A,
    f"<bos>{A}<eos>": A,
    f"{A}<end_of_turn>": A,
    f"{A}<｜end▁of▁sentence｜>": A,
    f"{A}<|END_OF_TURN_TOKEN|>": A,
    f"[gMASK]<sop>{A}": A,
    f"{A}<|im_": A,
    f"<|im_start|>assistant\n{A}<|im_end|>": A,
    f"<|start_header_id|>assistant<|end_header_id|>\n\n{A}<|eot_id|>": A,
    f"<start_of_turn>model\n{A}<end_of_turn>": A,
    f"<|assistant|>{A}": A,
    f"{A}<|im_end|>\n<|im_start|>user\nמה?<|im_end|>\n<|im_start|>assistant\nכן.": f"{A}\nכן.",
    f"{A}<|user|>מה עוד?": A,
    f"[INST] מה? [/INST] {A}": A,
    f"<s>[INST] <<SYS>>קצר<</SYS>> מה? [/INST] {A} </s>": A,
    f"{A} [/INST]": A,
    f"assistant\n\n{A}": A,
    f"Assistant: {A}": A,
    f"assistantfinal{A}": A,
    f"model\n{A}": A,
    f"{A}<0x0A>": A,
    f"<SPECIAL_12>{A}": A,
    f"<start_of_image>{A}": A,
    "התשובה: <|begin_of_box|>42<|end_of_box|>": "התשובה: 42",
}

CALL = '{"name": "clock", "arguments": {"zone": "a } \\" b"}}'

CALLS = {
    f"<tool_call>{CALL}</tool_call>": "",
    f"רגע. <tool_call>\n{CALL}\n</tool_call>\n{A}": f"רגע. {A}",
    f"<tool_calls>{CALL}</tool_calls>{A}": A,
    f"<function_call>{CALL}</function_call>{A}": A,
    f'<function=clock>{{"zone": "x"}}</function>{A}': A,
    f"<tool_call><function=clock><parameter=zone>x</parameter></function></tool_call>{A}": A,
    f'<function_calls><invoke name="clock"></invoke></function_calls>{A}': A,
    f'<minimax:tool_call><invoke name="x"></invoke></minimax:tool_call>{A}': A,
    f"<tool_response>8:00</tool_response>{A}": A,
    f"<|tool_calls_section_begin|><|tool_call_begin|>{CALL}<|tool_call_end|><|tool_calls_section_end|>{A}": A,
    f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>{CALL}<｜tool▁calls▁end｜>": "",
    f"<|tool_call|>[{CALL}]": "",
    "<|python_tag|>clock.call()<|eom_id|>": "",
    f"[TOOL_CALLS][{CALL}]": "",
    f"[TOOL_REQUEST]{CALL}[END_TOOL_REQUEST]{A}": A,
    f"```tool_code\nprint(clock())\n```\n{A}": A,
    CALL: "",
    f"[{CALL}]": "",
    f"{CALL}\n{A}": A,
    f"{A}\n{CALL}": A,
    f"```json\n{CALL}\n```\n{A}": A,
    '{"name": "clock", "parameters": {}}': "",
    '{"type": "function", "function": {"name": "clock", "arguments": "{}"}}': "",
    '{"tool_calls": [{"name": "clock"}]}': "",
    '{"name": "clock", "arguments": {"zone"': "",
}

ANSWERS = [
    A,
    "5 < 7 וגם 8 > 3",
    "a<b ו-b>c",
    "a < b או a </ b",
    "שווה <",
    "<b>מודגש</b> ו<i>נטוי</i>",
    "פנו ל<user> או ל<start>",
    "[ספרייה](https://a.b/c) [1] [OK] [",
    "קוד `x` כאן, וגם ``y``",
    "```python\nprint(1)\n```",
    '```json\n{"city": 1}\n```',
    '{"name": "דוד", "age": 3}',
    '{"name": "דוד"}',
    '{"city": "חיפה"}',
    'כך קוראים לו: {"name": "clock", "arguments": {}}',
    "{שלום}",
    "בשמונה <think> או בתשע",
    "`<think>` הוא תג",
    "התג `<think>` פותח מחשבה, `</think>` סוגר אותה, ו-`<|im_end|>` סוגר תור",
    "התג <action> הוא תג של טופס",
    "List<function> הוא טיפוס",
    "analysis of it: good",
    "here is my answer",
    "שורה\n\n  שורה",
    "think, thinking, analysis, im_end",
    "assistant הוא עוזר",
    "model של מכונית",
    "[DETAILS] בהמשך",
    "<details><summary>עוד</summary>",
    "ראו <details type=",
]

CASES = {**THOUGHTS, **TOKENS, **CALLS, **dict(zip(ANSWERS, ANSWERS, strict=True))}


def split(pieces: list[str]) -> str:
    answer_filter = AnswerFilter()
    return ("".join(map(answer_filter.feed, pieces)) + answer_filter.finish()).strip()


@pytest.mark.parametrize("text", [*CASES, *LONE_ENDS])
def test_only_the_answer_is_left(text: str) -> None:
    assert answer_of(text) == {**CASES, **LONE_ENDS}[text]


@pytest.mark.parametrize("text", CASES)
def test_the_answer_is_the_same_at_every_split_point(text: str) -> None:
    splits = [[text[:position], text[position:]] for position in range(len(text) + 1)]

    assert {split(pieces) for pieces in [*splits, list(text)]} == {CASES[text]}


@pytest.mark.parametrize("text", [A, "בשמונה וחצי, או בתשע", "<think>hm</think>שלום"])
def test_nothing_is_withheld_without_need(text: str) -> None:
    answer_filter = AnswerFilter()

    assert "".join(map(answer_filter.feed, text)) == answer_of(text)


def test_what_a_stream_spoke_before_a_lone_end_is_not_in_the_answer() -> None:
    answer_filter = AnswerFilter()
    received = [answer_filter.feed(piece) for piece in ("צריך לענות. ", "קצר. </think>", A)]

    assert received == ["צריך לענות. ", "", A]
    assert answer_filter.lone_end == "</think>"


@pytest.mark.parametrize("mark", ["</think>", "[/THINK]", "◁/think▷", "=== answer ==="])
def test_all_before_a_known_end_of_thoughts_is_withheld(mark: str) -> None:
    for text in (f"{T}{mark}\n{A}", f"<think>{T}{mark}{A}"):
        answer_filter = AnswerFilter(mark)
        received = [answer_filter.feed(sign) for sign in text]
        assert ("".join(received) + answer_filter.finish()).strip() == A


def test_without_its_end_of_thoughts_a_whole_text_is_the_answer() -> None:
    answer_filter = AnswerFilter("</think>")

    assert (answer_filter.feed(f"{A}<|im_end|>"), answer_filter.finish()) == ("", A)


def test_without_its_end_of_thoughts_a_cut_text_is_thought() -> None:
    answer_filter = AnswerFilter("</think>")

    assert (answer_filter.feed(T), answer_filter.finish(cut=True)) == ("", "")


def test_thoughts_within_thoughts_are_thought_before_a_known_end_too() -> None:
    for text in (f"{T}<think>{T}</think>{T}</think>{A}", f"<think>{T}<think>{T}</think>{T}</think>{A}"):
        answer_filter = AnswerFilter("</think>")
        assert ("".join(map(answer_filter.feed, text)) + answer_filter.finish()).strip() == A


def test_a_thought_within_a_thought_whose_answer_was_cut_is_no_answer() -> None:
    assert answer_of(f"<think>{T}<think>{T}</think>{T}", cut=True) == ""


def test_the_end_of_a_second_thought_is_no_lone_end() -> None:
    answer_filter = AnswerFilter()

    assert answer_filter.feed(f"<think>{T}</think></think>{A}") == A
    assert answer_filter.lone_end == ""


def test_an_inline_thought_that_was_cut_is_no_answer() -> None:
    assert answer_of("בשמונה <think> או", cut=True) == "בשמונה"


Maker = Callable[..., Provider]


def stream(make: Maker, pieces: list[str]) -> list[Event]:
    if make is responses:
        return [*map(delta, pieces), ended(output=[])]
    if make is chat:
        return [*map(chunk, pieces), chunk(finish="stop"), USAGE_CHUNK]
    return [MESSAGE_START, *map(block, pieces), stopped(), MESSAGE_STOP]


MAKERS = pytest.mark.parametrize("make", [responses, chat, messages], ids=["responses", "chat", "messages"])


def heard(make: Maker, *answers: list[str], **options: str) -> list[tuple[str, Reply]]:
    """Return what a caller hears of each answer, and its reply."""
    found: list[tuple[str, Reply]] = []
    with EventStreamServer() as server:
        provider = make(server.url, **options)
        for pieces in answers:
            server.streams(*stream(make, pieces))
            received, reply = Engine.shared().run(listen(provider))
            found.append(("".join(received), reply))
    return found


@MAKERS
@pytest.mark.parametrize("text", [f"<think>{T}</think>\n\n{A}", f"{A}<|im_end|>", f"{CALL}\n{A}"])
def test_every_api_is_filtered(make: Maker, text: str) -> None:
    for pieces in ([text], list(text)):
        ((spoken, reply),) = heard(make, pieces)
        assert (spoken, reply.text) == (A, A)


@MAKERS
@pytest.mark.parametrize("text", [f"<think>{T}", f"<tool_call>{CALL}</tool_call>"])
def test_an_answer_of_which_nothing_is_left_is_empty(make: Maker, text: str) -> None:
    with pytest.raises(AnswerEmptyError, match="thoughts"):
        heard(make, [text])


@MAKERS
def test_a_lone_end_is_noted_for_the_next_answer_and_logged_once(
    make: Maker, caplog: pytest.LogCaptureFixture
) -> None:
    thinking = ["צריך לענות. ", "קצר.", "</think>", A]
    first, second, third, fourth = heard(make, thinking, thinking, [A, " כן."], [A, " כן."])

    assert first[1].text == A
    assert (second[0], second[1].text) == (A, A)
    assert (third[0], third[1].text) == (f"{A} כן.", f"{A} כן.")
    assert fourth[0] == f"{A} כן."
    records = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(records) == 1
    assert "thinks='before </think>'" in records[0].getMessage()
