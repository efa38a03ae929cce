"""What the hints of ``lint`` say to servers in any language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.protocol.lint_examples import ERRORS, MARK, WARNINGS
from yemot_ai.protocol import lint, speakable
from yemot_ai.protocol.lint_rules import RULES
from yemot_ai.protocol.normalizer.substitutes import SUBSTITUTES


@pytest.mark.parametrize(
    ("messages", "separator"),
    [
        ("f-a,f-b,f-c", ","),
        ("f-a, t-b", ","),
        ("n-5,n-6", ","),
        ("t-שלום,f-1", ","),
        ("t-א;t-ב", ";"),
        ("f-a| f-b", "|"),
    ],
)
def test_messages_joined_by_another_character_have_a_hint(messages: str, separator: str) -> None:  # [?]
    problems = lint(f"id_list_message={messages}&go_to_folder=/1")
    (joined,) = [problem for problem in problems if problem.code == "comma-joined"]
    assert joined.message.endswith("join messages with a .")
    assert joined.position == len("id_list_message=") + messages.index(separator)
    assert joined.message.startswith(f"a message follows {separator!r}")


@pytest.mark.parametrize("text", ["id_list_message=t-א&f-000", "id_list_message=t-א&t-שלום לכם"])
def test_messages_joined_by_an_ampersand_have_a_hint(text: str) -> None:  # [OFF]
    (problem,) = (problem for problem in lint(text) if problem.level == "error")
    assert "messages are joined with ." in problem.message


@pytest.mark.parametrize("messages", ["T-שלום", "f-000.M-1001"])
def test_a_type_in_capitals_has_a_hint(messages: str) -> None:  # [OFF]
    (problem,) = (found for found in lint(f"id_list_message={messages}") if found.level == "error")
    assert f": write {messages.rpartition('.')[2][0].lower()}-" in problem.message


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ("x,no,vioce", "there is no mode 'vioce' (did you mean 'voice'?)"),
        ("x,no,Recording,/1", "there is no mode 'Recording' (did you mean 'record'?)"),
        ("x,no, stt ,he", "there is no mode 'stt' (did you mean 'voice'?)"),
        ("x,no,tap,4,1,7", "there is no mode 'tap' (keys are taken without one)"),
        ("x,no,HebrewKeyboard,1", "field 3 is 'HebrewKeyboard', which belongs to field 6"),
        ("x,no,price", "field 3 is 'price', which belongs to field 6"),
        ("x,voice,en-US", "field 2 is 'voice', which belongs to field 3"),
    ],
)
@pytest.mark.parametrize("lenient", [False, True])
def test_what_should_be_the_mode_of_a_read_has_a_hint_and_nothing_after_it_has(
    fields: str,
    hint: str,
    lenient: bool,  # noqa: FBT001 - a parameter of the test
) -> None:  # [OFF]
    (problem,) = lint(f"read=t-א={fields}", lenient=lenient)
    assert problem.code == "read-mode"
    assert problem.message == (
        f"{hint}{': ignored' * lenient}; write voice, record, or the most digits, in field 3"
    )
    level, source = ("warning", "[?]") if lenient else ("error", "[OFF]")
    assert (problem.level, problem.source) == (level, source)


def test_the_fields_before_a_wrong_mode_have_their_errors() -> None:
    assert [problem.code for problem in lint("read=t-א=Api,maybe,vioce,he")] == [
        "name",
        "choice",
        "read-mode",
    ]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("red", "read"),
        ("id_list_messages", "id_list_message"),
        ("Go-To-Folder", "go_to_folder"),
        ("routing_yemott", "routing_yemot"),
        ("music_onhold", "music_on_hold"),
    ],
)
def test_a_misspelt_action_has_a_hint(name: str, meant: str) -> None:  # [OFF]
    (problem,) = lint(f"{name}=t-א")
    assert problem.message.startswith(f"there is no action {name!r} (did you mean {meant!r}?); ")


@pytest.mark.parametrize("name", ["xyz", "print"])
def test_a_name_that_resembles_no_action_has_no_guess(name: str) -> None:
    (problem,) = lint(f"{name}=t-א")
    assert problem.message == f"there is no action {name!r}; use one of the documented actions"


@pytest.mark.parametrize(
    "setting", ["api_end_goto=hangup", "api_000=x,no,1", "say_api_answer=yes", "type=api"]
)
def test_a_setting_of_ext_ini_is_named_as_one(setting: str) -> None:  # [OFF]
    (problem,) = [problem for problem in lint(f"id_list_message=t-א&{setting}") if problem.level == "error"]
    assert problem.message.startswith("that is a setting of ext.ini, not an action; ")


@pytest.mark.parametrize("messages", ["say=t-א", "voice=t-א=x", "tap=t-א=x", "record=t-א=x"])
def test_a_verb_of_other_platforms_has_a_hint(messages: str) -> None:  # [OFF]
    (problem,) = lint(messages)
    assert problem.message.startswith("there is no such action: ")


def test_a_prefix_with_a_value_has_a_hint() -> None:  # [OFF]
    (problem,) = lint("api_log_no=yes&go_to_folder=/1")
    assert problem.message.startswith("write api_log_no& before the first action")


@pytest.mark.parametrize(
    "text",
    [
        "id_list_message=t-שלום\ngo_to_folder=/1",
        "go_to_folder=/1\r\n  noop=x",
        "id_list_message=f-1\n\nread=t-a=x,no,1",
    ],
)
def test_an_action_on_a_separate_line_has_a_hint(text: str) -> None:  # [?]
    assert [problem for problem in lint(text) if problem.message.endswith("; between actions, write &")]


def test_a_setting_of_ext_ini_in_a_response_has_a_hint() -> None:
    (problem,) = lint("api_answer_OK=go_to_folder=/1")
    assert problem.message.startswith("api_answer_ is for ext.ini: the server answers with the word after it")


def test_a_hint_that_names_speakable_says_what_other_languages_write() -> None:
    hints = [rule.hint for rule in RULES.values() if "pass the text through speakable()" in rule.hint]
    assert len(hints) >= 4
    assert all("in another language, " in hint for hint in hints)


@pytest.mark.parametrize("character", SUBSTITUTES)
def test_a_substitute_makes_of_a_text_what_speakable_does(character: str) -> None:
    substitute = SUBSTITUTES[character]
    written = f" {substitute} " if substitute.isalpha() else substitute
    said = speakable(f"שלום{character}רב")
    assert speakable(f"שלום{written}רב") == said
    assert lint(f"read=t-שלום{written}רב=x,no,voice") == []


def test_the_documentation_has_every_substitute() -> None:
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text("utf-8")
    characters = {"\n": "line end", "\t": "tab", "|": "`\\|`"}
    substitutes = {"": "nothing: drop it", " ": "a space", ",": "`,`"}
    for character, substitute in SUBSTITUTES.items():
        written = substitutes.get(substitute, f"the word {substitute}")
        assert f"| {characters.get(character, f'`{character}`')} | {written} | " in page


@pytest.mark.parametrize("marked", [marked for marked, _ in [*ERRORS, *WARNINGS]])
def test_no_message_shows_values_of_python(marked: str) -> None:
    text = marked.replace(MARK, "")
    for problem in lint(text):
        assert not re.search(r"\('|\[\]|\{\}|\b(tuple|datetime|True|False)\b", problem.message)


@pytest.mark.parametrize("text", ["id_list_message=t-חלב & דבש עם סוכר", "id_list_message=t-חלב & דבש"])
def test_an_and_sign_in_a_text_has_a_hint(text: str) -> None:  # [OFF]
    (problem,) = [problem for problem in lint(text) if problem.level == "error"]
    assert "in a text, write the word ו for &" in problem.message
