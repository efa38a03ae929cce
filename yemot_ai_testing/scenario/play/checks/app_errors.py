"""The errors of the application's own code, which fail a scenario whatever the caller has heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from yemot_ai.errors.code_errors import CodeError
from yemot_ai_testing.scenario.format.model import Scenario
from yemot_ai_testing.scenario.play.result import EXPECTATION_KINDS, Mismatch, ScenarioFailure

__all__ = ["AppErrors"]


@dataclass(slots=True)
class AppErrors:
    """The errors during a call.

    Attributes:
        scenario: the scenario; if its ``afterwards`` counts errors, they are expected.
        errors: the errors so far; it grows during the call.
    """

    scenario: Scenario
    errors: Sequence[CodeError]
    _taken: int = field(default=0, init=False)

    def take_mismatches(self) -> list[Mismatch]:
        """Return the errors since the last time, unless they are expected."""
        new, self._taken = self.errors[self._taken :], len(self.errors)
        afterwards = self.scenario.afterwards
        if afterwards is not None and "errors" in afterwards.counts:
            return []
        return [Mismatch("app_error", str(error)) for error in new]

    def after_call(self, failure: ScenarioFailure | None) -> ScenarioFailure | None:
        """Return the failure of the call; an error after its last turn replaces one of ``hears``."""
        messages = tuple(mismatch.message for mismatch in self.take_mismatches())
        if not messages:
            return failure
        if failure is None:
            return ScenarioFailure("app_error", self.scenario.location, messages)
        if failure.kind not in EXPECTATION_KINDS:
            return failure
        return replace(failure, kind="app_error", messages=(*messages, *failure.messages), is_wording=False)
