"""Servers in Python: the first of repeated values, simple answers, the state of a call in two extensions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.foreign.catalog import UrlOf
from yemot_ai_testing import Caller, Line

MENU = "אמרו או הקישו 1 או 2"

TREE = """type=api
api_link={url}
api_answer_OK=go_to_folder=/1
api_answer_ERROR=id_list_message=t-טעות&go_to_folder=hangup
api_answer_user_1=go_to_folder=/1
api_answer_user_2=go_to_folder=/2
"""


@pytest.mark.parametrize(("path", "heard"), [("/first", MENU), ("/newest", "בחרתם d-1")])
def test_a_server_that_reads_the_first_value_asks_for_ever(url_of: UrlOf, path: str, heard: str) -> None:
    with Caller(f"{url_of('first-value')}{path}") as caller:
        assert caller.dial() == MENU
        assert caller.says("מה") == MENU
        assert caller.presses("1#") == heard


def test_a_limit_of_ten_digits_is_a_limit(url_of: UrlOf) -> None:
    caller = Caller(f"{url_of('first-value')}/newest")
    caller.dial()

    assert caller.question is not None
    assert caller.question.mode.max_digits == 2147483647  # type: ignore[union-attr]
    assert caller.problems == ()


def test_a_recording_without_a_real_limit(url_of: UrlOf) -> None:
    with Caller(f"{url_of('first-value')}/recording") as caller:
        assert caller.dial().startswith("הקליטו")
        caller.records(seconds=7200)
        caller.presses("2")
        assert caller.ended
        assert not [problem for problem in caller.problems if problem.level == "error"]


@pytest.mark.parametrize(
    ("code", "extension"), [("3333", "1"), ("1111", "1"), ("2222", "2")], ids=["OK", "user_1", "user_2"]
)
def test_one_word_is_an_action_of_ext_ini(url_of: UrlOf, tmp_path: Path, code: str, extension: str) -> None:
    with _tree(tmp_path, url_of("simple-answers")) as line, Caller(line) as caller:
        assert caller.dial() == "הקישו קוד"
        caller.presses(code)

        assert caller.extension == extension
        assert line.warnings == ()
        assert caller.problems == ()


def test_a_word_without_a_setting_is_m1607(url_of: UrlOf, tmp_path: Path) -> None:
    """Four public servers send the name of the setting instead of the word."""
    with _tree(tmp_path, url_of("simple-answers")) as line:
        caller = Caller(line, strict=False)
        caller.dial()

        assert "M1607" in caller.presses("4444")


def test_a_word_with_actions_that_speak(url_of: UrlOf, tmp_path: Path) -> None:
    with _tree(tmp_path, url_of("simple-answers")) as line, Caller(line) as caller:
        caller.dial()

        assert caller.presses("5555") == "טעות"
        assert caller.ended


@pytest.mark.parametrize(("says", "heard"), [("000", "התשלום התקבל"), ("033", "התשלום נדחה")])
def test_a_payment_whose_tenth_field_is_no(url_of: UrlOf, says: str, heard: str) -> None:
    with Caller(f"{url_of('simple-answers')}/pay") as caller:
        caller.dial()

        assert caller.pays(says) == heard
        assert "CreditCard_All" not in dict(caller.exchanges[-2].pairs)
        assert not [problem for problem in caller.problems if problem.level == "error"]


@pytest.mark.parametrize(
    ("key", "switches", "heard"),
    [
        ("ApiCallId", {}, "שלום דוד"),
        ("ApiCallId", {"new_call_id_per_extension": True}, "שלום None"),
        ("ApiYFCallId", {}, "שלום דוד"),
        ("ApiYFCallId", {"new_call_id_per_extension": True}, "שלום דוד"),
        ("ApiYFCallId", {"omitted": frozenset({"ApiCallId"})}, "שלום דוד"),
    ],
)
def test_the_state_of_a_call_in_two_extensions(
    url_of: UrlOf, key: str, switches: dict[str, Any], heard: str
) -> None:
    caller = Caller(f"{url_of('two-extensions')}/{key}", extensions=frozenset({"", "1"}), **switches)
    assert caller.dial() == "מה שמך"

    assert caller.says("דוד") == heard


def _tree(folder: Path, url: str) -> Line:
    (folder / "ext.ini").write_text(TREE.format(url=url), encoding="utf-8")
    for name in ("1", "2"):
        (folder / name).mkdir()
        (folder / name / "ext.ini").write_text("type=menu\n", encoding="utf-8")
    return Line.read(folder)
