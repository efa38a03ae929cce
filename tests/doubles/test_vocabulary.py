"""Each step is defined once; everything that knows the steps follows the definition."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from yemot_ai.errors import ProviderError
from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.fake.app_server import encode_server_step
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.fake.files import encode_step
from yemot_ai_testing.codex.fake.standalone import VERBS
from yemot_ai_testing.codex.recorder.script_file import read_script
from yemot_ai_testing.doubles import steps
from yemot_ai_testing.doubles.failures import FailureStep, provider_error_for
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.scriptable import (
    ScriptableAPI,
    ScriptableCodex,
    ScriptableModel,
    ScriptableService,
)
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
from yemot_ai_testing.doubles.sdk_mocks import AnthropicMock, OpenAIMock
from yemot_ai_testing.doubles.steps import (
    API_STEPS,
    MODEL_STEPS,
    PROCESS_STEPS,
    SERVICE_STEPS,
    SESSION_STEPS,
    STEP_SYNTAX,
    Answer,
    BusySession,
    Calls,
    Crash,
    Cut,
    Drop,
    Failure,
    Hang,
    Malformed,
    Reconnect,
    Step,
    StepSyntax,
    Transcription,
    UnknownSession,
)
from yemot_ai_testing.scenario.format.dump import dumps
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.format.model import CallFile
from yemot_ai_testing.scenario.format.schema import AGENT

STEPS: tuple[Step, ...] = (
    Answer(("a", "b"), after=1.5),
    Calls(("a",), after=1.5),
    Transcription("a", after=1.5),
    Failure("overloaded", after=1.5),
    Hang(),
    Drop(),
    Cut("length"),
    Crash(7, "panicked"),
    Malformed(),
    Reconnect(),
    UnknownSession(),
    BusySession(),
)
"""One of each."""

CODEX_STEPS = (*MODEL_STEPS, *PROCESS_STEPS)


def syntax_of(step: Step) -> StepSyntax:
    (syntax,) = (one for one in STEP_SYNTAX if one.step is type(step))
    return syntax


def each(*kinds: type) -> pytest.MarkDecorator:
    chosen = [step for step in STEPS if isinstance(step, kinds)]
    return pytest.mark.parametrize("step", chosen, ids=lambda step: type(step).__name__)


each_step = each(object)


def test_the_registry_has_every_step_once() -> None:
    names = [name.strip() for name in str(steps.Step).split("|")]
    assert [syntax.step.__name__ for syntax in STEP_SYNTAX] == names
    assert [type(step).__name__ for step in STEPS] == names
    assert {*SERVICE_STEPS, *PROCESS_STEPS} == {syntax.step for syntax in STEP_SYNTAX}
    assert (
        len({syntax.key for syntax in STEP_SYNTAX})
        == len({syntax.verb for syntax in STEP_SYNTAX})
        == len(STEPS)
    )


class Recorder(ScriptableCodex, ScriptableService):
    def __init__(self) -> None:
        self.steps: list[Step] = []

    def add(self, step: Step) -> None:
        self.steps.append(step)


@each_step
def test_the_method_of_a_step_adds_it(step: Step) -> None:
    syntax, double = syntax_of(step), Recorder()
    values = [getattr(step, name) for name in (syntax.value, *syntax.mapping) if name]
    options = {"after": 1.5} if syntax.delayed else {}
    getattr(double, syntax.verb)(*values, **options)
    assert double.steps == [step]


@each_step
def test_a_double_has_the_methods_of_the_steps_that_it_can_take(step: Step) -> None:
    verb = syntax_of(step).verb
    assert hasattr(ScriptableModel, verb) == isinstance(step, MODEL_STEPS)
    assert hasattr(ScriptableAPI, verb) == isinstance(step, API_STEPS)
    assert hasattr(ScriptableService, verb) == isinstance(step, SERVICE_STEPS)
    assert hasattr(ScriptableCodex, verb) == isinstance(step, CODEX_STEPS)
    assert (verb in VERBS) == isinstance(step, CODEX_STEPS)


@pytest.fixture(scope="module")
def doubles() -> Iterator[dict[ScriptableModel, tuple[type, ...]]]:
    """Each double, with the steps that it can take."""
    with closing(FakeCodex()) as fake, closing(ModelServer()) as service:
        yield {
            fake: CODEX_STEPS,
            service: SERVICE_STEPS,
            OpenAIMock(): SERVICE_STEPS,
            AnthropicMock(): API_STEPS,
            ScriptedProvider(): (*SERVICE_STEPS, *PROCESS_STEPS),
        }


@each_step
def test_a_double_takes_its_steps_and_refuses_the_others(
    step: Step, doubles: dict[ScriptableModel, tuple[type, ...]]
) -> None:
    for double, accepted in doubles.items():
        if isinstance(step, accepted):
            double.add(step)
        else:
            with pytest.raises((NotImplementedError, TypeError)):
                double.add(step)


@each_step
def test_a_scenario_can_have_the_step(step: Step) -> None:
    key = syntax_of(step).key
    assert key in AGENT["properties"]
    path = Path("x.call.yaml")
    (scenario,) = loads("scenarios:\n- name: x\n  turns:\n  - says: a\n", path).scenarios
    agent = (step, Answer(("b",)))  # a model that has called a tool has to answer
    changed = replace(scenario, turns=(replace(scenario.turns[0], agent=agent),))
    written = dumps(CallFile(path, "x", (changed,)))
    assert f"{key}:" in written
    assert loads(written, path).scenarios[0].turns[0].agent == agent


def test_the_schema_has_no_other_steps() -> None:
    beside = {key for syntax in STEP_SYNTAX for key in syntax.beside}
    assert set(AGENT["properties"]) == {*beside, "then", *(syntax.key for syntax in STEP_SYNTAX)}


@each(Failure, Drop, Cut, *PROCESS_STEPS)
def test_a_step_that_fails_has_an_exception_of_providers(step: FailureStep) -> None:
    assert isinstance(provider_error_for(step, "s-1", provider="scripted"), ProviderError)


@each(*CODEX_STEPS)
def test_the_fake_codex_has_a_wire_format_for_each_of_its_steps(step: Step) -> None:
    by_case = recordings.load_newest()
    unscripted = encode_step(UnknownSession(), by_case)
    assert (encode_step(step, by_case) == unscripted) == isinstance(step, SESSION_STEPS)
    assert (encode_server_step(step).get("case") == "unscripted") == isinstance(step, SESSION_STEPS)


@each(*MODEL_STEPS)
def test_a_file_of_turns_to_record_can_have_the_step(step: Step, tmp_path: Path) -> None:
    value = {Answer: "a", Failure: "overloaded", Drop: "…", Cut: "length"}.get(type(step), True)
    turn = {"prompt": "?", syntax_of(step).verb: value}
    (tmp_path / "turns.json").write_text(json.dumps({"cases": {"a": [turn]}}), encoding="utf-8")
    assert isinstance(read_script(tmp_path / "turns.json")["a"][0].step, type(step))


@each_step
def test_the_documentation_has_the_step(step: Step) -> None:
    page = Path(__file__).parents[2] / "docs" / "doubles.md"
    assert f"`{syntax_of(step).verb}(" in page.read_text(encoding="utf-8")
