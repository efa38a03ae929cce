from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.property.faults.handwritten_agent import Agent, Memory
from tests.property.machine_settings import machine_settings
from yemot_ai.protocol import Request
from yemot_ai_testing.doubles.steps import Answer, Hang
from yemot_ai_testing.errors import CallerNotAskedError
from yemot_ai_testing.history import Budget
from yemot_ai_testing.property import CallMachine, EchoProvider, ViolationError
from yemot_ai_testing.property.model_steps import MARKDOWN_ANSWER

Pairs = Sequence[tuple[str, str]]


def run_machine(
    make: Callable[[EchoProvider], Callable[[Pairs], str]], examples: int = 200, **attributes: object
) -> None:
    class Machine(CallMachine):
        def make_app(self, provider: EchoProvider) -> object:
            return make(provider)

    run_state_machine_as_test(
        type("Machine", (Machine,), attributes), settings=machine_settings(examples, 10)
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("id_list_message=t-סגרנו&go_to_folder=hangup", "'סגרנו': the call is over"),
        ("read=t-הקישו 1=menu,no,1,1,5", "'הקישו 1': the line waits for keys"),
    ],
)
def test_a_line_that_never_waits_for_speech_raises(body: str, why: str) -> None:
    with pytest.raises(CallerNotAskedError, match=why) as caught:
        run_machine(lambda _: lambda _pairs: body)
    assert "`reach_agent(caller)`" in str(caught.value)


def test_an_invalid_first_response_is_a_violation() -> None:
    with pytest.raises(ViolationError, match=r"^invalid: "):
        run_machine(lambda _: lambda _pairs: "<html>")


def test_the_counterexample_folder_may_be_a_string(tmp_path: Path) -> None:
    with pytest.raises(ViolationError):
        run_machine(lambda _: lambda _pairs: "<html>", counterexample_folder=str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["machine-invalid.call.yaml"]


class Cleaned(Agent):
    """Speaks only the letters and digits of an answer."""

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


BLOCKS = {"budget": Budget(request=70, hangup=70), "model_steps": (Answer((MARKDOWN_ANSWER,)), Hang())}


def test_a_blocking_application_passes_with_its_own_budget() -> None:
    run_machine(Cleaned, 200, **BLOCKS)


@pytest.mark.parametrize(("agent", "kind"), [(Raw, "invalid"), (KnowsNumbers, "broken")])
def test_markdown_answers_and_withheld_numbers_are_found(agent: type[Agent], kind: str) -> None:
    with pytest.raises(ViolationError) as caught:
        run_machine(agent, 200, **BLOCKS)
    assert caught.value.violations[0].kind == kind


class SharedCache(Cleaned):
    """Caches answers by utterance, for all callers."""

    def __init__(self, model: EchoProvider) -> None:
        super().__init__(model)
        self.cache: dict[str, str] = {}

    def ask(self, memory: Memory, request: Request, said: str) -> str:
        if said not in self.cache:
            self.cache[said] = super().ask(memory, request, said)
        return self.cache[said]


class SharedCacheMachine(CallMachine):
    budget = Budget(request=70, hangup=70)

    def make_app(self, provider: EchoProvider) -> object:
        return SharedCache(provider)


def test_answers_shared_between_callers_are_found() -> None:
    machine = SharedCacheMachine()
    first, second = machine.first_call(), machine.dials(phone="")
    machine.asks(machine_call=first)
    machine.history_is_valid()
    machine.says_the_same(machine_call=second, other=first)
    with pytest.raises(ViolationError, match=r"^crossed_calls: call 2 hears the answer to call 1"):
        machine.history_is_valid()


def test_an_application_may_declare_that_it_shares_answers() -> None:
    run_machine(SharedCache, 200, **BLOCKS, repeats_utterances=False)


class Approved(Agent):
    """Lets the line have keys and recordings approved, and takes one kind of input after another."""

    def __init__(self, model: EchoProvider, fields: str) -> None:
        super().__init__(model)
        self.fields = fields

    def words(self, request: Request) -> str:
        return Path(super().words(request)).stem

    def listen(self, memory: Memory, text: str) -> str:
        return f"{super().listen(memory, text).removesuffix('voice')}{self.fields}"


@pytest.mark.parametrize("fields", [",1,9,Digits,no", "record,,,no", "record,,,yes", "voice,,yes"])
def test_callers_approve_what_the_line_has_understood(fields: str) -> None:
    asked: list[str] = []

    class Spying(Approved):
        def ask(self, memory: Memory, request: Request, said: str) -> str:
            asked.append(said)
            return super().ask(memory, request, said)

    attributes = {"budget": Budget(hangup=70), "model_steps": (None,), "reset_key": ""}
    run_machine(lambda model: Spying(model, fields), 20, **attributes)
    assert len(asked) > 40
