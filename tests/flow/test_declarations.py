"""Mistakes in what a developer declares are errors at once, not in a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from yemot_ai import AccessPolicy, AIFlow, DialogSettings, KeyAction, YemotAI
from yemot_ai.errors import ConfigurationError
from yemot_ai_testing import ScriptedProvider


def no_answer(call: object, text: object) -> None:
    pass


class AgentObject:
    def __call__(self, call: object, text: object) -> None:
        pass


@pytest.mark.parametrize("extension", [5, None, ["1"], no_answer], ids=["number", "None", "list", "function"])
@pytest.mark.parametrize("declare", ["get", "ai_agent", "add_route"])
def test_an_extension_is_a_text(flow: AIFlow, declare: str, extension: Any) -> None:  # noqa: ANN401 - any
    arguments = (extension, lambda call: None) if declare == "add_route" else (extension,)
    with pytest.raises(
        ConfigurationError, match=r"extension=.*: give a text such as '1/2', or '' for the root"
    ):
        getattr(flow, declare)(*arguments)


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
    "handler", [None, "x", lambda: None, lambda call, more: None, lambda *, call: None], ids=range(5)
)
def test_a_handler_takes_the_call(flow: AIFlow, handler: Any) -> None:  # noqa: ANN401 - a mistake
    with pytest.raises(ConfigurationError, match=r"must take \(call\)"):
        flow.get("1")(handler)


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
        ({"ai": "codex"}, "ai='codex': give a YemotAI"),
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
