"""Mistakes in what a developer declares are errors at once, not in a call."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from yemot_ai import AccessPolicy, AIFlow, DialogSettings, KeyAction, YemotAI
from yemot_ai.errors import ConfigurationError
from yemot_ai_testing import Caller, ScriptedProvider


def no_answer(call: object, text: object) -> None:
    pass


class AgentObject:
    def __call__(self, call: object, text: object) -> None:
        pass


def greet(call: Any) -> None:  # noqa: ANN401 - any call
    call.play_message("שלום")
    call.hangup()


class Shop:
    def root(self, call: Any) -> None:  # noqa: ANN401 - any call
        greet(call)

    def closed(self) -> None: ...

    @classmethod
    def of_class(cls, call: Any) -> None:  # noqa: ANN401 - any call
        greet(call)

    @staticmethod
    def static(call: Any) -> None:  # noqa: ANN401 - any call
        greet(call)

    def __call__(self, call: Any) -> None:  # noqa: ANN401 - any call
        greet(call)


class Visit:
    def __init__(self, call: object) -> None: ...


def generator(call: object) -> Iterator[str]:
    yield "שלום"


async def asynchronous_generator(call: object) -> Any:  # noqa: ANN401 - whatever it yields
    yield "שלום"


async def coroutine_function(call: object) -> None: ...


def define(place: Callable[..., Any]) -> str:
    """Return the place of a function as an error has it."""
    return f"{place.__code__.co_filename}:{place.__code__.co_firstlineno}: {place.__qualname__}"


@pytest.mark.parametrize("extension", [5, None, ["1"], b"1"], ids=["number", "None", "list", "bytes"])
@pytest.mark.parametrize("declare", ["get", "ai_agent", "add_route"])
def test_an_extension_is_a_text(flow: AIFlow, declare: str, extension: Any) -> None:  # noqa: ANN401 - any
    arguments = (extension, lambda call: None) if declare == "add_route" else (extension,)
    with pytest.raises(
        ConfigurationError, match=r"extension=.*: give a text such as '1/2', or '' for the root"
    ):
        getattr(flow, declare)(*arguments)


@pytest.mark.parametrize("declare", ["get", "ai_agent"])
def test_a_decorator_without_parentheses_says_what_to_write(flow: AIFlow, declare: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        getattr(flow, declare)(no_answer)
    assert str(caught.value).startswith(define(no_answer))
    assert f'write @flow.{declare}("") above it for the root' in str(caught.value)


def test_a_route_with_swapped_arguments_says_their_order(flow: AIFlow) -> None:
    with pytest.raises(
        ConfigurationError, match=r'write flow\.add_route\("1/2", function\), the extension first'
    ):
        flow.add_route(no_answer, "1")  # type: ignore[arg-type]  # the mistake


@pytest.mark.parametrize(
    ("wrong_call", "example"),
    [
        (lambda flow: AIFlow(), "write AIFlow(YemotAI('codex'))"),  # type: ignore[call-arg]
        (lambda flow: flow.get(), "write @flow.get('1/2')"),
        (lambda flow: flow.add_route(no_answer), "write flow.add_route('1/2', function)"),
        (lambda flow: flow.ai_agent("1", greting="שלום"), "write @flow.ai_agent('1/2', greeting='…')"),
        (lambda flow: flow.get("1")(), ""),
    ],
    ids=["no AI", "no extension", "no handler", "unknown option", "no function"],
)
def test_wrong_arguments_are_an_error_with_an_example(
    flow: AIFlow, wrong_call: Callable[[AIFlow], object], example: str
) -> None:
    with pytest.raises((ConfigurationError, TypeError)) as caught:
        wrong_call(flow)
    assert example in str(caught.value)
    assert isinstance(caught.value, ConfigurationError if example else TypeError)


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("post", '@flow.get("1/2"): it answers GET and POST'),
        ("any", "@flow.get"),
        ("route", "@flow.get"),
        ("agent", "@flow.ai_agent"),
        ("run", "yemot-ai serve module:flow"),
    ],
)
def test_a_method_of_other_libraries_says_what_to_write_here(flow: AIFlow, name: str, instead: str) -> None:
    with pytest.raises(AttributeError, match=f"AIFlow has no '{name}': .*{re.escape(instead)}"):
        getattr(flow, name)
    assert not hasattr(flow, name)
    assert getattr(flow, "nothing_like_it", None) is None


@pytest.mark.parametrize(
    ("extension", "name"),
    [
        ("/1/2/", "1/2"),
        ("1//2", "1/2"),
        (" 1 ", "1"),
        ("/", ""),
        ("שלום", "שלום"),
        ("a b", "a b"),
        ("-1", "-1"),
    ],
)
def test_an_extension_is_named_as_the_line_names_it(flow: AIFlow, extension: str, name: str) -> None:
    flow.get(extension)(greet)
    assert list(flow.routes) == [name]
    assert Caller(flow, extension=name).dial() == "שלום"


@pytest.mark.parametrize(
    ("extension", "message"),
    [
        ("../1", "write the whole path from the root"),
        ("1/./2", "write the whole path from the root"),
        ("hangup", r"call\.hangup\(\) ends a call"),
        ("1,2", "cannot be a folder of the line"),
        ("a=b", "cannot be a folder of the line"),
        ("1.2", "cannot be a folder of the line"),
        ("a\nb", "cannot be a folder of the line"),
        ("https://a.example/1", "yemot-ai ext-ini"),
    ],
)
@pytest.mark.parametrize("declare", ["get", "ai_agent"])
def test_an_extension_that_no_caller_can_reach_is_an_error(
    flow: AIFlow, declare: str, extension: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        getattr(flow, declare)(extension)
    assert str(caught.value).startswith(f"{__file__}:")


def test_a_second_handler_of_an_extension_names_the_first(flow: Any) -> None:  # noqa: ANN401 - of an AIFlow
    first, second = flow.ai_agent("1"), flow.ai_agent("/1/")
    first(no_answer)
    later: Any = (lambda: second, lambda: flow.get("1"), lambda: flow.ai_agent("1"))
    for declare in later:
        with pytest.raises(
            ConfigurationError, match=re.escape(f"'1' already has a handler: {define(no_answer)}")
        ):
            declare()(greet)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"greeting": None}, "greeting=None: give a text"),
        ({"greeting": ["שלום"]}, "greeting=.*: give a text"),
        ({"greeting": ""}, "needs a greeting that can be spoken"),
        ({"dialog": {"filler": "רגע"}}, r"dialog=.*: give DialogSettings\(…\)"),
        ({"instructions": ["ענה"]}, "instructions=.*: give a text"),
        ({"stream": "no"}, "stream='no': give True or False"),
        ({"listen": "voise"}, "listen='voise': use one of"),
    ],
    ids=str,
)
def test_an_option_of_an_agent_has_its_type(flow: AIFlow, option: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        flow.ai_agent("1", **option)


@pytest.mark.parametrize(
    "handler",
    [lambda: None, lambda call, more: None, lambda *, call: None, functools.partial(lambda call: None, 1)],
    ids=["no parameter", "two parameters", "keyword only", "a partial of all"],
)
def test_a_handler_takes_the_call(flow: AIFlow, handler: Any) -> None:  # noqa: ANN401 - a mistake
    with pytest.raises(
        ConfigurationError, match=r"must take \(call\): .* takes two arguments, under @flow\.ai_agent"
    ):
        flow.get("1")(handler)
    with pytest.raises(ConfigurationError, match=rf"^{re.escape(__file__)}:\d+: <lambda> must take"):
        flow.add_route("1", handler)


def test_an_agent_takes_the_call_and_the_text(flow: Any) -> None:  # noqa: ANN401 - an AIFlow
    with pytest.raises(
        ConfigurationError, match=r"must take \(call, text\) .* one argument, under @flow\.get"
    ):
        flow.ai_agent("1")(greet)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (None, "None is no function"),
        ("שלום", "'שלום' is no function"),
        (Visit, r"Visit is a class: give a function, or an object, Visit\(…\)"),
        (str, "str is a class"),
        (generator, r"generator yields: play with call\.play_message"),
        (functools.partial(generator), "generator yields"),
        (asynchronous_generator, "asynchronous_generator yields"),
        (Shop.root, r"Shop\.root is a method without its object"),
        (Shop.closed, r"Shop\.closed is a method without its object"),
    ],
    ids=["None", "text", "class", "builtin class", "generator", "partial", "async", "method", "its only one"],
)
@pytest.mark.parametrize("declare", ["get", "ai_agent"])
def test_what_is_no_function_of_a_call_is_an_error(
    flow: AIFlow, declare: str, given: object, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{re.escape(__file__)}:\d+: {reason}"):
        getattr(flow, declare)("1")(given)
    assert not flow.routes
    assert not flow.agents


def test_a_decorator_may_use_up_what_a_function_yields(flow: AIFlow) -> None:
    @functools.wraps(generator)
    def plays(call: Any) -> None:  # noqa: ANN401 - any call
        call.play_message(list(generator(call)))
        call.hangup()

    flow.get("1")(plays)
    assert Caller(flow, extension="1").dial() == "שלום"


def test_an_object_whose_call_yields_is_an_error(flow: Any) -> None:  # noqa: ANN401 - an AIFlow
    class Yields:
        def __call__(self, call: object) -> Iterator[str]:
            yield "שלום"

    with pytest.raises(ConfigurationError, match=r"Yields\.__call__ yields"):
        flow.get("1")(Yields())


def test_a_coroutine_in_place_of_its_function_is_an_error(flow: Any) -> None:  # noqa: ANN401 - an AIFlow
    coroutine = coroutine_function(None)
    with pytest.raises(ConfigurationError, match="give the function itself, without parentheses"):
        flow.get("1")(coroutine)
    with pytest.raises(
        RuntimeError, match="cannot reuse already awaited"
    ):  # it is closed: nothing warns of it
        asyncio.run(coroutine)


@pytest.mark.parametrize(
    "handler",
    [
        Shop().root,
        Shop.of_class,
        Shop.static,
        Shop(),
        functools.partial(lambda _, call: greet(call), 1),
    ],
    ids=["method", "class method", "static method", "object", "partial"],
)
def test_a_callable_of_any_kind_answers(flow: AIFlow, handler: Callable[..., None]) -> None:
    flow.get("1")(handler)
    assert Caller(flow, extension="1").dial() == "שלום"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"provider": "openai"}, r"provider='openai' is a mode: write YemotAI\('openai'\)"),
        ({"provider": ScriptedProvider}, r"provider=ScriptedProvider is a class: give ScriptedProvider\(…\)"),
        (
            {"mode": ScriptedProvider()},
            r"a mode is one of 'codex'.*; give a provider as YemotAI\(provider=…\)",
        ),
        ({"limits": Visit}, r"limits=Visit is the class itself: give Limits\(…\)"),
    ],
    ids=["mode", "class", "provider as mode", "class as value"],
)
def test_an_ai_says_where_an_argument_belongs(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        YemotAI(
            **{
                "provider": ScriptedProvider(),
                **({"provider": None} if "mode" in arguments else {}),
                **arguments,
            }
        )


@pytest.mark.parametrize(
    "handler",
    [lambda *_: None, lambda call, more=1: None, AgentObject().__call__],
    ids=["any", "default", "method"],
)
def test_a_handler_may_have_more_parameters_if_they_have_defaults(
    flow: AIFlow, handler: Callable[..., None]
) -> None:
    declared = flow.ai_agent("1") if handler.__name__ == "__call__" else flow.get("1")
    assert declared(handler) is handler


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ai": "codex"}, rf"^{re.escape(__file__)}:\d+: ai='codex': give a YemotAI"),
        ({"ai": YemotAI}, "ai=YemotAI is the class itself: give a YemotAI, such as"),
        ({"timeout": "30"}, "timeout='30': give milliseconds"),
        ({"dialog": {}}, r"dialog={}: give DialogSettings\(…\)"),
        ({"access": "052"}, r"access='052': give AccessPolicy\(…\)"),
        ({"timeout": -1}, "timeout=-1: give milliseconds, 0 or more"),
        ({"timeout": True}, "timeout=True: give milliseconds, 0 or more"),
        ({"request_limits": 7}, r"request_limits=7: give RequestLimits\(…\)"),
    ],
    ids=str,
)
def test_an_option_of_a_flow_has_its_type(
    provider: ScriptedProvider, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        AIFlow(**{"ai": YemotAI(provider=provider), **arguments})


def test_the_right_types_are_taken(provider: ScriptedProvider) -> None:
    flow = AIFlow(
        YemotAI(provider=provider), timeout=1e4, dialog=DialogSettings(), access=AccessPolicy(block=["050"])
    )
    assert (
        flow.ai_agent("1", instructions="ענה", stream=False, dialog=DialogSettings())(no_answer) is no_answer
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"filler": 5}, "filler=5: give a text"),
        ({"not_heard": None}, "not_heard=None: give a text"),
        ({"apology": ["x"]}, "apology=.*: give a text"),
        ({"answer_cut_off": b"x"}, "answer_cut_off=.*: give a text"),
        ({"request_refused": "🙂"}, "has nothing that can be spoken"),
        ({"max_silences": "3"}, "max_silences='3': at least 1"),
        ({"max_silences": 2.5}, "max_silences=2.5: at least 1"),
        ({"max_silences": 0}, "max_silences=0: at least 1"),
        ({"answer_wait": "2"}, "answer_wait='2': give seconds, 0 or more"),
        ({"poll_wait": -1}, "poll_wait=-1: give seconds, 0 or more"),
        ({"answer_wait": float("nan")}, "answer_wait=nan: give seconds"),
        ({"poll_wait": float("inf")}, "poll_wait=inf: give seconds"),
        ({"keys": ["9"]}, "keys=.*: give a mapping, such as {'9': KeyAction.LEAVE}"),
        ({"keys": {"9": "leave"}}, "keys={'9': 'leave'}: give a key of the phone and a KeyAction"),
        ({"keys": {9: KeyAction.LEAVE}}, "keys={9: .*}: give a key of the phone"),
        ({"keys": {"a": KeyAction.LEAVE}}, "keys={'a': .*}: give a key of the phone"),
        ({"exit_words": "ביי"}, "exit_words='ביי': give a set, such as {'ביי'}"),
    ],
    ids=str,
)
def test_a_dialog_setting_has_its_type(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        DialogSettings(**setting)
