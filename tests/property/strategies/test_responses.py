from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_args

from tests.property.strategies.examples import drawn_until
from yemot_ai.protocol import Action, Message, Mode, Play, Read, Response
from yemot_ai_testing.property import responses

CLASSES = (*get_args(Action), *get_args(Message), *get_args(Mode))


def values_in(response: Response) -> Iterator[Any]:
    for action in response:
        yield action
        if isinstance(action, Play | Read):
            yield from action.messages
        if isinstance(action, Read):
            yield action.mode


def test_the_strategies_build_every_class_with_several_values_of_every_field() -> None:
    seen: defaultdict[tuple[str, str], set[Any]] = defaultdict(set)

    missing = {(made.__name__, one.name) for made in CLASSES for one in fields(made)}

    def has_built_all(response: Response) -> bool:
        for value in values_in(response):
            for one in fields(value):
                place = type(value).__name__, one.name
                seen[place].add(repr(getattr(value, one.name)))
                if len(seen[place]) > 1:
                    missing.discard(place)
        return not missing

    assert drawn_until(has_built_all, responses(), most=3_000), missing
