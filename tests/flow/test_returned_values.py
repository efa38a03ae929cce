"""What a function returned that no caller can hear: the log has its place and what to write."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from yemot_ai import AICall, AIFlow, AsyncAICall, YemotAI
from yemot_ai.errors import AgentFunctionError, ConfigurationError
from yemot_ai.flow.handlers.returned import parse_returned
from yemot_ai.protocol import GoToFolder, Play, Response, Text
from yemot_ai_testing import Caller, ScriptedProvider
from yemot_ai_testing.errors import LineError

APOLOGY = "סליחה, אירעה תקלה"


def shop(call: object) -> None: ...


def place_of(function: Callable[..., Any], line: int = 0) -> str:
    return f"{__file__}:{function.__code__.co_firstlineno + line}"


@pytest.mark.parametrize(
    ("returned", "what"),
    [
        ("שלום לכולם", "a text that is no response to the line"),
        ("hello world", "a text that is no response to the line"),
        ("שלום=x", "a text that is no response to the line"),
        ("", "an empty text"),
        ("  ", "an empty text"),
        (3, "int"),
        (2.5, "float"),
        (True, "bool"),
        ({"a": 1}, "dict"),
        ([("text", "שלום")], "list"),
        (b"x", "bytes"),
        ((), "an empty tuple"),
        (("text", "שלום"), "a tuple that is no tuple of actions"),
        ((GoToFolder("/1"), 5), "a tuple that is no tuple of actions"),
        (object, "type"),
    ],
    ids=repr,
)
def test_what_is_no_response_is_an_error_that_says_how_to_speak(returned: object, what: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_returned(returned, shop)
    assert str(caught.value).startswith(
        f"{place_of(shop)}: shop returned {what}: to speak, write call.play_message("
    )
    assert caught.value.place == place_of(shop)
    assert caught.value.__cause__ is None  # a traceback of it has the words


@pytest.mark.parametrize("returned", ["read=t-שלום", "id_list_message=x", "goto_folder=/1", "hangup=yes"])
def test_a_broken_response_says_what_the_line_cannot_read(returned: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"returned a response that the line cannot read: .* \(at char"
    ):
        parse_returned(returned, shop)


def test_a_response_is_returned_as_before() -> None:
    actions = (Play((Text("שלום"),)), GoToFolder("/5"))
    for returned in (Response(actions), actions, "id_list_message=t-שלום&go_to_folder=/5"):
        assert parse_returned(returned, shop) == Response(actions)


def test_a_handler_that_returns_a_text_is_named_in_the_log_without_its_words(
    flow: AIFlow, caplog: pytest.LogCaptureFixture
) -> None:
    @flow.get("7")
    def greets(call: AICall) -> str:
        return "שלום סודי"

    assert Caller(flow, extension="7", extensions=frozenset({"7"})).dial() == APOLOGY
    assert f"{place_of(greets)}: {greets.__qualname__} returned a text that is no response" in caplog.text
    assert "סודי" not in caplog.text


def test_a_tuple_of_no_actions_is_an_apology_like_any_other_mistake(
    flow: AIFlow, caplog: pytest.LogCaptureFixture
) -> None:
    handler: Any = lambda call: ("text", "שלום")  # noqa: E731 - of a type that mypy refuses
    flow.get("7")(handler)
    assert Caller(flow, extension="7", extensions=frozenset({"7"})).dial() == APOLOGY
    assert "is no tuple of actions" in caplog.text


def test_a_bare_word_is_a_warning(flow: AIFlow, caplog: pytest.LogCaptureFixture) -> None:
    @flow.get("7")
    async def greets(call: AsyncAICall) -> str:
        return "hello"

    with caplog.at_level(logging.WARNING, logger="yemot_ai"):
        Caller(flow, extension="7", extensions=frozenset({"7"})).dial()
    assert (
        f"{place_of(greets)}: {greets.__qualname__} returned a bare word, which the line does not speak"
        in caplog.text
    )
    assert "hello" not in caplog.text


def test_a_returned_move_to_no_handler_is_a_warning(flow: AIFlow, caplog: pytest.LogCaptureFixture) -> None:
    @flow.get("")
    def moves(call: AICall) -> str:
        return "go_to_folder=/ajent"

    flow.get("agent")(lambda call: call.hangup())
    with pytest.raises(LineError, match="no-handler"):
        Caller(flow).dial()
    assert f"{place_of(moves)}: the returned go_to_folder=/ajent leads to /ajent" in caplog.text


def test_a_handler_that_says_nothing_is_named(flow: AIFlow, caplog: pytest.LogCaptureFixture) -> None:
    flow.get("7")(shop)
    Caller(flow, extension="7", extensions=frozenset({"7"})).dial()
    assert f"{place_of(shop)}: shop, the handler of '7', said nothing" in caplog.text


@pytest.mark.parametrize("returned", [3, True, {"a": 1}, ["שלום"], ("text", "שלום"), b"x"], ids=repr)
def test_an_agents_wrong_value_is_named_with_the_place_of_its_function(
    caplog: pytest.LogCaptureFixture, returned: object
) -> None:
    def wrong(call: AICall, text: str) -> Any:  # noqa: ANN401 - the mistake
        return returned

    failure = failure_of(wrong, caplog)
    assert str(failure) == (
        f"{place_of(wrong)}: the agent's function {wrong.__qualname__} returned {type(returned).__name__}; "
        "return a text, or None"
    )
    assert failure.function == wrong.__qualname__
    assert failure.place == place_of(wrong)


def test_a_read_in_an_agent_is_named_with_its_line(caplog: pytest.LogCaptureFixture) -> None:
    def reads(call: AICall, text: str) -> str:
        return call.read("מה?")

    async def reads_async(call: AsyncAICall, text: str) -> str:
        return await call.play_and_read("רגע", "מה?")

    for function in (reads, reads_async):
        failure = failure_of(function, caplog)
        assert str(failure).startswith(
            f"{place_of(function, 1)}: the agent's function {function.__qualname__} used"
        )
        assert failure.place == place_of(function, 1)


def test_an_exception_in_an_agent_is_named_with_its_function(caplog: pytest.LogCaptureFixture) -> None:
    def fails(call: AICall, text: str) -> None:
        raise KeyError(text)

    assert str(failure_of(fails, caplog)).startswith(
        f"{place_of(fails)}: the agent's function {fails.__qualname__} raised"
    )


def failure_of(function: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> AgentFunctionError:
    """Return the error of a turn, as the log has it."""
    flow = AIFlow(YemotAI(provider=ScriptedProvider()))
    flow.ai_agent("", greeting="שלום")(function)
    caller = Caller(flow)
    caller.dial()
    caller.says("מה חדש?")
    caller.hangs_up()
    errors = [record.exc_info[1] for record in caplog.records if record.exc_info]
    caplog.clear()
    (error,) = errors
    assert isinstance(error, AgentFunctionError)
    return error
