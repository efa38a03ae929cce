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
