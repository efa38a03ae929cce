"""Servers on Node: every field written out, a waiting room, a cloud worker."""

from __future__ import annotations

import urllib.request

import pytest

from tests.foreign.catalog import UrlOf
from yemot_ai.protocol import Record, Tap, Voice
from yemot_ai_testing import Caller
from yemot_ai_testing.line.transports.transport import Method

METHODS = pytest.mark.parametrize("method", ["GET", "POST"])


@METHODS
def test_a_line_in_the_rows_of_yemot_router_is_a_conversation(url_of: UrlOf, method: Method) -> None:
    with Caller(url_of("router1"), method=method) as caller:
        assert caller.dial() == "לחדשות הקישו 1 לשיעורים 2 להודעות 3"
        assert caller.presses("1") == "אמרו או הקישו עיר"
        assert caller.says("צפת").startswith("הקליטו הודעה")
        assert caller.records(seconds=5).startswith("M3345")
        assert caller.presses("2") == "הקישו מספר ילדים"
        assert caller.presses("4#") == "בחרתם 1 צפת"
        assert caller.ended
        assert {(problem.level, problem.code) for problem in caller.problems} == {
            ("warning", "undocumented-value"),
            ("warning", "play-leaves"),
        }


def test_the_words_that_yemot_router_writes_for_the_defaults_are_the_defaults(url_of: UrlOf) -> None:
    caller = Caller(url_of("router1"))
    verbs = (
        caller.dial,
        lambda: caller.presses("1"),
        lambda: caller.says("צפת"),
        lambda: (caller.records("/3/000.wav"), caller.presses("2")),
    )
    modes = []
    for verb in verbs:
        verb()
        assert caller.question is not None
        modes.append(caller.question.mode)

    assert modes == [
        Tap(max_digits=1, allowed=("1", "2", "3"), confirm=True),
        Voice(),
        Record(),
        Tap(max_digits=2, confirm=True),
    ]


def test_silence_is_asked_again_under_the_next_name(url_of: UrlOf) -> None:
    caller = Caller(url_of("router1"))
    caller.dial()
    caller.presses("1")

    assert caller.silent() == "אמרו או הקישו עיר"
    assert caller.question is not None
    assert caller.question.name == "val_3"


@pytest.mark.slow
def test_a_caller_polls_in_a_waiting_room_until_a_person_opens_it(url_of: UrlOf) -> None:
    url = url_of("waiting-room")
    with Caller(url) as caller:
        caller.schedule.call(lambda: _call(f"{url}/admin/open", data=b""), after=2.5)

        assert caller.dial().startswith("אתם ממתינים אתם ממתינים")
        assert caller.heard.endswith("הרב פנוי")
        assert caller.ended
        assert caller.problems == ()
        assert [name for name, _ in caller.exchanges[2].pairs if name.startswith("w_")] == ["w_1", "w_2"]


@pytest.mark.slow
def test_a_caller_who_hangs_up_leaves_the_waiting_room(url_of: UrlOf) -> None:
    url = url_of("waiting-room")
    caller = Caller(url)
    caller.interrupts(after=2.5)

    caller.dial()

    assert caller.ended
    assert _call(f"{url}/admin/count") == '{"waiting":0}'


def test_a_worker_answers_a_post_with_one_line(url_of: UrlOf) -> None:
    with Caller(url_of("worker"), method="POST") as caller:
        assert caller.dial() == "באיזו עיר"
        assert caller.says("צפת") == "מזג האוויר ב צפת נאה"
        assert caller.raw.endswith("\r\n")
        assert caller.ended
        assert {(problem.level, problem.code) for problem in caller.problems} == {("warning", "line-end")}


@pytest.mark.parametrize("city", ["תל-אביב", 'צפת "העתיקה"', "ת.א & ירושלים"])
def test_a_worker_replaces_what_a_text_must_not_contain(url_of: UrlOf, city: str) -> None:
    with Caller(url_of("worker"), method="POST") as caller:
        caller.dial()

        assert caller.says(city).endswith("נאה")
        assert not [problem for problem in caller.problems if problem.level == "error"]


def test_a_text_that_was_written_as_json_is_not_understood(url_of: UrlOf) -> None:
    caller = Caller(f"{url_of('worker')}/quoted", method="POST", strict=False)

    assert "M1607" in caller.dial()
    assert caller.raw == '"go_to_folder=hangup"'
    assert [problem.code for problem in caller.problems] == ["not-plain-text"]


def test_a_worker_for_post_says_its_status_to_a_get(url_of: UrlOf) -> None:
    caller = Caller(url_of("worker"), strict=False)

    assert "M1607" in caller.dial()
    assert caller.problems[0].code == "status"
    assert "405" in caller.problems[0].message


def _call(url: str, data: bytes | None = None) -> str:
    with urllib.request.urlopen(url, data) as response:  # noqa: S310 - the server of this test
        return str(response.read().decode())
