from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.support.flow_line import Line
from tests.support.waiting import until
from yemot_ai import AICall, AIFlow, AsyncAgent, AsyncAICall
from yemot_ai.errors import AuthenticationError, ConfigurationError, ProviderError
from yemot_ai.flow.call import BaseCall
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
from yemot_ai_testing.doubles.steps import UnknownSession


def prompts(provider: ScriptedProvider) -> list[str]:
    return [request.prompt for request in provider.requests]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_step_is_asked_once_in_all_runs_of_the_handler(
    flow: AIFlow, line: Line, provider: ScriptedProvider, kind: str
) -> None:
    provider.answers("אחת").answers("שתיים")

    def root(call: AICall) -> None:
        first = call.ask_ai("א")
        call.read(first, val_name="key", max_digits=1)
        call.play_message(first + call.ask_ai("ב"))

    async def root_async(call: AsyncAICall) -> None:
        first = await call.ask_ai("א")
        await call.read(first, val_name="key", max_digits=1)
        call.play_message(first + await call.ask_ai("ב"))

    flow.get("")(root if kind == "sync" else root_async)
    line.enter("")

    assert line.send(("key", "1")) == "id_list_message=t-אחתשתיים"
    assert prompts(provider) == ["א", "ב"]


def test_a_step_is_found_by_position_even_if_its_text_differs(
    flow: AIFlow, line: Line, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.answers("אחת")
    clock = itertools.count()

    @flow.get("")
    def root(call: AICall) -> None:
        answer = call.ask_ai(f"השעה {next(clock)}")
        call.read(answer, val_name="key", max_digits=1)
        call.play_message(answer)

    line.enter("")

    assert line.send(("key", "1")) == "id_list_message=t-אחת"
    assert prompts(provider) == ["השעה 0"]
    assert "another text" in caplog.text
    assert "השעה" not in caplog.text


def test_a_step_is_numbered_by_the_call_not_by_the_await(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("שנייה").answers("ראשונה")
    order = [0, 1]

    @flow.get("")
    async def root(call: AsyncAICall) -> None:
        pending = [call.ask_ai("א"), call.ask_ai("ב")]
        answers = {index: await pending[index] for index in reversed(order)}
        await call.read(f"{answers[0]} {answers[1]}", val_name="key", max_digits=1)
        order.reverse()
        call.play_message(f"{answers[0]} {answers[1]}")

    assert line.enter("").startswith("read=t-ראשונה שנייה=")
    order.reverse()
    assert line.send(("key", "1")) == "id_list_message=t-ראשונה שנייה"


def test_a_turn_id_names_a_step_instead_of_its_position(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("אחת")

    @flow.get("")
    def root(call: AICall) -> None:
        call.play_message(call.ask_ai("א", turn_id="hours") + call.ask_ai("ב", turn_id="hours"))

    assert line.enter("") == "id_list_message=t-אחתאחת"


@pytest.mark.parametrize(
    "ask",
    [
        lambda flow, call: flow.ai.reply(call.call_id, "א"),
        lambda flow, call: flow.ai.ask(call.call_id, "א").answer,
    ],
    ids=["reply", "ask"],
)
def test_reply_inside_a_handler_of_the_call_is_the_same_step(
    flow: AIFlow, line: Line, provider: ScriptedProvider, ask: Callable[[AIFlow, AICall], str]
) -> None:
    provider.answers("אחת")

    @flow.get("")
    def root(call: AICall) -> None:
        answer = ask(flow, call)
        call.read(answer, val_name="key", max_digits=1)
        call.play_message(answer)

    line.enter("")

    assert line.send(("key", "1")) == "id_list_message=t-אחת"


def test_areply_inside_an_async_handler_is_the_same_step(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("אחת")

    @flow.get("")
    async def root(call: AsyncAICall) -> None:
        answer = await flow.ai.areply(str(call.call_id), "א")
        await call.read(answer, val_name="key", max_digits=1)
        call.play_message(answer)

    line.enter("")

    assert line.send(("key", "1")) == "id_list_message=t-אחת"


def test_a_blocking_method_in_an_async_handler_names_the_async_method(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    @flow.get("7")
    async def root(call: AsyncAICall) -> None:
        call.play_message(flow.ai.reply(str(call.call_id), "א"))

    assert "תקלה" in line.enter("7")
    assert "areply" in caplog.text


MISUSES: dict[str, Callable[[Any], object]] = {
    "join": lambda answer: " ".join(("א", "ב", *[answer])),
    "replace": lambda answer: "א".replace("א", answer),
    "add": lambda answer: "א" + answer,
    "format": lambda answer: f"תשובה {answer}",
    "json": json.dumps,
    "sub": lambda answer: re.sub("א", answer, "א"),
    "strip": lambda answer: answer.strip(),
    "len": len,
    "bool": bool,
    "str": str,
}


@pytest.mark.parametrize("misuse", MISUSES)
@pytest.mark.parametrize("method", ["ask_ai", "read", "play_and_read"])
def test_a_forgotten_await_is_an_error_that_names_the_line(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture, misuse: str, method: str
) -> None:
    arguments = ("א", "ב") if method == "play_and_read" else ("א",)

    @flow.get("7")
    async def root(call: AsyncAICall) -> None:
        with contextlib.suppress(TypeError, AttributeError):
            MISUSES[misuse](getattr(call, method)(*arguments))
        call.play_message("לא יישמע")

    assert "תקלה" in line.enter("7")
    number = root.__code__.co_firstlineno + 3
    assert f"{__file__}:{number}: call.{method}(…) was never awaited" in caplog.text


@pytest.mark.parametrize("ending", ["hangup", "goto", "return"])
def test_a_forgotten_await_is_an_error_however_the_handler_ends(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture, ending: str
) -> None:
    @flow.get("7")
    async def root(call: AsyncAICall) -> str | None:
        call.ask_ai("א")  # type: ignore[unused-coroutine]  # the mistake
        if ending == "hangup":
            call.hangup()
        if ending == "goto":
            call.goto("/1")
        return "id_list_message=t-שלום"

    assert "תקלה" in line.enter("7")
    assert "was never awaited" in caplog.text


def test_a_coroutine_that_is_awaited_after_a_read_is_no_mistake(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("אחת")

    @flow.get("7")
    async def root(call: AsyncAICall) -> None:
        asking = call.ask_ai("א")
        key = await call.read("הקישו", val_name="key", max_digits=1)
        call.play_message(f"{key} {await asking}")

    line.enter("7")

    assert line.send(("key", "1")) == "id_list_message=t-1 אחת"


def test_a_coroutine_cannot_be_played(flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture) -> None:
    @flow.get("7")
    async def root(call: AsyncAICall) -> None:
        call.play_message(call.ask_ai("א"))  # type: ignore[arg-type]  # the mistake

    assert "תקלה" in line.enter("7")
    assert "a coroutine cannot be played" in caplog.text


@pytest.mark.parametrize("form", ["object", "partial", "decorated"])
def test_every_form_of_an_async_handler_gets_an_async_call(
    flow: AIFlow, line: Line, provider: ScriptedProvider, form: str
) -> None:
    provider.answers("אחת")

    async def asks(call: AsyncAICall) -> None:
        call.play_message(await call.ask_ai("א"))

    class Handler:
        async def __call__(self, call: AsyncAICall) -> None:
            await asks(call)

    @functools.wraps(asks)
    def decorated(call: AsyncAICall) -> Coroutine[Any, Any, None]:
        return asks(call)

    forms: dict[str, Callable[[Any], Any]] = {
        "object": Handler(),
        "partial": functools.partial(asks),
        "decorated": decorated,
    }
    flow.add_route("7", forms[form])

    assert line.enter("7") == "id_list_message=t-אחת"


def test_a_plain_function_that_returns_a_coroutine_is_told_to_await(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    async def asks(call: BaseCall) -> None:
        assert isinstance(call, AICall)
        call.play_message(call.ask_ai("א"))

    def wrapper(call: AICall) -> Coroutine[Any, Any, None]:
        return asks(call)

    flow.add_route("7", wrapper)  # type: ignore[arg-type]  # the mistake

    assert "תקלה" in line.enter("7")
    assert "EngineLoopError" in caplog.text


def test_a_providers_error_reaches_the_handler_and_a_replay_raises_the_same(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.fails("unauthorized")
    seen: list[Exception] = []

    @flow.get("")
    def root(call: AICall) -> None:
        try:
            call.ask_ai("א")
        except ProviderError as error:
            seen.append(error)
            call.read("תקלה, הקישו", val_name="key", max_digits=1)
        call.hangup()

    line.enter("")
    line.send(("key", "1"))

    assert [type(error) for error in seen] == [AuthenticationError, AuthenticationError]
    assert str(seen[0]) == str(seen[1])
    assert prompts(provider) == ["א"]


def test_an_unhandled_provider_error_becomes_a_sentence(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.fails("unauthorized")
    flow.get("7")(lambda call: call.play_message(call.ask_ai("א")))

    assert line.enter("7") == "id_list_message=t-סליחה, אירעה תקלה&go_to_folder=.."


@pytest.mark.parametrize("fail", ["overloaded", "rate_limited"])
def test_a_transient_failure_is_retried_once(
    flow: AIFlow, line: Line, provider: ScriptedProvider, fail: str
) -> None:
    provider.fails(fail).answers("אחת")  # type: ignore[arg-type]  # the parameters are such words
    flow.get("")(lambda call: call.play_message(call.ask_ai("א")))

    assert line.enter("") == "id_list_message=t-אחת"


def test_a_long_rate_limit_is_not_waited_for(flow: AIFlow, line: Line, provider: ScriptedProvider) -> None:
    provider.fails("rate_limited", retry_after=30)
    flow.get("7")(lambda call: call.play_message(call.ask_ai("א")))

    assert "תקלה" in line.enter("7")


def test_a_failure_that_leaves_no_time_is_not_retried(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.fails("overloaded", after=59)
    flow.ai_agent("")(lambda call, text: None)
    line.enter("")
    answer = line.send(("ai_1", "שאלה"))
    for poll in range(1, 40):
        if "w" not in answer:
            break
        answer = line.send((f"ai_1w{poll}", "None"))

    assert answer.startswith("read=t-סליחה, לא הצלחתי לענות")


def test_a_lost_session_is_rebuilt_from_the_history(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("נעים מאוד")
    provider.add(UnknownSession())
    provider.answers("דוד")
    flow.ai_agent("")(lambda call, text: None)
    line.enter("")
    line.send(("ai_1", "שמי דוד"))

    assert line.send(("ai_2", "איך קוראים לי")) == "read=t-דוד=ai_3,no,voice"
    rebuilt = provider.requests[-1]
    assert rebuilt.session is None
    assert [(exchange.prompt, exchange.answer) for exchange in rebuilt.history] == [("שמי דוד", "נעים מאוד")]


def test_an_unknown_message_type_is_named(flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture) -> None:
    flow.get("7")(lambda call: call.play_message([("video", "x")]))

    assert "תקלה" in line.enter("7")
    assert "no message type 'video'" in caplog.text


def test_an_invalid_argument_is_named_in_the_log(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    flow.get("7")(lambda call: call.read("הקישו", val_name="Api,x"))

    assert "תקלה" in line.enter("7")
    assert "Api,x" in caplog.text


def test_an_agent_needs_a_speakable_greeting(flow: AIFlow) -> None:
    with pytest.raises(ConfigurationError, match="greeting"):
        flow.ai_agent("1", greeting="🙂")(lambda call, text: None)


def test_concurrent_questions_get_their_own_answers(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("אחת").answers("שתיים")

    @flow.get("")
    async def root(call: AsyncAICall) -> None:
        first, second = await asyncio.gather(call.ask_ai("א"), call.ask_ai("ב"))
        call.play_message(f"{first} {second}")

    assert line.enter("") == "id_list_message=t-אחת שתיים"
    assert prompts(provider) == ["א", "ב"]


def test_silence_is_sent_to_the_model_as_silence(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("לא שמעתי")
    flow.get("")(lambda call: call.play_message(call.ask_ai("")))
    line.enter("")

    assert prompts(provider) == ["(שתיקה)"]


def test_a_question_in_a_task_is_asked_while_the_caller_types(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("סיפור")

    @flow.get("")
    async def root(call: AsyncAICall) -> None:
        telling = asyncio.create_task(call.ask_ai("ספר"))
        key = await call.read("הקישו", val_name="key", max_digits=1)
        call.play_message(f"{key} {await telling}")

    line.enter("")
    until(lambda: prompts(provider) == ["ספר"])

    assert line.send(("key", "1")) == "id_list_message=t-1 סיפור"


def test_a_task_that_the_handler_leaves_behind_is_no_mistake(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("כן")
    tasks = []

    @flow.get("")
    async def root(call: AsyncAICall) -> None:
        tasks.append(asyncio.create_task(call.ask_ai("רקע")))
        call.goto("/3")

    assert line.enter("") == "go_to_folder=/3"
    until(lambda: prompts(provider) == ["רקע"])


@pytest.mark.parametrize("ending", ["hangup", "goto", "return"])
def test_a_forgotten_await_in_an_agents_function_is_an_error_however_it_ends(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture, ending: str
) -> None:
    @flow.ai_agent("a", greeting="שלום")
    async def agent(call: AsyncAICall, agent: AsyncAgent) -> str:
        agent.ask("א")  # type: ignore[unused-coroutine]  # the mistake
        if ending == "hangup":
            call.hangup()
        if ending == "goto":
            call.goto("/1")
        return "שלום"

    line.enter("a")

    assert "לא הצלחתי לענות" in line.send(("ai_1", "כן"))
    assert f"{__file__}:{agent.__code__.co_firstlineno + 2}: " in caplog.text


def test_an_empty_turn_id_is_no_name(flow: AIFlow, line: Line, provider: ScriptedProvider) -> None:
    provider.answers("אחת").answers("שתיים")
    flow.get("")(lambda call: call.play_message([call.ask_ai(text, turn_id="") for text in ("א", "ב")]))

    assert line.enter("") == "id_list_message=t-אחת.t-שתיים"


def test_play_and_read_takes_no_second_message_before_the_question(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    flow.get("7")(lambda call: call.play_and_read("א", "ב", pre_message="ג"))

    assert "תקלה" in line.enter("7")
    assert "it takes no pre_message" in caplog.text
