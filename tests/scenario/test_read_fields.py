"""``hears.read``, ``goto`` and ``play`` are compared by meaning, and shown as the server wrote them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.scenario_calls import answering, failure_of, play_turns
from yemot_ai_testing.scenario.format.dump import dumps
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.play.result import ScenarioResult

TAP = "read=t-מה=q,no,1,1,07,NO,yes,,*/,12,,Ok,none,,no"
WORDS = "read=t-מה=q,,12,4,7,HebrewKeyboard,no,no,,11.12,2,,,InsertLettersTypeChangeNo,no"
VOICE = "read=t-מה=q,no,voice,en-US,no,4,,,"
RECORD = "read=t-מה=q,yes,record,/1/2,000,no,yes,,3,"


def hears_read(response: str, field: str) -> ScenarioResult:
    return play_turns(f"[{{hears: {{read: {{{field}}}}}}}]", answering(response))


@pytest.mark.parametrize(
    ("response", "fields"),
    [
        # [OFF] field 10: single keys without dots, whole values with dots between them.
        (TAP, ["allowed: 12", 'allowed: "12"', "allowed: 1.2", "allowed: [1, 2]", "allowed: [2, 1]"]),
        (WORDS, ["allowed: 11.12", 'allowed: ["11", "12"]', 'allowed: "12.11"']),
        ("read=t-מה=q,no,1,1,7,No,,,,*#", ['allowed: "*#"', 'allowed: ["*", "#"]', 'allowed: "*.#"']),
        ("read=t-מה=q,no,3,1,7,No,,,,from_folder", ["allowed: from_folder", "allowed: [from_folder]"]),
        ("read=t-מה=q,no,1", ['allowed: ""', "allowed: []", "allowed: null"]),
        # Numbers.
        (TAP, ["seconds: 07", "seconds: 7", 'seconds: "7"', "max_digits: 1", "max_digits: 01"]),
        ("read=t-מה=q,no,1", ["seconds: 7", 'seconds: ""', "min_digits: 1", "attempts: null"]),
        ("read=t-מה=q,no,*", ["max_digits: null", 'max_digits: "*"', 'max_digits: ""']),
        # Switches: the word of the line, ours, and yes or no.
        (TAP, ["accept_empty: Ok", "accept_empty: OK", "accept_empty: true", "accept_empty: yes"]),
        (TAP, ["block_star: yes", "block_star: true", "block_star: True", 'block_star: "YES"']),
        (TAP, ["block_zero: no", "block_zero: false", 'block_zero: ""', "block_zero: null"]),
        (TAP, ["confirm: no", "confirm: false", "lock_keyboard: no", "lock_keyboard: false"]),
        (WORDS, ["lock_keyboard: InsertLettersTypeChangeNo", "lock_keyboard: yes", "lock_keyboard: true"]),
        ("read=t-מה=q,no,1", ["confirm: yes", "confirm: true", 'confirm: ""', "accept_empty: no"]),
        (WORDS, ["reuse: no", "reuse: false", 'reuse: ""']),
        (RECORD, ["reuse: yes", "reuse: true", "keep_on_hangup: yes", "append: no", "confirm: no"]),
        # [OFF] the fifth field of voice is ``no`` where keys are refused.
        (VOICE, ["block_keys: no", "block_keys: true", "record_engine: false", "record_engine: no"]),
        (
            "read=t-מה=q,no,voice,,,,record",
            ["record_engine: record", "record_engine: yes", "block_keys: false"],
        ),
        # Keyboards: the official word is NO, libraries send No.
        (TAP, ["keyboard: NO", "keyboard: No", "keyboard: no", 'keyboard: ""', "mode: tap"]),
        (WORDS, ["keyboard: HebrewKeyboard", "keyboard: hebrewkeyboard"]),
        # Texts.
        (TAP, ['replace: "*/"', "empty_value: none", "name: q"]),
        ("read=t-מה=q,no,1", ['replace: ""', "empty_value: None", 'empty_value: ""']),
        (VOICE, ["language: en-US", "max_digits: 4", "silence_seconds: null", 'max_seconds: ""']),
        # Folders of recordings, also with a slash at the end.
        (RECORD, ["folder: /1/2", "folder: /1/2/", "file: 000", "min_seconds: 3", "max_seconds: null"]),
    ],
)
def test_every_spelling_of_a_value_matches(response: str, fields: list[str]) -> None:
    results = {field: hears_read(response, field).failure for field in fields}
    assert results == dict.fromkeys(fields)


@pytest.mark.parametrize(
    ("response", "field", "message"),
    [
        (TAP, "allowed: 3.4", "read.allowed is 12 (1.2), not 3.4"),
        (TAP, "allowed: [1, 3]", "read.allowed is 12 (1.2), not [1, 3]"),
        (TAP, "allowed: [12]", "read.allowed is 12 (1.2), not [12]"),
        (TAP, "allowed: true", "read.allowed is 12 (1.2), not true"),
        (TAP, "seconds: 8", "read.seconds is 07 (7), not 8"),
        (TAP, "seconds: seven", "read.seconds is 07 (7), not seven"),
        (TAP, "max_digits: true", "read.max_digits is 1, not true"),
        (TAP, "accept_empty: false", "read.accept_empty is Ok (true), not false"),
        (TAP, "keyboard: Digits", "read.keyboard is NO (No), not Digits"),
        (TAP, "name: r", "read.name is q, not r"),
        (TAP, "mode: voice", "read.mode is tap, not voice"),
        (TAP, "folder: /1", "read.folder is not there, not /1"),
        (TAP, "block_zero: 1", "read.block_zero is empty (false), not 1"),
        (VOICE, "block_keys: false", "read.block_keys is no (true), not false"),
        (VOICE, "block_keys: yes", "read.block_keys is no (true), not yes"),
        (RECORD, "folder: /1", "read.folder is /1/2, not /1"),
        ("read=t-מה=q,no,1", "min_digits: 2", "read.min_digits is empty (1), not 2"),
        ("read=t-מה=q,no,1", "empty_value: x", "read.empty_value is empty (None), not x"),
    ],
)
def test_another_value_fails_and_is_shown_as_the_server_wrote_it(
    response: str, field: str, message: str
) -> None:
    assert failure_of(hears_read(response, field)) == ("response", (f"{message}: {response}",))


def test_a_question_that_should_not_be_there_is_shown_as_the_server_wrote_it() -> None:
    result = play_turns("[{hears: {read: false}}]", answering(TAP))
    assert failure_of(result) == ("response", (f"expected no read, got {TAP}",))


def test_a_question_that_is_asked_again_is_still_compared() -> None:
    turns = '[{presses: "*", hears: {contains: M1368, read: {allowed: 1.2, seconds: 07}}}]'
    result = play_turns(turns, answering("read=t-מה=q,no,1,1,07,No,yes,,,12"))
    assert result.failure is None, result.failure


@pytest.mark.parametrize("goto", ["/1/2", "/1/2/"])
@pytest.mark.parametrize("response", ["go_to_folder=/1/2", "go_to_folder=/1/2/"])
def test_a_slash_at_the_end_of_a_target_has_no_meaning(response: str, goto: str) -> None:
    result = play_turns(f"[{{hears: {{goto: {goto}}}}}]", answering(response, "go_to_folder=hangup"))
    assert result.failure is None, result.failure


@pytest.mark.parametrize(
    "play", ["[t-שלום, f-/1/000]", '"t-שלום.f-/1/000"', "f-/1/000", '["t-שלום.f-/1/000", n-7]']
)
def test_messages_are_expected_one_by_one_or_as_the_response_joins_them(play: str) -> None:
    app = answering("id_list_message=t-שלום.f-/1/000.n-7&go_to_folder=hangup")
    assert play_turns(f"[{{hears: {{play: {play}}}}}]", app).failure is None


@pytest.mark.parametrize("play", ['"t-שלום.f-/1/000"', "t-ביי", '"."', "no message"])
def test_other_messages_fail(play: str) -> None:
    result = play_turns(
        f"[{{hears: {{play: {play}}}}}]", answering("id_list_message=t-שלום&go_to_folder=hangup")
    )
    assert failure_of(result)[0] == "response"


def test_a_list_of_values_is_written_as_it_was_loaded() -> None:
    path = Path("x.call.yaml")
    text = 'scenarios: [{name: א, turns: [{hears: {read: {allowed: [1, "2"], max_digits: 1}}}]}]'
    file = loads(text, path)
    expected = file.scenarios[0].turns[0].hears
    assert loads(dumps(file), path).scenarios[0].turns[0].hears == expected


def test_a_field_that_a_lenient_line_ignores_is_shown_with_its_default() -> None:
    turns = "[{hears: {read: {folder: /1/2}}}]"
    app = answering("read=t-הקליטו=q,no,record,/1/2/,,no")
    kind, (message,) = failure_of(play_turns(turns, app, suffix="    caller: {line: {lenient: true}}\n"))
    assert kind == "response"
    assert message.startswith("read.folder is /1/2/ (empty), not /1/2: ")
