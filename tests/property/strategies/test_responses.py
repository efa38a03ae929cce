from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_args

from hypothesis import HealthCheck, Phase, given, settings

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

    @settings(
        max_examples=3_000,
        phases=[Phase.generate],
        derandomize=True,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(responses())
    def build(response: Response) -> None:
        for value in values_in(response):
            for one in fields(value):
                seen[type(value).__name__, one.name].add(repr(getattr(value, one.name)))

    build()

    every = {(made.__name__, one.name) for made in CLASSES for one in fields(made)}
    assert {place for place, values in seen.items() if len(values) > 1} == every
