"""The settings of a call machine for what an application does on purpose."""

from __future__ import annotations

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.property.faults.broken_wording import FirstSentenceOnly, SpeaksByHand
from tests.property.machine_settings import machine_settings
from yemot_ai_testing.property import CallMachine, ViolationError


class Shortens(SpeaksByHand):
    agent = FirstSentenceOnly


def run_machine(machine: type[CallMachine], **attributes: object) -> None:
    run_state_machine_as_test(type("Machine", (machine,), attributes), settings=machine_settings(200, 10))


def test_an_application_that_shortens_answers_is_a_violation_unless_it_is_allowed() -> None:
    with pytest.raises(ViolationError, match=r"^altered: call \w+ hears another wording"):
        run_machine(Shortens)
    run_machine(Shortens, allows={"altered"})
