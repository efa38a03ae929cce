"""The file and line of the developer's code that an error names."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from yemot_ai import YemotAI
from yemot_ai.errors import ConfigurationError
from yemot_ai.errors.source_place import describe_function, function_name, function_place, source_place


def shop(call: object) -> None: ...


class Shop:
    def menu(self, call: object) -> None: ...

    def __call__(self, call: object) -> None: ...


@functools.wraps(shop)
def wrapped(call: object) -> None: ...


def line_of(function: Callable[..., Any]) -> str:
    return f"{__file__}:{function.__code__.co_firstlineno}"


def test_the_place_is_the_line_that_calls_the_package() -> None:
    place = source_place()
    assert (
        place == f"{__file__}:{test_the_place_is_the_line_that_calls_the_package.__code__.co_firstlineno + 1}"
    )


def test_the_standard_library_between_is_passed_over() -> None:
    (place,) = map(functools.partial(sorted, key=None), [[source_place()]])
    assert place[0].startswith(f"{__file__}:")


@pytest.mark.parametrize(
    ("function", "definition", "name"),
    [
        (shop, shop, "shop"),
        (Shop().menu, Shop.menu, "Shop.menu"),
        (Shop(), Shop.__call__, "Shop.__call__"),
        (functools.partial(shop), shop, "shop"),
        (functools.partial(functools.partial(Shop().menu)), Shop.menu, "Shop.menu"),
        (wrapped, shop, "shop"),
    ],
    ids=["function", "method", "object", "partial", "partial of a partial", "decorated"],
)
def test_a_callable_is_named_by_the_function_in_it(
    function: Callable[..., Any], definition: Callable[..., Any], name: str
) -> None:
    assert (function_place(function), function_name(function)) == (line_of(definition), name)
    assert describe_function(function) == f"{line_of(definition)}: {name}"


def test_what_has_no_source_has_a_name_only() -> None:
    assert function_place(print) == ""
    assert describe_function(print) == "print"


def test_an_error_of_the_configuration_has_the_place_of_the_mistake() -> None:
    with pytest.raises(ConfigurationError) as caught:
        YemotAI("opanai")
    assert caught.value.place.startswith(f"{__file__}:")
    assert ConfigurationError("x", place="phone.py:3").place == "phone.py:3"
