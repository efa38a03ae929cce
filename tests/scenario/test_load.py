from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from yemot_ai_testing.doubles.steps import Answer, Crash, Failure, Hang, Transcription
from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.scenario.format.load import load, loads
from yemot_ai_testing.scenario.format.model import (
    CallerAction,
    CallerSpec,
    CallFile,
    Expectation,
    InterruptionSpec,
    ServerCommand,
    SilenceLimits,
)

PATH = Path("shop.call.yaml")


def load_text(text: str) -> CallFile:
    return loads(dedent(text), PATH)


def load_turn(text: str) -> CallFile:
    """Load a file whose only scenario has ``text`` as its second turn."""
    return load_text(f"scenarios:\n  - name: x\n    turns:\n      - hears: y\n      - {text}\n")


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ScenarioLoadError) as caught:
        load_text(text)
    return caught.value.problems


def turn_problem(text: str) -> str:
    with pytest.raises(ScenarioLoadError) as caught:
        load_turn(text)
    (problem,) = caught.value.problems
    return problem


def test_a_scenario_takes_app_and_caller_from_its_file() -> None:
    (scenario,) = load_text("""
        app: shop.phone:flow
        caller: {phone: 0501234567, extension: 012}
        scenarios:
          - name: הזמנה
            turns: [{hears: שלום}]
    """).scenarios
    assert scenario.app == "shop.phone:flow"
    assert scenario.caller == CallerSpec(phone="0501234567", extension="012")


def test_a_scenarios_own_caller_replaces_that_of_the_file_whole() -> None:
    (scenario,) = load_text("""
        caller: {phone: "050", extension: "1"}
        scenarios:
          - name: הזמנה
            caller: {phone: "052"}
            turns: [{hears: שלום}]
    """).scenarios
    assert scenario.caller == CallerSpec(phone="052", extension="")


@pytest.mark.parametrize("text", ["0501234567", "012", "12:30", "no"])
def test_scalars_that_yaml_would_convert_stay_texts(text: str) -> None:
    second = load_turn(f"says: {text}").scenarios[0].turns[1]
    assert second.action == CallerAction("says", text)


def test_a_plain_text_under_hears_means_contains() -> None:
    assert load_turn("says: א").scenarios[0].turns[0].hears == Expectation(contains=("y",))


def test_all_keys_of_hears_are_loaded() -> None:
    second = (
        load_turn("""silent: true
        hears:
          contains: [א, ב]
          read: {mode: voice, block_keys: false, max_digits: null}
          goto: /x
          ends: false
          within: [500ms, 4s]""")
        .scenarios[0]
        .turns[1]
    )
    assert second.hears == Expectation(
        contains=("א", "ב"),
        read={"mode": "voice", "block_keys": "false", "max_digits": "null"},
        goto="/x",
        ends=False,
        within=SilenceLimits(0.5, 4.0),
    )


def test_agent_steps_become_steps_of_the_doubles() -> None:
    assert load_turn("{says: א, agent: {answers: [ב, ג], after: 6s}}").scenarios[0].turns[1].agent == (
        Answer(("ב", "ג"), 6.0),
    )
    assert load_turn("{says: א, agent: {hangs: true}}").scenarios[0].turns[1].agent == (Hang(),)
    assert load_turn("{records: /1.wav, agent: {transcribes: ב, after: 1s}}").scenarios[0].turns[1].agent == (
        Transcription("ב", 1.0),
    )
    assert load_turn("{says: א, agent: {crash: {exit: 3}}}").scenarios[0].turns[1].agent == (Crash(3),)


def test_a_list_of_agent_steps_has_one_step_for_each_model_call() -> None:
    second = load_turn("{says: א, agent: [{fails: rate_limited}, {answers: ב}]}").scenarios[0].turns[1]
    assert second.agent == (Failure("rate_limited"), Answer(("ב",)))


def test_an_interruption_is_loaded() -> None:
    assert load_turn('{says: א, meanwhile: {presses: "1", after: 2s}}').scenarios[0].turns[
        1
    ].interruption == (InterruptionSpec("1", 2.0))
    assert load_turn("{says: א, meanwhile: {hangs_up: true}}").scenarios[0].turns[
        1
    ].interruption == InterruptionSpec(None)


def test_a_turn_keeps_its_source_lines() -> None:
    first, second = load_turn("says: א\n        hears: ב").scenarios[0].turns
    assert first.source == ("      - hears: y",)
    assert (second.location.line, second.source) == (5, ("      - says: א", "        hears: ב"))


def test_all_mistakes_of_a_file_are_reported_at_once_with_their_positions() -> None:
    messages = problems("""
        scenarios:
          - name: א
            turns:
              - {say: שלום}
              - {says: שלום, hears: {within: 3}}
          - turns: [{hears: ב}]
            colour: red
    """)
    assert [message.split(": ")[0] for message in messages] == [
        "shop.call.yaml:5:10",
        "shop.call.yaml:6:38",
        "shop.call.yaml:7:5",
        "shop.call.yaml:8:5",
    ]


def test_an_unknown_key_is_reported_with_a_suggestion_and_the_allowed_keys() -> None:
    problem = turn_problem("{says: א, hear: ב}")
    assert "did you mean 'hears'?" in problem
    assert "allowed: says, presses" in problem


def test_a_duplicate_key_is_a_mistake() -> None:
    assert "is written twice" in turn_problem("{says: א, says: ב}")


def test_a_bare_number_is_not_a_phone_key() -> None:
    assert turn_problem("presses: 1").endswith('quote them, presses: "1"')


def test_a_bare_star_is_explained() -> None:
    assert 'presses: "*"' in turn_problem("presses: *")


def test_a_bare_hash_is_explained() -> None:
    assert 'presses: "#"' in turn_problem("presses: #")


@pytest.mark.parametrize("turn", ['presses: "{}"', '{{says: א, meanwhile: {{presses: "{}"}}}}'])
@pytest.mark.parametrize("text", ["מתי פותחים", "שלום#", "dana@example.com", "12 ב", "9*#"])
def test_letters_and_keys_are_pressed_as_written(turn: str, text: str) -> None:
    second = load_turn(turn.format(text)).scenarios[0].turns[1]
    pressed = second.interruption.keys if second.interruption else second.action and second.action.text
    assert pressed == text


def test_letters_need_no_quotes() -> None:
    second = load_turn("presses: מתי פותחים").scenarios[0].turns[1]
    assert second.action == CallerAction("presses", "מתי פותחים")


@pytest.mark.parametrize("text", ["12", "1a", "1.5", "0x1F", "12:30", "-1", ".inf"])
def test_what_yaml_could_take_for_a_number_is_quoted(text: str) -> None:
    assert turn_problem(f"presses: {text}").endswith(f'quote them, presses: "{text}"')


@pytest.mark.parametrize("escape", ["\\n", "\\0", "\\e", "\\x7f", "\\L", "\\u200f", "\\u202e", "\\ufeff"])
def test_a_control_character_is_not_a_key(escape: str) -> None:
    assert "without control characters" in turn_problem(f'presses: "א{escape}"')


@pytest.mark.parametrize("text", ["", " "])
def test_no_key_is_a_mistake(text: str) -> None:
    assert "keys 0-9 * #, or letters" in turn_problem(f'presses: "{text}"')


def test_two_verbs_in_a_turn_are_a_mistake() -> None:
    assert "a turn has one verb" in turn_problem('{says: א, presses: "1"}')


def test_only_the_first_turn_may_be_without_a_verb() -> None:
    assert "only the first turn" in turn_problem("hears: ב")


def test_two_outcomes_in_an_agent_step_are_a_mistake() -> None:
    assert "needs one of" in turn_problem("{says: א, agent: {answers: ב, hangs: true}}")


def test_an_unknown_failure_is_a_mistake() -> None:
    assert "did you mean 'rate_limited'?" in turn_problem("{says: א, agent: {fails: rate_limit}}")


@pytest.mark.parametrize(
    ("serve", "command"),
    [
        ("node server.js", ServerCommand(("node", "server.js"))),
        ("[node, my server.js]", ServerCommand(("node", "my server.js"))),
        ("node 'my server.js'", ServerCommand(("node", "my server.js"))),
        (
            "{command: php -S, path: /yemot, within: 1m}",
            ServerCommand(("php", "-S"), path="/yemot", within=60.0),
        ),
    ],
)
def test_a_server_is_a_command_without_a_shell(serve: str, command: ServerCommand) -> None:
    (scenario,) = loads(f"serve: {serve}\nscenarios: [{{name: א, turns: [{{hears: ב}}]}}]", PATH).scenarios
    assert scenario.app == command


def test_a_scenarios_own_application_replaces_the_server_of_its_file() -> None:
    (scenario,) = loads(
        "serve: node x\nscenarios: [{name: א, app: shop:flow, turns: [{hears: ב}]}]", PATH
    ).scenarios
    assert scenario.app == "shop:flow"


def test_two_scenarios_with_the_same_name_are_a_mistake() -> None:
    (problem,) = problems("""
        scenarios:
          - {name: א, turns: [{hears: ב}]}
          - {name: א, turns: [{hears: ב}]}
    """)
    assert "named 'א'" in problem


def test_invalid_yaml_is_reported_with_its_position() -> None:
    (problem,) = problems('scenarios: "x" y')
    assert problem.startswith("shop.call.yaml:1:16: the text ended at the quote before this")


def test_a_file_in_another_encoding_is_reported_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "old.call.yaml"
    path.write_bytes("scenarios:\n  - name: שלום\n".encode("cp1255"))
    with pytest.raises(
        ScenarioLoadError, match=r"old\.call\.yaml:2:1: this is not UTF-8: save the file as UTF-8"
    ):
        load(path)


def test_an_empty_file_is_a_mistake() -> None:
    assert "the file is empty" in problems("")[0]


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ScenarioLoadError, match="cannot be read"):
        load(tmp_path / "no.call.yaml")
