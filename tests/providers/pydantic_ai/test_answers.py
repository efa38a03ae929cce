"""What a caller hears of an agent."""

from __future__ import annotations

import asyncio
import logging

import pytest
from pydantic_ai import Agent, ModelRetry, RunContext
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ThinkingPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.usage import RequestUsage

from tests.providers.pydantic_ai.asking import Model, ask, ask_now, called, give, said
from yemot_ai.errors import (
    AnswerEmptyError,
    ConfigurationError,
    MissingExtraError,
    ProviderError,
    ProviderTimeoutError,
    RefusedRequestError,
)
from yemot_ai.providers import Exchange, PydanticAIProvider, Usage

MODES = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@MODES
def test_an_agent_answers(*, stream: bool) -> None:
    model = Model(said("בשמונה בבוקר"))
    asked = ask_now(PydanticAIProvider(model.agent()), "מתי פותחים?", stream=stream)

    assert asked.reply.text == "בשמונה בבוקר"
    assert asked.pieces == (["בשמונה", " בבוקר"] if stream else [])
    assert model.sent() == [("user-prompt", "מתי פותחים?")]


def test_the_test_model_of_pydantic_ai_answers() -> None:
    agent = Agent(TestModel(custom_output_text="כן"))

    assert ask_now(PydanticAIProvider(agent), "יש?", stream=True).reply.text == "כן"


@MODES
def test_the_agents_own_tools_run_and_what_is_said_before_them_is_heard(*, stream: bool) -> None:
    model = Model(called(("stock", {}), saying="רגע, בודק."), said("יש שלוש."))
    agent = model.agent()
    give(agent, "stock", lambda: "3")
    asked = ask_now(PydanticAIProvider(agent), "כמה יש?", stream=stream)

    assert asked.reply.text == "רגע, בודק.\nיש שלוש."
    assert "".join(asked.pieces) == ("רגע, בודק.\nיש שלוש." if stream else "")
    assert model.sent()[-1] == ("tool-return", "3")


@MODES
def test_thoughts_are_not_spoken(*, stream: bool) -> None:
    message = ModelResponse([ThinkingPart("חושב"), TextPart("<think>עוד</think>כן")])
    provider = PydanticAIProvider(Model(message).agent())

    assert ask_now(provider, "יש?", stream=stream).reply.text == "כן"


def in_stock(context: RunContext[str]) -> str:
    return f"במחסן {context.deps}"


def test_dependencies_reach_the_agents_tools() -> None:
    model = Model(called(("stock", {})), said("יש"))
    agent = Agent(FunctionModel(model.answer), deps_type=str)
    agent.tool(name="stock")(in_stock)
    ask_now(PydanticAIProvider(agent, deps="חיפה"), "כמה יש?")

    assert model.sent()[-1] == ("tool-return", "במחסן חיפה")


@MODES
def test_the_instructions_of_the_turn_are_added_to_those_of_the_agent(*, stream: bool) -> None:
    model = Model(said("כן"))
    agent = model.agent(instructions="אתה מוקדן")
    ask_now(PydanticAIProvider(agent), "יש?", instructions="ענה בקצרה", stream=stream)

    assert model.offered[0].instructions == "אתה מוקדן\n\nענה בקצרה"


def test_the_instructions_of_a_turn_are_not_those_of_the_next() -> None:
    model = Model(said("כן"), said("לא"))
    provider = PydanticAIProvider(model.agent())
    first = ask_now(provider, "יש?", instructions="ענה בקצרה")
    ask_now(provider, "ועכשיו?", session=first.session)

    assert "בקצרה" not in str(model.requests[-1])


def test_the_system_prompt_of_the_agent_is_in_a_conversation_that_is_rebuilt() -> None:
    model = Model(said("דוד"))
    agent = model.agent(system_prompt="אתה מוקדן")
    ask_now(PydanticAIProvider(agent), "איך קוראים לי?", history=[Exchange("שמי דוד", "נעים מאוד")])

    assert [content for _, content in model.sent()] == ["אתה מוקדן", "שמי דוד", "נעים מאוד", "איך קוראים לי?"]


def test_the_usage_is_that_of_the_turn_and_of_all_its_requests() -> None:
    usage = RequestUsage(input_tokens=10, cache_read_tokens=4, output_tokens=3, output_reasoning_tokens=1)
    answers = [called(("stock", {})), said("יש"), said("לא")]
    for message in answers:
        message.usage = usage
    agent = Model(*answers).agent()
    give(agent, "stock", lambda: "3")
    provider = PydanticAIProvider(agent)
    first = ask_now(provider, "כמה יש?")

    assert first.reply.usage == Usage(20, 8, 6, 2)
    assert ask_now(provider, "בטוח?", session=first.session).reply.usage == Usage(10, 4, 3, 1)


@MODES
@pytest.mark.parametrize(
    ("reason", "error"), [("stop", AnswerEmptyError), ("content_filter", RefusedRequestError)]
)
def test_a_message_without_a_text_is_not_asked_for_again(
    reason: str, error: type[ProviderError], *, stream: bool
) -> None:
    # The model is called once: pydantic-ai would ask it to try again.
    empty = ModelResponse([TextPart("")], provider_details={"finish_reason": reason})
    model = Model(empty)
    agent = Agent(FunctionModel(model.answer))

    with pytest.raises(error):
        ask_now(PydanticAIProvider(agent, streams=False), "יש?", stream=stream)
    assert len(model.requests) == 1


def test_a_cut_answer_says_why() -> None:
    cut = ModelResponse([TextPart("עד כאן")], finish_reason="length")

    assert ask_now(PydanticAIProvider(Model(cut).agent()), "ספר").reply.cut == "length"


def test_the_services_own_word_for_a_cut_answer_goes_before_that_of_pydantic_ai() -> None:
    whole = ModelResponse(
        [TextPart("כן")], finish_reason="stop", provider_details={"finish_reason": "completed"}
    )
    cut = ModelResponse([TextPart("כן")], provider_details={"finish_reason": "max_output_tokens"})
    provider = PydanticAIProvider(Model(whole, cut).agent())

    assert [ask_now(provider, "יש?").reply.cut for _ in range(2)] == ["", "max_output_tokens"]


def test_a_text_that_an_output_validator_rejects_is_not_spoken_without_streams() -> None:
    model = Model(said("תשובה גסה"), said("תשובה נאה"))
    agent = model.agent()

    @agent.output_validator
    def polite(text: str) -> str:
        if "גסה" in text:
            raise ModelRetry("say it politely")
        return f"{text}!"

    asked = ask_now(PydanticAIProvider(agent, streams=False), "מה?", stream=True)

    assert (asked.reply.text, asked.pieces) == ("תשובה נאה!", [])


def test_a_validator_that_changes_a_spoken_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    agent = Model(said("כן")).agent()
    agent.output_validator(lambda text: f"{text}!")
    with caplog.at_level(logging.WARNING, "yemot_ai"):
        asked = ask_now(PydanticAIProvider(agent), "מה?", stream=True)

    assert asked.reply.text == "כן" == "".join(asked.pieces)
    assert "pass streams=False" in caplog.text


@MODES
def test_a_late_answer_is_given_up_and_leaves_nothing_running(*, stream: bool) -> None:
    began: list[str] = []
    ended: list[str] = []

    async def never(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        began.append("call")
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("call")
        raise AssertionError

    provider = PydanticAIProvider(Agent(FunctionModel(never)), timeout=0.05, streams=False)

    with pytest.raises(ProviderTimeoutError, match=r"within 0.05 s"):
        ask_now(provider, "יש?", stream=stream)
    assert ended == began  # on a slow machine the time may end before the call begins


def test_closing_an_answer_ends_the_agents_tools() -> None:
    ended: list[str] = []
    model = Model(called(("wait", {})))
    agent = model.agent()

    async def turn() -> None:
        waiting = asyncio.Event()

        async def wait() -> None:
            waiting.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("tool")

        give(agent, "wait", wait)
        asking = asyncio.create_task(ask(PydanticAIProvider(agent), "כמה יש?", stream=True))
        await waiting.wait()
        asking.cancel()
        await asyncio.wait({asking})

    asyncio.run(turn())
    assert ended == ["tool"]


def test_an_answer_may_be_read_and_closed_by_different_tasks() -> None:
    provider = PydanticAIProvider(Model(said("בשמונה בבוקר")).agent())

    async def turn() -> list[object]:
        answer = provider.ask("מתי?", stream=True)
        parts = [await asyncio.create_task(_next(answer)) for _ in range(2)]
        await asyncio.create_task(answer.aclose())  # type: ignore[attr-defined]  # an async generator
        return parts

    assert asyncio.run(turn()) == ["בשמונה", " בבוקר"]


async def _next(answer: object) -> object:
    return await anext(answer)  # type: ignore[call-overload]  # an async generator


def test_a_mistake_in_the_agents_own_tool_is_the_developers_exception() -> None:
    agent = Model(called(("stock", {}))).agent()
    give(agent, "stock", lambda: int("three"))

    with pytest.raises(ValueError, match="three"):
        ask_now(PydanticAIProvider(agent), "כמה יש?")


def test_parallel_turns_do_not_mix() -> None:
    async def echo(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        await asyncio.sleep(0)
        return said(f"אמרת {messages[-1].parts[-1].content}")  # type: ignore[union-attr]  # a prompt

    provider = PydanticAIProvider(Agent(FunctionModel(echo)))

    async def turns() -> list[str]:
        asked = await asyncio.gather(*(ask(provider, f"שאלה {number}") for number in range(5)))
        return [one.reply.text for one in asked]

    assert asyncio.run(turns()) == [f"אמרת שאלה {number}" for number in range(5)]


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        ("openai:gpt-5", "str is no agent"),
        (Agent, "Agent is no agent"),
        (None, "NoneType is no agent"),
        (Agent(TestModel(), output_type=int), "output_type=str"),
        (Agent(TestModel(), output_type=[str, int]), "output_type=str"),
    ],
    ids=["text", "class", "none", "number", "text-or-number"],
)
def test_what_is_no_agent_that_speaks_is_refused(agent: object, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        PydanticAIProvider(agent)  # type: ignore[arg-type]  # what a user may give


def test_a_missing_package_is_an_error_at_construction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(MissingExtraError, match=r"yemot-ai\[pydantic-ai\]"):
        PydanticAIProvider(Agent(TestModel()))


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="timeout=0"):
        PydanticAIProvider(Agent(TestModel()), timeout=0)


def test_the_model_has_the_name_of_the_agents_model() -> None:
    assert PydanticAIProvider(Agent(TestModel(model_name="small"))).model == "small"
    assert PydanticAIProvider(Agent("openai:gpt-5", defer_model_check=True)).model == "openai:gpt-5"
    assert PydanticAIProvider(Agent()).model == ""
