"""What callers do in a load test: speak a few utterances, or what the scenarios of a file say.

>>> plan = LoadPlan("http://127.0.0.1:8000/", utterances=2)
>>> [action.text for action in plan.call(1).actions]
['אמירה 7001', 'אמירה 7001', '']
>>> LoadPlan.loads(plan.dumps()) == plan
True
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

from yemot_ai_testing.errors import AppError
from yemot_ai_testing.history.correlation import FIRST_UTTERANCE_ID, utterance_text
from yemot_ai_testing.line.transports.transport import Method
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.format.model import CallerAction, CallerSpec, Scenario, ScenarioTurn

__all__ = ["IDS_PER_PROCESS", "LoadPlan", "PlannedCall", "numbered"]

IDS_PER_PROCESS: Final = 1_000_000
"""Utterances of one process of Locust; an ID has at most 8 digits, so there are up to 99 processes."""

DEFAULT_PHONE: Final = CallerSpec().phone

_NUMBERED: Final = re.compile(rf"{re.escape(utterance_text(''))}\d{{4,8}}")


def numbered(text: str, utterance_id: str) -> str | None:
    """Return an utterance with its number replaced by ``utterance_id``; None if it has no number.

    >>> numbered("שלום, אמירה 7001", "7009")
    'שלום, אמירה 7009'
    """
    replaced, count = _NUMBERED.subn(utterance_text(utterance_id), text)
    return replaced if count else None


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call.

    Attributes:
        actions: what the caller does after dialling, and when the line waits.
        phone: the number.
        extension: the dialled extension.
        method: the HTTP method of the line.
        line: fields of ``LineSettings``.
    """

    actions: tuple[CallerAction, ...]
    phone: str
    extension: str = ""
    method: Method = "GET"
    line: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LoadPlan:
    """All calls of a load test; travels to the workers of Locust as text.

    Attributes:
        url: the server.
        calls: how many calls.
        rate: new calls a second.
        utterances: utterances of a call without a scenario.
        scenario: the text of a scenario file, whose scenarios are played in turn; "" without one.
        name: the name of the file, for messages.
        extension: the dialled extension of a call without a scenario.
        remote: whether the URL may be that of another machine.
    """

    url: str
    calls: int = 1
    rate: float = 1.0
    utterances: int = 3
    scenario: str = ""
    name: str = ""
    extension: str = ""
    remote: bool = False

    @classmethod
    def loads(cls, text: str) -> Self:
        """Return the plan in the output of ``dumps``."""
        return cls(**json.loads(text))

    def dumps(self) -> str:
        """Return the plan as JSON."""
        return json.dumps(asdict(self))

    @cached_property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The scenarios of the file.

        Raises:
            ScenarioLoadError: the file has mistakes.
        """
        return loads(self.scenario, Path(self.name)).scenarios if self.scenario else ()

    @property
    def left_out(self) -> str:
        """What of the scenarios is not played, as a sentence; "" for nothing."""
        turns = [turn for one in self.scenarios for turn in one.turns]
        names = {
            "hears": any(turn.hears is not None for turn in turns),
            "agent": any(turn.agent for turn in turns),
            "meanwhile": any(turn.interruption or turn.server_actions for turn in turns),
        }
        keys = ", ".join(f"{name}:" for name, used in names.items() if used)
        return f"of {self.name} only the steps of the caller are played, not {keys}" if keys else ""

    def call(self, number: int) -> PlannedCall:
        """Return the call ``number`` of this test, from 1.

        Raises:
            AppError: the caller of the scenario has settings that the line does not have.
        """
        phone = f"05{number % 10**8:08}"
        if not self.scenarios:
            spoken = [CallerAction("says", utterance_text(str(FIRST_UTTERANCE_ID)))] * self.utterances
            return PlannedCall((*spoken, CallerAction("hangs_up")), phone, self.extension)
        scenario = self.scenarios[(number - 1) % len(self.scenarios)]
        caller = scenario.caller
        if not scenario.turns:
            raise AppError(f"{scenario.location}: the scenario has no turns")
        return PlannedCall(
            _actions(scenario.turns),
            phone if caller.phone == DEFAULT_PHONE else caller.phone,
            caller.extension,
            caller.method,
            dict(caller.line),
        )


def _actions(turns: tuple[ScenarioTurn, ...]) -> tuple[CallerAction, ...]:
    """Return what the caller does; a turn without an action only listens, the first one to the greeting."""
    actions = [turn.action or CallerAction("silent") for turn in turns[1:]]
    first = turns[0].action
    return (*([first] if first is not None else []), *actions)
