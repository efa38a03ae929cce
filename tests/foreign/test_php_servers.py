"""Files of PHP: blank lines at the end, redirects, more fields than there are."""

from __future__ import annotations

import pytest

from tests.foreign.catalog import UrlOf
from yemot_ai.protocol import Mode, Record, Voice
from yemot_ai_testing import Caller
from yemot_ai_testing.line.transports.transport import Method

METHODS = pytest.mark.parametrize("method", ["GET", "POST"])


@METHODS
def test_a_file_that_ends_in_a_blank_line_is_a_conversation(url_of: UrlOf, method: Method) -> None:
    with Caller(f"{url_of('php')}/register.php", method=method) as caller:
        assert caller.dial() == "להרשמה הקישו 1 לביטול 2"
        assert caller.presses("1") == "הקישו מספר זהות"
        assert caller.raw.endswith(",No\n\n")
        assert caller.presses("12345678#") == "נרשמתם d-12345678"
        assert caller.ended
        assert {(problem.level, problem.code) for problem in caller.problems} == {("warning", "line-end")}


def test_before_an_exit_there_is_no_blank_line(url_of: UrlOf) -> None:
    with Caller(f"{url_of('php')}/register.php") as caller:
        caller.dial()
        assert caller.presses("2") == "ההרשמה בוטלה"
        assert not caller.raw.endswith("\n")
        assert caller.problems == ()


@METHODS
def test_php_reads_the_newest_of_repeated_values(url_of: UrlOf, method: Method) -> None:
    with Caller(f"{url_of('php')}/register.php", method=method) as caller:
        caller.dial()
        assert caller.presses("7").startswith("אין אפשרות כזו")
        assert caller.presses("2") == "ההרשמה בוטלה"
        assert [value for name, value in caller.exchanges[-2].pairs if name == "choice"] == ["7", "2"]


def test_a_warning_of_php_above_the_answer_is_m1607(url_of: UrlOf) -> None:
    caller = Caller(f"{url_of('php')}/undefined.php", strict=False)

    assert "M1607" in caller.dial()
    assert "Undefined array key" in caller.raw
    assert [problem.code for problem in caller.problems] == ["not-plain-text"]


def test_actions_on_lines_of_their_own_are_one_text(url_of: UrlOf) -> None:
    caller = Caller(f"{url_of('php')}/lines.php")

    assert "go_to_folder" in caller.dial()
    assert {"text-line-end", "equals-sign", "line-end"} <= {problem.code for problem in caller.problems}


def test_a_byte_order_mark_is_a_warning(url_of: UrlOf) -> None:
    with Caller(f"{url_of('php')}/bom.php") as caller:
        assert caller.dial() == ""
        assert caller.ended
        assert caller.raw.startswith("\ufeff")
        assert [(problem.level, problem.code) for problem in caller.problems] == [
            ("warning", "byte-order-mark")
        ]


@pytest.mark.parametrize("way", ["302", "301", "307", "here", "loop"])
def test_without_the_switch_a_redirect_is_m1607_and_the_problem_names_the_switch(
    url_of: UrlOf, way: str
) -> None:
    caller = Caller(f"{url_of('php')}/bridge.php/{way}", strict=False)

    assert "M1607" in caller.dial()
    assert caller.problems[0].code == "status"
    assert "follow_redirects" in f"{caller.problems[0].message} {caller.problems[0].hint}"


@pytest.mark.parametrize("way", ["301", "302", "303", "307", "308", "here"])
def test_with_the_switch_the_line_follows_a_redirect(url_of: UrlOf, way: str) -> None:
    with Caller(f"{url_of('php')}/bridge.php/{way}", follow_redirects=True) as caller:
        assert caller.dial() == "להרשמה הקישו 1 לביטול 2"
        assert caller.presses("2") == "ההרשמה בוטלה"
        assert caller.problems == ()


@pytest.mark.parametrize(("way", "heard"), [("307", "ההרשמה בוטלה"), ("302", "להרשמה הקישו 1 לביטול 2")])
def test_a_302_of_a_post_loses_its_values_and_a_307_keeps_them(url_of: UrlOf, way: str, heard: str) -> None:
    caller = Caller(f"{url_of('php')}/bridge.php/{way}", method="POST", follow_redirects=True)
    caller.dial()

    assert caller.presses("2") == heard


def test_a_redirect_without_end_is_m1607(url_of: UrlOf) -> None:
    caller = Caller(f"{url_of('php')}/bridge.php/loop", follow_redirects=True, strict=False)

    assert "M1607" in caller.dial()
    assert caller.problems[0].level == "error"
    assert "redirect" in caller.problems[0].message


def test_without_the_switch_status_201_is_m1607_and_the_problem_names_the_switch(url_of: UrlOf) -> None:
    caller = Caller(f"{url_of('php')}/bridge.php/201", strict=False)

    assert "M1607" in caller.dial()
    assert caller.problems[0].code == "status"
    assert "accept_any_2xx" in f"{caller.problems[0].message} {caller.problems[0].hint}"


def test_with_the_switch_the_line_uses_an_answer_with_status_201(url_of: UrlOf) -> None:
    with Caller(f"{url_of('php')}/bridge.php/201", accept_any_2xx=True) as caller:
        assert caller.dial() == "להרשמה הקישו 1 לביטול 2"
        assert caller.presses("2") == "ההרשמה בוטלה"


@METHODS
def test_surplus_empty_fields_shift_nothing(url_of: UrlOf, method: Method) -> None:
    with Caller(f"{url_of('php')}/speech.php", method=method) as caller:
        assert caller.dial() == "שלום"
        assert _mode(caller) == Voice()
        assert caller.says("חדשות") == "אמרתם חדשות מה עוד"
        assert caller.says("הודעה").startswith("הקליטו")
        assert _mode(caller) == Record(folder="/9", confirm=False, max_seconds=60)
        assert caller.records(seconds=90) == "ההודעה נשמרה"
        assert not [problem for problem in caller.problems if problem.level == "error"]


@METHODS
def test_php_replaces_what_a_text_must_not_contain(url_of: UrlOf, method: Method) -> None:
    with Caller(f"{url_of('php')}/speech.php", method=method) as caller:
        caller.dial()

        assert caller.presses("5#") == "אמרתם Digits 5 מה עוד"
        assert caller.says('ת.ד. "5" & צה-ל') == "אמרתם ת ד   5    צה ל מה עוד"


def _mode(caller: Caller) -> Mode:
    assert caller.question is not None
    return caller.question.mode
