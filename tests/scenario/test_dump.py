from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yemot_ai_testing.doubles.steps import (
    FAILURE_KINDS,
    Answer,
    BusySession,
    Calls,
    Crash,
    Drop,
    Failure,
    Hang,
    Malformed,
    Step,
    Transcription,
    UnknownSession,
)
from yemot_ai_testing.scenario.format.dump import dumps
from yemot_ai_testing.scenario.format.load import load, loads
from yemot_ai_testing.scenario.format.model import (
    LEFTOVER_KINDS,
    CallerAction,
    CallerSpec,
    CallFile,
    Expectation,
    ExpectedLeftovers,
    ExpectedTool,
    InterruptionSpec,
    Scenario,
    ScenarioTurn,
    ServerAction,
    ServerCommand,
    SilenceLimits,
    SourceLocation,
    ToolReplacement,
)
from yemot_ai_testing.scenario.format.schema import KEYS, SCENARIO_NAME

PATH = Path("round.call.yaml")
NOWHERE = SourceLocation(PATH, 1, 1)
SHIPPED = sorted((Path(__file__).parents[2] / "fixtures" / "scenarios").rglob("*.call.yaml"))

texts = st.one_of(
    st.sampled_from(
        ["0501234567", "012", "12:30", "no", "null", "~", "*", "#", "- x", "רק רגע", "a: b", "1e3"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=12),
)
words = texts.filter(bool)
names = words.filter(re.compile(SCENARIO_NAME["pattern"]).fullmatch)
seconds = st.integers(0, 90_000).map(lambda milliseconds: milliseconds / 1000)
keys = st.text("0123456789*#", min_size=1, max_size=5) | words.filter(re.compile(KEYS["pattern"]).fullmatch)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda values: st.lists(values, max_size=2) | st.dictionaries(texts, values, max_size=2),
    max_leaves=4,
)
json_objects = st.dictionaries(texts, json_values, max_size=2)


def called(calls: list[tuple[str, dict[str, object]]], after: float, saying: str) -> Calls:
    """Return the calls of one message; the arguments are left out if no call has any."""
    arguments = tuple(given for _, given in calls)
    return Calls(tuple(tool for tool, _ in calls), arguments if any(arguments) else (), after, saying)


steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(Answer, st.lists(texts, min_size=1, max_size=3).map(tuple), seconds),
    st.builds(Transcription, texts, seconds),
    st.builds(lambda kind, after: Failure(kind, after=after), st.sampled_from(FAILURE_KINDS), seconds),
    st.builds(Crash, st.integers(0, 255), texts),
    st.sampled_from([Hang(), Drop(), Malformed(), UnknownSession(), BusySession()]),
)
calls: st.SearchStrategy[Step] = st.builds(
    called, st.lists(st.tuples(words, json_objects), min_size=1, max_size=2), seconds, texts.filter(bool)
)


def _answered(steps: list[Step]) -> tuple[Step, ...]:
    """Return steps whose last one is no call: the model would wait for its result."""
    return (*steps, Answer(("א",))) if steps and isinstance(steps[-1], Calls) else tuple(steps)


reads = st.one_of(
    st.none(),
    st.just(False),  # noqa: FBT003 - a value of the model
    st.dictionaries(st.sampled_from(["name", "max_digits", "reuse"]), words, max_size=2),
    st.builds(lambda allowed: {"allowed": allowed}, st.lists(words, max_size=3).map(tuple)),
)
limits = st.tuples(seconds, seconds).map(sorted).map(lambda pair: SilenceLimits(*pair))
text_lists = st.lists(texts, max_size=2).map(tuple)
expectations = st.builds(
    Expectation,
    contains=text_lists,
    excludes=text_lists,
    equals=st.none() | texts,
    matches=st.none() | st.just("a|b.*"),
    read=reads,
    play=text_lists,
    goto=st.none() | texts,
    ends=st.none() | st.booleans() | st.sampled_from(["agent", "caller", "maybe"]),
    same=st.none() | st.booleans(),
    within=st.none() | limits,
)
actions = st.one_of(
    st.builds(CallerAction, st.just("says"), words),
    st.builds(CallerAction, st.just("records"), words),
    st.builds(CallerAction, st.just("presses"), keys),
    st.sampled_from([CallerAction("silent"), CallerAction("repeats")]),
)
server_actions = st.one_of(
    st.builds(
        ServerAction,
        st.just("posts"),
        st.just("/a"),
        st.dictionaries(words, texts, max_size=2).map(lambda form: tuple(form.items())),
        seconds,
    ),
    st.builds(ServerAction, st.just("calls"), st.sampled_from(["/a?b=1", "a.b:c"]), after=seconds),
)
line_options = st.fixed_dictionaries(
    {},
    optional={
        "lenient": st.booleans(),
        "two_plays": st.sampled_from(["merge", "second"]),
        "speech_retries": st.integers(0, 9),
        "server_timeout": seconds,
        "music_seconds": st.none() | seconds,
        "did": texts,
    },
).map(lambda options: tuple(options.items()))
turns = st.builds(
    ScenarioTurn,
    st.just(NOWHERE),
    action=actions,
    hears=st.none() | expectations,
    agent=st.lists(st.one_of(steps, calls), max_size=2).map(_answered),
    interruption=st.none() | st.builds(InterruptionSpec, st.none() | keys, seconds),
    server_actions=st.lists(server_actions, max_size=2).map(tuple),
)
greetings = st.builds(ScenarioTurn, st.just(NOWHERE), hears=expectations)
serves = st.builds(
    ServerCommand, st.lists(words, min_size=1, max_size=2).map(tuple), st.just("/yemot"), seconds
)
tools = st.one_of(
    st.builds(ToolReplacement, words, st.just(NOWHERE), returns=json_values, after=seconds),
    st.builds(ToolReplacement, words, st.just(NOWHERE), raises=words, after=seconds),
    st.builds(ToolReplacement, words, st.just(NOWHERE), after=seconds, runs=st.just(True)),  # noqa: FBT003 - a field
)
scenarios = st.builds(
    Scenario,
    names,
    st.just(NOWHERE),
    st.tuples(greetings, turns, turns, st.just(ScenarioTurn(NOWHERE, action=CallerAction("hangs_up")))),
    app=st.none() | st.just("shop.phone:flow") | serves,
    order=st.none() | st.just("priorities 7, changes 3 17"),
    caller=st.builds(CallerSpec, texts, texts, st.sampled_from(["GET", "POST"]), line_options),
    afterwards=st.none()
    | st.builds(
        ExpectedLeftovers,
        st.just(NOWHERE),
        st.dictionaries(st.sampled_from(LEFTOVER_KINDS), st.integers(0, 9), max_size=3),
        tools=st.none() | st.lists(st.builds(ExpectedTool, words, json_objects), max_size=2).map(tuple),
        check=st.sampled_from(["", "shop.checks:paid"]),
    ),
    tools=st.lists(tools, max_size=2, unique_by=lambda tool: tool.name).map(tuple),
)
files = st.builds(
    lambda name, scenarios: CallFile(PATH, name, tuple(scenarios)),
    words,
    st.lists(scenarios, min_size=1, max_size=3, unique_by=lambda scenario: scenario.name),
)


def without_positions(file: CallFile) -> CallFile:
    """Return ``file`` without positions and source lines."""
    return replace(file, path=PATH, scenarios=tuple(map(_scenario, file.scenarios)))


def _scenario(scenario: Scenario) -> Scenario:
    afterwards = scenario.afterwards and replace(scenario.afterwards, location=NOWHERE)
    turns = tuple(replace(turn, location=NOWHERE, source=(), hears_line=None) for turn in scenario.turns)
    tools = tuple(replace(tool, location=NOWHERE) for tool in scenario.tools)
    return replace(scenario, location=NOWHERE, turns=turns, afterwards=afterwards, index=0, tools=tools)


@pytest.mark.slow
@given(files)
def test_dumped_files_load_to_equal_scenarios(file: CallFile) -> None:
    assert without_positions(loads(dumps(file), PATH)) == without_positions(file)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_files_are_dumped_without_loss(path: Path) -> None:
    file = load(path)
    again = loads(dumps(file), PATH)
    assert without_positions(again) == without_positions(file)
    assert dumps(again) == dumps(file)


def test_phone_numbers_keys_and_hours_stay_texts() -> None:
    turn = ScenarioTurn(
        NOWHERE, action=CallerAction("presses", "012#"), hears=Expectation(contains=("12:30",))
    )
    file = CallFile(PATH, "no", (Scenario("no", NOWHERE, (turn,), caller=CallerSpec("0501234567", "1")),))
    text = dumps(file)
    assert 'presses: "012#"' in text
    assert 'phone: "0501234567"' in text
    assert without_positions(loads(text, PATH)) == without_positions(file)


def test_a_step_without_syntax_is_refused() -> None:
    turn = ScenarioTurn(NOWHERE, action=CallerAction("says", "x"), agent=(Answer(("x",), every=1.0),))
    with pytest.raises(ValueError, match="cannot express Answer"):
        dumps(CallFile(PATH, "x", (Scenario("x", NOWHERE, (turn,)),)))
