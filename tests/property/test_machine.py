from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.faults.handwritten_agent import Agent, Memory
from yemot_ai.protocol import Request
from yemot_ai_testing.doubles.script import Answer, Hang
from yemot_ai_testing.errors import CallerNotAskedError
from yemot_ai_testing.history import Budget
from yemot_ai_testing.property import CallMachine, EchoProvider, ViolationError
from yemot_ai_testing.property.echo_provider import MARKDOWN_ANSWER

Pairs = Sequence[tuple[str, str]]

SETTINGS = settings(
    max_examples=60,
    stateful_step_count=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
)


def tried(made: Callable[[EchoProvider], Callable[[Pairs], str]], **attributes: object) -> None:
    class Machine(CallMachine):
        def make_app(self, provider: EchoProvider) -> object:
            return made(provider)

    run_state_machine_as_test(type("Machine", (Machine,), attributes), settings=SETTINGS)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("id_list_message=t-סגרנו&go_to_folder=hangup", "'סגרנו': the call is over"),
        ("read=t-הקישו 1=menu,no,1,1,5", "'הקישו 1': the line waits for keys"),
    ],
)
def test_a_line_that_nobody_can_say_anything_to_is_no_success(body: str, why: str) -> None:
    with pytest.raises(CallerNotAskedError, match=why) as caught:
        tried(lambda _: lambda _pairs: body)
    assert "`arrives(caller)`" in str(caught.value)


def test_a_line_that_is_broken_from_the_start_is_told_as_that() -> None:
    with pytest.raises(ViolationError, match=r"^invalid: "):
        tried(lambda _: lambda _pairs: "<html>")


def test_a_folder_may_be_named_by_a_text(tmp_path: Path) -> None:
    with pytest.raises(ViolationError):
        tried(lambda _: lambda _pairs: "<html>", found=str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["machine-invalid.call.yaml"]


class Cleaned(Agent):
    """Says what was answered, in words alone."""

    def say(self, memory: Memory, request: Request, said: str) -> str:
        return self.spoken(super().say(memory, request, said))

    def spoken(self, words: str) -> str:
        return "".join(one for one in words if one.isalnum() or one == " ")


class Raw(Cleaned):
    def spoken(self, words: str) -> str:
        return words


class KnowsNumbers(Cleaned):
    def __call__(self, pairs: Pairs) -> str:
        assert dict(pairs)["ApiPhone"].startswith("0")
        return super().__call__(pairs)


BLOCKS = {"budget": Budget(request=70, hangup=70), "steps": (Answer((MARKDOWN_ANSWER,)), Hang())}


def test_an_application_that_blocks_passes_with_a_budget_of_its_own() -> None:
    tried(Cleaned, **BLOCKS)


@pytest.mark.parametrize(("agent", "kind"), [(Raw, "invalid"), (KnowsNumbers, "broken")])
def test_what_models_write_and_who_calls_is_met(agent: type[Agent], kind: str) -> None:
    with pytest.raises(ViolationError) as caught:
        tried(agent, **BLOCKS)
    assert caught.value.violations[0].kind == kind


class KeepsForEverybody(Cleaned):
    """Asks what it was asked before no more, whoever asks."""

    def __init__(self, model: EchoProvider) -> None:
        super().__init__(model)
        self.known: dict[str, str] = {}

    def ask(self, memory: Memory, request: Request, said: str) -> str:
        if said not in self.known:
            self.known[said] = super().ask(memory, request, said)
        return self.known[said]


class AnswersForEverybody(CallMachine):
    budget = Budget(request=70, hangup=70)

    def make_app(self, provider: EchoProvider) -> object:
        return KeepsForEverybody(provider)


def test_answers_that_are_kept_for_everybody_are_found() -> None:
    machine = AnswersForEverybody()
    first, second = machine.first_call(), machine.dials(phone="")
    machine.asks(talk=first)
    machine.history_is_valid()
    machine.says_the_same(talk=second, other=first)
    with pytest.raises(ViolationError, match=r"^crossed_calls: call 2 hears what call 1 was answered"):
        machine.history_is_valid()


def test_an_application_may_say_that_its_answers_are_for_everybody() -> None:
    tried(KeepsForEverybody, **BLOCKS, repeats_utterances=False)
