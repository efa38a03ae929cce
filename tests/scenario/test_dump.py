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
    Crash,
    Drop,
    Failure,
    Hang,
    Malformed,
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
    InterruptionSpec,
    Scenario,
    ScenarioTurn,
    ServerAction,
    ServerCommand,
    SilenceLimits,
    SourceLocation,
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
steps = st.one_of(
    st.builds(Answer, st.lists(texts, min_size=1, max_size=3).map(tuple), seconds),
    st.builds(Transcription, texts, seconds),
    st.builds(lambda kind, after: Failure(kind, after=after), st.sampled_from(FAILURE_KINDS), seconds),
    st.builds(Crash, st.integers(0, 255), texts),
    st.sampled_from([Hang(), Drop(), Malformed(), UnknownSession(), BusySession()]),
)
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
    agent=st.lists(steps, max_size=2).map(tuple),
    interruption=st.none() | st.builds(InterruptionSpec, st.none() | keys, seconds),
    server_actions=st.lists(server_actions, max_size=2).map(tuple),
)
greetings = st.builds(ScenarioTurn, st.just(NOWHERE), hears=expectations)
serves = st.builds(
    ServerCommand, st.lists(words, min_size=1, max_size=2).map(tuple), st.just("/yemot"), seconds
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
    | st.dictionaries(st.sampled_from(LEFTOVER_KINDS), st.integers(0, 9), max_size=3).map(
        lambda counts: ExpectedLeftovers(NOWHERE, counts)
    ),
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
    return replace(scenario, location=NOWHERE, turns=turns, afterwards=afterwards, index=0)


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
