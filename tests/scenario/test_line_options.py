"""``caller: {line: …}`` and the ini key ``yemot_line`` set the settings of the simulated line."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path

import pytest

from tests.support.scenario_calls import Pairs, answering, failure_of
from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.line.platform.settings import LineSettings
from yemot_ai_testing.scenario.format.dump import dumps
from yemot_ai_testing.scenario.format.line_options import line_options_from_ini
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.format.model import Scenario
from yemot_ai_testing.scenario.format.schema import LINE
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.target import PlayTarget

PATH = Path("x.call.yaml")
OLD_LINE = "read=t-מה=q,no,1,1,7,No,,,,,,True"  # an unknown word in field 12


def scenario(line: str, turns: str = "[{hears: מה}]") -> Scenario:
    text = f"caller: {{line: {{{line}}}}}\nscenarios: [{{name: א, turns: {turns}}}]"
    return loads(text, PATH).scenarios[0]


def mistake(line: str) -> str:
    with pytest.raises(ScenarioLoadError) as caught:
        scenario(line)
    (problem,) = caught.value.problems
    return problem.partition(": ")[2]


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("lenient: true", {"lenient": True}),
        ("lenient: false, retain_values: true", {"lenient": False, "retain_values": True}),
        ("two_plays: second", {"two_plays": "second"}),
        ("nested_extension: /1/2", {"nested_extension": "/1/2"}),
        ("speech_retries: 0", {"speech_retries": 0}),
        ("server_timeout: 5", {"server_timeout": 5.0}),
        ("server_timeout: 2.5", {"server_timeout": 2.5}),
        ("server_timeout: 500ms", {"server_timeout": 0.5}),
        ("music_seconds: 1m", {"music_seconds": 60.0}),
        ("music_seconds: null", {"music_seconds": None}),
        ("did: 0771234567, enter_id: 12", {"did": "0771234567", "enter_id": "12"}),
    ],
)
def test_settings_have_the_types_of_the_line(line: str, options: dict[str, object]) -> None:
    loaded = scenario(line)
    assert dict(loaded.caller.line) == options
    values = asdict(LineSettings(**dict(loaded.caller.line)))
    assert values | options == values


def test_every_setting_of_the_line_can_be_set() -> None:
    assert LINE["properties"].keys() == {field.name for field in fields(LineSettings)}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lenint: true", "caller.line has no 'lenint' (did you mean 'lenient'?); allowed: "),
        ("lenient: yes", "caller.line.lenient must be true or false, not 'yes'"),
        ("lenient: 1", "caller.line.lenient must be true or false, not '1'"),
        ("two_plays: both", "caller.line.two_plays cannot be 'both'; allowed: merge, second"),
        ("two_plays: secnd", "caller.line.two_plays cannot be 'secnd' (did you mean 'second'?)"),
        ("speech_retries: many", "caller.line.speech_retries must be a whole number, not 'many'"),
        ("server_timeout: soon", "caller.line.server_timeout must be a number of seconds, or a time"),
        ("server_timeout: -1", "caller.line.server_timeout must be a number of seconds, or a time"),
    ],
)
def test_a_mistake_says_what_is_allowed(line: str, message: str) -> None:
    assert mistake(line).startswith(message)


def test_a_setting_of_the_scenario_changes_the_line() -> None:
    strict = play_scenario(scenario(""), PlayTarget(answering(OLD_LINE)))
    assert failure_of(strict)[0] == "protocol"
    lenient = play_scenario(scenario("lenient: true"), PlayTarget(answering(OLD_LINE)))
    assert lenient.failure is None


def test_the_settings_of_the_run_count_where_the_scenario_has_none() -> None:
    target = PlayTarget(answering(OLD_LINE), line={"lenient": True, "did": "1"})
    assert play_scenario(scenario("did: '2'"), target).failure is None
    assert failure_of(play_scenario(scenario("lenient: false"), target))[0] == "protocol"


def test_the_settings_reach_the_requests() -> None:
    seen: list[str] = []

    def app(pairs: Pairs) -> str:
        seen.append(dict(pairs)["ApiDID"])
        return "go_to_folder=hangup"

    play_scenario(scenario("did: 0771234567", "[{hears: {ends: true}}]"), PlayTarget(app))
    assert seen[0] == "0771234567"


@pytest.mark.parametrize("line", ["", "lenient: true", "server_timeout: 5, music_seconds: null, did: '01'"])
def test_settings_are_written_as_they_were_loaded(line: str) -> None:
    loaded = scenario(line)
    text = dumps(
        loads(f"scenarios: [{{name: א, caller: {{line: {{{line}}}}}, turns: [{{hears: א}}]}}]", PATH)
    )
    assert loads(text, PATH).scenarios[0].caller == loaded.caller
    assert ("line:" in text) == bool(line)


def test_what_a_lenient_line_ignores_is_a_warning_of_the_turn() -> None:
    result = play_scenario(scenario("lenient: true"), PlayTarget(answering(OLD_LINE)))
    (warning,) = result.warnings
    assert warning.startswith("choice: ")
    assert warning.endswith(f" in {OLD_LINE!r}")


def test_a_warning_is_shown_once_a_turn() -> None:
    polls = "read=t-רגע=p{},no,1,1,1,No,,,,,1,Ok,,no,no"
    app = answering(polls.format(1), polls.format(2), "read=t-מה=q,no,voice")
    result = play_scenario(scenario("", "[{hears: מה}]"), PlayTarget(app))
    assert [warning.partition(":")[0] for warning in result.warnings] == ["undocumented-value"]


def test_an_ini_key_has_a_setting_in_each_line() -> None:
    lines = ["lenient = True", "two_plays=second", "server_timeout = 2s", "did = 0771234567"]
    assert line_options_from_ini(lines) == {
        "lenient": True,
        "two_plays": "second",
        "server_timeout": 2.0,
        "did": "0771234567",
    }


@pytest.mark.parametrize(
    ("lines", "problems"),
    [
        (["lenint = true"], ["yemot_line:1:1: yemot_line has no 'lenint' (did you mean 'lenient'?)"]),
        (
            ["did = 1", "lenient = yes"],
            ["yemot_line:2:11: yemot_line.lenient must be true or false, not 'yes'"],
        ),
        (["lenient"], ["yemot_line:1:8: yemot_line.lenient must be true or false, not nothing"]),
        (["lenient: true"], ["yemot_line:1:1: yemot_line has no 'lenient: true' (did you mean 'lenient'?)"]),
        (["did = 1", "did = 2"], ["yemot_line:2:1: 'did' is written twice in yemot_line"]),
        (["x = 1", "two_plays = x"], ["yemot_line:1:1: yemot_line has no 'x'", "yemot_line:2:13: "]),
    ],
)
def test_mistakes_of_an_ini_key_are_reported_with_their_lines(lines: list[str], problems: list[str]) -> None:
    with pytest.raises(ScenarioLoadError) as caught:
        line_options_from_ini(lines)
    assert len(caught.value.problems) == len(problems)
    for found, expected in zip(caught.value.problems, problems, strict=True):
        assert found.startswith(expected)
