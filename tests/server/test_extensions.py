from __future__ import annotations

import functools
import logging

import pytest

from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai.errors import ConfigurationError
from yemot_ai.server.extensions import list_extensions, log_extensions
from yemot_ai_testing import ScriptedProvider


def menu(call: AICall) -> None: ...


def agent(call: AICall, text: str) -> None: ...


class Shop:
    def orders(self, call: AICall) -> None: ...

    def __call__(self, call: AICall) -> None: ...


LINES = {name: function.__code__.co_firstlineno for name, function in (("menu", menu), ("agent", agent))}


def new_flow() -> AIFlow:
    return AIFlow(YemotAI(provider=ScriptedProvider()))


def test_each_extension_is_listed_with_who_answers_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="yemot_ai")
    flow = new_flow()
    flow.ai_agent("1/2", greeting="שלום")(agent)
    flow.get("")(menu)
    log_extensions(flow, "shop:flow")

    assert [record.getMessage() for record in caplog.records] == [
        f"extension /: handler menu, {__file__}:{LINES['menu']}",
        f"extension /1/2: agent agent (scripted), {__file__}:{LINES['agent']}",
    ]


def order_status(number: int) -> str:
    """Return the status of an order."""
    return str(number)


def test_the_tools_of_an_agent_are_listed_with_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="yemot_ai")
    flow = new_flow()
    flow.ai_agent("", greeting="שלום", tools=[order_status])(agent)
    log_extensions(flow, "shop:flow")

    assert "extension /: agent agent (scripted, tools order_status), " in caplog.text


def test_methods_objects_and_partial_functions_have_a_place_too() -> None:
    flow, shop = new_flow(), Shop()
    flow.get("1")(shop.orders)
    flow.get("2")(shop)
    flow.get("3")(functools.partial(menu))

    listed = [(one.function, one.place.rpartition(":")[0]) for one in list_extensions(flow)]
    assert listed == [("Shop.orders", __file__), ("Shop.__call__", __file__), ("menu", __file__)]


def test_a_flow_without_extensions_is_an_error_that_says_how_to_register_one() -> None:
    with pytest.raises(ConfigurationError, match=r"shop:line answers no extension: .*@line\.ai_agent"):
        log_extensions(new_flow(), "shop:line")
