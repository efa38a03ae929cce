from __future__ import annotations

import datetime as dt
import decimal
import enum
import functools
import json
import math
import sqlite3
import sys
import types
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from yemot_ai import AIFlow, ToolContext, YemotAI, tool
from yemot_ai.errors import ConfigurationError, MissingExtraError, ToolError
from yemot_ai.providers import CodexCLIProvider, FallbackProvider
from yemot_ai.tools.consent import is_consent
from yemot_ai.tools.declaration import MAX_QUESTION, as_tool
from yemot_ai.tools.results import MAX_RESULT, result_text
from yemot_ai.tools.schema import ArgumentsError
from yemot_ai_testing import FakeCodex, ScriptedProvider


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


@dataclass
class Address:
    street: str
    number: int


def place_order(  # noqa: PLR0913, PLR0917 - each is of another kind
    call: ToolContext,
    size: Size,
    toppings: list[str],
    address: Address,
    when: dt.date | None = None,
    kind: Literal["pickup", "delivery"] = "pickup",
) -> str:
    """Place an order for a pizza.

    Ask for the address first.

    Args:
        call: the call.
        size: how large.
        toppings (list): what is on it,
            in Hebrew.
        address: where to.

    Returns:
        The number of the order.
    """
    return f"{call.phone} {size} {toppings} {address} {when} {kind}"


def test_the_schema_comes_from_the_hints_and_the_docstring() -> None:
    spec = as_tool(place_order).spec

    assert (spec.name, spec.description) == (
        "place_order",
        "Place an order for a pizza.\n\nAsk for the address first.",
    )
    assert list(spec.parameters["properties"]) == ["size", "toppings", "address", "when", "kind"]
    assert spec.parameters["required"] == ["size", "toppings", "address"]
    assert spec.parameters["additionalProperties"] is False
    properties = spec.parameters["properties"]
    assert properties["toppings"] == {
        "type": "array",
        "items": {"type": "string"},
        "description": "what is on it, in Hebrew.",
    }
    assert (properties["kind"]["enum"], properties["kind"]["default"]) == (["pickup", "delivery"], "pickup")
    assert "title" not in json.dumps(spec.parameters)


def test_arguments_are_converted_to_the_hinted_types() -> None:
    address = '{"street": "הרצל", "number": "5"}'
    written = f'{{"size": "large", "toppings": [], "address": {address}, "when": "2026-12-01"}}'

    assert as_tool(place_order).signature.parse(written) == {
        "size": Size.LARGE,
        "toppings": [],
        "address": Address("הרצל", 5),
        "when": dt.date(2026, 12, 1),
    }


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ("null", "object"),
        ('{"size": "huge", "toppings": [], "address": {"street": "", "number": 1}}', "size: Input should be"),
        ('{"toppings": []}', "size: Field required; address: Field required"),
        ('{"size": "small", "toppings": [], "address": {"street": "", "number": 1}, "x": 1}', "x: Extra"),
    ],
    ids=["broken", "a list", "null", "a wrong value", "missing", "one too many"],
)
def test_wrong_arguments_are_described_to_the_model(written: str, problem: str) -> None:
    with pytest.raises(ArgumentsError, match=problem):
        as_tool(place_order).signature.parse(written)


@pytest.mark.parametrize("written", ["", "{}", " ", "null"])
def test_a_tool_without_parameters_takes_no_arguments(written: str) -> None:
    def opening_hours() -> str:
        """Return the opening hours."""
        return "9"

    assert as_tool(opening_hours).signature.parse(written) == {}
    assert as_tool(opening_hours).spec.parameters["properties"] == {}


def no_docstring(number: int) -> str:
    return str(number)


def no_hint(number) -> str:  # type: ignore[no-untyped-def]  # noqa: ANN001 - that is the mistake
    """Do it."""
    return str(number)


def many(*numbers: int) -> str:
    """Do it."""
    return str(numbers)


def second(number: int, call: ToolContext) -> str:
    """Do it."""
    return f"{number}{call}"


def other_name(context: ToolContext) -> str:
    """Do it."""
    return str(context)


def yields(number: int) -> Iterator[int]:
    """Do it."""
    yield number


def describes_another(number: int) -> str:
    """Do it.

    Args:
        number: how many.
        size: how large.
    """
    return str(number)


class Shop:
    def status(self, number: int) -> str:
        """Do it."""
        return str(number)

    @classmethod
    def open(cls) -> str:
        """Do it."""
        return cls.__name__


def strange(what: Callable[[], int]) -> str:
    """Do it."""
    return str(what)


def unresolved(what: Missing) -> str:  # type: ignore[name-defined]  # noqa: F821 - that is the mistake
    """Do it."""
    return str(what)


def hebrew_parameter(מספר: int) -> str:  # noqa: N803, PLC2401 - that is the mistake
    """Do it."""
    return str(מספר)


def field_as_default(number: int = Field(description="of the order")) -> str:
    """Do it."""
    return str(number)


def text_as_call(call: str, number: int) -> str:
    """Do it."""
    return f"{call} {number}"


def הזמנה(number: int) -> str:  # noqa: N802, PLC2401 - that is the mistake
    """Do it."""
    return str(number)


def fine(number: int) -> str:
    """Do it."""
    return str(number)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (no_docstring, "the tool no_docstring needs a docstring"),
        (no_hint, "has number without a type hint: write number: str"),
        (many, "has 'numbers' in a place where a model cannot give an argument by name: write each"),
        (second, "has call for the call: that is the first parameter, named call"),
        (other_name, "has context for the call: that is the first parameter, named call"),
        (Shop.status, r"is a method of a class: give that of an object, .*tool\(…\)\(orders.status\)"),
        (hebrew_parameter, "has 'מספר': name a parameter in Latin letters, .* its text under Args: is free"),
        (field_as_default, r"has number = Field\(…\): write number: Annotated\[…, Field\(…\)\]"),
        (text_as_call, "a first parameter named call gets the ToolContext"),
        (yields, "yields: return the result"),
        (describes_another, "describes size under Args:, which is no parameter"),
        (strange, "has a parameter that JSON cannot represent"),
        (unresolved, "has a type hint that cannot be resolved .*Missing"),
        (הזמנה, r"needs a name of Latin letters, .* write @tool\(name='order_status'\)"),
        (int, "give functions"),
        ("fine", "give functions"),
    ],
    ids=[
        "docstring",
        "hint",
        "many",
        "call second",
        "context",
        "method",
        "hebrew parameter",
        "field",
        "call a text",
        "generator",
        "docs of another",
        "callable",
        "unresolved",
        "hebrew",
        "class",
        "text",
    ],
)
def test_a_function_that_no_model_can_call_is_refused_with_the_way_out(
    function: object, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        as_tool(function)


def test_the_error_names_the_file_and_line_of_the_function() -> None:
    with pytest.raises(ConfigurationError) as error:
        as_tool(no_docstring)

    assert error.value.place.rpartition(":")[0].endswith("test_declaration.py")


def undecorated(value: Any) -> Any:  # noqa: ANN401 - what a decorator may stand above
    return tool(value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (tool(fine), r"fine is a tool already: give all its options to one @tool\(…\)"),
        (vars(Shop)["open"], r"@tool above a classmethod: .* of a method write tool\(…\)\(orders.status\)"),
        ("fine", "@tool above a str: it belongs above a function"),
        (Shop, "@tool above the class Shop: it belongs above a function"),
    ],
    ids=["tool", "classmethod", "text", "class"],
)
def test_what_is_no_function_cannot_be_declared_as_a_tool(value: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        undecorated(value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, "timeout of the tool fine=0"),
        ({"retry": "yes"}, "retry of the tool fine='yes'"),
        ({"says": "***"}, "has nothing to speak"),
        ({"says": 7}, "says of the tool fine=7"),
        ({"confirm": "לבטל את {order}?"}, "no parameter 'order'; it has number"),
        ({"confirm": "לבטל את {number?"}, "confirm=.*expected .*write {{ and }}"),
        ({"confirm": ""}, "confirm='' of the tool fine has nothing to speak: give a text, or leave it out"),
        ({"name": "a b"}, "the tool 'a b' needs a name"),
    ],
    ids=["timeout", "retry", "says", "says a number", "confirm", "brace", "empty", "name"],
)
def test_an_option_that_cannot_be_meant_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as error:
        tool(**options)(fine)

    assert str(error.value).startswith(f"{error.value.place}: ")


def test_an_optional_argument_that_is_left_out_is_not_spoken_as_none() -> None:
    @tool(confirm="לבטל את {number} {reason}?")
    def cancel(number: int, reason: str | None = None) -> None:
        """Cancel an order."""

    assert cancel.question({"number": 7}) == "לבטל את 7 ?"


def test_arguments_are_asked_about_in_words_that_a_caller_understands() -> None:
    @tool(confirm="{size}, {toppings}, {when:%d/%m}, {kind.value}?")
    def order(size: Size, toppings: list[str], when: dt.date | None = None, kind: Size = Size.SMALL) -> None:
        """Order it."""

    arguments = '{"size": "large", "toppings": ["זיתים", "בצל"], "when": "2026-12-01"}'
    assert order.question(order.signature.parse(arguments)) == "large, זיתים, בצל, 01/12, small?"
    assert order.question(order.signature.parse('{"size": "large", "toppings": []}')) == "large, , , small?"


@pytest.mark.parametrize(
    ("what", "reason"),
    [("", "no question"), ("***", "no question"), ("א" * (MAX_QUESTION + 1), "too long: 1001 of 1000")],
    ids=["empty", "signs", "long"],
)
def test_arguments_that_cannot_be_asked_about_are_refused(what: str, reason: str) -> None:
    @tool(confirm="{what}")
    def do(what: str) -> None:
        """Do it."""

    with pytest.raises(ToolError, match=reason):
        do.question({"what": what})


def test_tools_of_objects_are_tools() -> None:
    assert as_tool(Shop().status).signature.parse('{"number": 7}') == {"number": 7}


def status_in(shop: Shop, number: int, detailed: bool = False) -> str:  # noqa: FBT001, FBT002 - as users write it
    """Return the status of an order."""
    return f"{shop.status(number)} {detailed}"


WRAPPED = functools.partial(status_in, Shop())
functools.update_wrapper(WRAPPED, status_in)


@pytest.mark.parametrize(
    ("function", "properties"),
    [
        (functools.partial(status_in, Shop()), ["number", "detailed"]),
        (functools.partial(status_in, Shop(), detailed=True), ["number"]),
        (functools.partial(status_in, shop=Shop()), ["number", "detailed"]),
        (functools.partial(functools.partial(status_in, Shop()), detailed=True), ["number"]),
        (WRAPPED, ["number", "detailed"]),
    ],
    ids=["position", "both", "name", "nested", "wrapped"],
)
def test_the_model_does_not_see_what_a_partial_gives(
    function: Callable[..., Any], properties: list[str]
) -> None:
    spec = as_tool(function).spec

    assert (spec.name, spec.description) == ("status_in", "Return the status of an order.")
    assert list(spec.parameters["properties"]) == properties


class Finder:
    """The orders of a shop."""

    def __call__(self, number: int) -> str:
        """Find an order."""
        return str(number)


class PlainFinder:
    """Finds an order."""

    def __call__(self, number: int) -> str:
        return str(number)


@pytest.mark.parametrize(
    ("function", "description"), [(Finder(), "Find an order."), (PlainFinder(), "Finds an order.")]
)
def test_an_object_that_can_be_called_is_a_tool(function: Callable[..., Any], description: str) -> None:
    made = tool(name="find")(function)

    assert made.spec.description == description
    assert made.signature.parse('{"number": "7"}') == {"number": 7}


def test_a_default_that_json_does_not_have_is_not_sent() -> None:
    def search(max_price: float = math.inf, near: dt.date = dt.date.max, most: int = 5) -> None:
        """Search for it."""

    properties = as_tool(search).spec.parameters["properties"]
    assert [name for name, schema in properties.items() if "default" in schema] == ["most"]


def test_a_description_of_pydantic_reaches_the_model() -> None:
    def find(number: Annotated[int, Field(description="of the order", gt=0)]) -> None:
        """Find it."""

    assert as_tool(find).spec.parameters["properties"]["number"]["description"] == "of the order"


def test_of_a_fallback_the_provider_without_tools_is_named(fake_codex: FakeCodex) -> None:
    provider = FallbackProvider([ScriptedProvider(), CodexCLIProvider()])

    with pytest.raises(ConfigurationError, match="the provider 'codex' cannot call tools"):
        YemotAI(provider=provider, tools=[fine])


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"two tools have the name 'fine': write @tool\(name='…'\)"):
        YemotAI(provider=ScriptedProvider(), tools=[fine, tool(fine)])


@pytest.mark.parametrize("tools", ["fine", fine, 7], ids=["text", "function", "number"])
def test_tools_are_a_list(tools: Any) -> None:  # noqa: ANN401 - that is the mistake
    with pytest.raises(ConfigurationError, match=r"tools=.*give a list of functions"):
        YemotAI(provider=ScriptedProvider(), tools=tools)


def test_a_provider_that_cannot_call_tools_is_refused_where_the_agent_is_declared(
    fake_codex: FakeCodex,
) -> None:
    flow = AIFlow(YemotAI("codex"))

    with pytest.raises(
        ConfigurationError, match=r"'codex' cannot call tools: use OpenAIProvider.* mcp_servers="
    ):
        flow.ai_agent("", greeting="שלום", tools=[fine])


def test_the_error_about_the_tools_of_all_agents_names_the_line_of_the_developer(
    fake_codex: FakeCodex,
) -> None:
    with pytest.raises(ConfigurationError) as error:
        YemotAI("codex", tools=[fine])

    assert error.value.place.rpartition(":")[0] == __file__


def test_without_pydantic_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic", None)

    with pytest.raises(MissingExtraError, match=r"yemot-ai\[tools\]"):
        as_tool(fine)


def test_a_tool_is_still_the_function() -> None:
    assert tool(fine)(7) == "7"


@dataclass
class Status:
    ready: bool
    at: dt.time


class Price(BaseModel):
    amount: decimal.Decimal


ROW = '{"number": 7, "state": "מוכנה"}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("מוכן", "מוכן"),
        (None, "done"),
        (7, "7"),
        ({"מצב": [1, None]}, '{"מצב": [1, null]}'),
        (Status(ready=True, at=dt.time(9, 30)), '{"ready": true, "at": "09:30:00"}'),
        ("א" * (MAX_RESULT + 1), "א" * MAX_RESULT + " … (the result is longer)"),
        ([Price(amount=decimal.Decimal("12.50"))], '[{"amount": "12.50"}]'),
        (Size.LARGE, '"large"'),
        ({Size.LARGE: {1}}, '{"large": [1]}'),
        (uuid.UUID(int=7), '"00000000-0000-0000-0000-000000000007"'),
        (deque([dt.date(2026, 12, 1)]), '["2026-12-01"]'),
        (types.MappingProxyType({"a": range(2)}), '{"a": [0, 1]}'),
        ({"a": 1}.values(), "[1]"),
        (
            sqlite3.Row(
                sqlite3.connect(":memory:").execute("select 7 as number, 'מוכנה' as state"), (7, "מוכנה")
            ),
            ROW,
        ),
    ],
    ids=[
        "text",
        "none",
        "number",
        "mapping",
        "dataclass",
        "long",
        "models",
        "enum",
        "keys",
        "uuid",
        "queue",
        "proxy",
        "view",
        "row",
    ],
)
def test_a_result_becomes_text_for_the_model(value: object, text: str) -> None:
    assert result_text(value) == text


@pytest.mark.parametrize(
    "text", ["כן", "1", "כן, תודה", "מאשרת", "Yes please", "בסדר גמור", "כֵּן", "כן בהחלט"]
)
def test_a_yes_is_consent(text: str) -> None:
    assert is_consent(text)


@pytest.mark.parametrize("text", ["", "לא", "2", "כן אבל מחר", "לא כן", "תודה", "11", "מה?"])
def test_anything_else_is_none(text: str) -> None:
    assert not is_consent(text)
