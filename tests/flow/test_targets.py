"""A ``goto`` that leads to no handler is a warning at once, with what is probably meant."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from yemot_ai import AICall, AIFlow
from yemot_ai.flow.targets import UnknownTarget, find_unknown_target, resolve_target
from yemot_ai_testing import Caller

KNOWN = {"", "agent", "old", "thanks", "shop/orders"}


@pytest.mark.parametrize(
    ("extension", "target", "meant"),
    [
        ("", "/ajent", "/agent"),
        ("", "ajent", "/agent"),
        ("", "AGENT", "/agent"),
        ("old", "/Thanks", "/thanks"),
        ("", "/shop/order", "/shop/orders"),
        ("shop", "order", "/shop/orders"),
        ("", "/1", ""),
        ("", "/agent/1", "/agent"),
        ("old", "../x", ""),
    ],
)
def test_a_target_without_a_handler_is_found(extension: str, target: str, meant: str) -> None:
    path = resolve_target(extension, target)
    assert path
    assert find_unknown_target(extension, target, KNOWN) == UnknownTarget(path, meant)


@pytest.mark.parametrize("target", ["thanks", "thanks/"])
def test_a_missing_slash_is_told_if_only_the_absolute_target_exists(target: str) -> None:
    assert find_unknown_target("old", target, KNOWN) == UnknownTarget("old/thanks", "/thanks", below="old")


@pytest.mark.parametrize(
    ("extension", "target"),
    [
        ("", "/agent"),
        ("", "agent"),
        ("agent", "."),
        ("agent", ".."),
        ("agent", "/"),
        ("1/2/3", ".."),
        ("1/2/3", "/1"),
        ("", "shop"),
        ("agent", "/shop/"),
        ("agent", "hangup"),
        ("agent", "../.."),
        ("x", "."),
    ],
)
def test_a_target_that_exists_on_the_line_is_no_mistake(extension: str, target: str) -> None:
    assert find_unknown_target(extension, target, KNOWN) is None


def test_the_warning_has_the_line_of_the_goto_and_comes_once_for_each_target(
    flow: AIFlow, caplog: pytest.LogCaptureFixture
) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        call.goto("/ajent" if call.phone else "/thank")

    flow.get("agent")(lambda call: call.hangup())
    flow.get("thanks")(lambda call: call.hangup())
    with caplog.at_level(logging.WARNING, logger="yemot_ai"):
        for phone in ("", "050", "", "050"):
            flow.handle_request({"ApiCallId": f"c{phone}", "ApiExtension": "", "ApiPhone": phone})
    warnings = [record.getMessage() for record in caplog.records]

    place = f"{__file__}:{root.__code__.co_firstlineno + 2}"
    missing = "for which there is no handler: did you mean"
    assert warnings == [
        f"{place}: call.goto('/thank') leads to /thank, {missing} '/thanks'?",
        f"{place}: call.goto('/ajent') leads to /ajent, {missing} '/agent'?",
    ]


def test_a_goto_of_an_agent_is_checked_too(flow: AIFlow, caplog: pytest.LogCaptureFixture) -> None:
    @flow.ai_agent("agent")
    def agent(call: AICall, text: str) -> None:
        call.goto("thanks")

    flow.get("thanks")(lambda call: call.hangup())
    caller = Caller(flow, extension="agent", strict=False)
    caller.dial()
    caller.says("תודה")

    assert f"{Path(__file__).name}:{agent.__code__.co_firstlineno + 2}: call.goto('thanks')" in caplog.text
    assert "did you mean '/thanks'? Without a slash it is below /agent" in caplog.text
