"""Servers on Node: every field written out, a waiting room, a cloud worker."""

from __future__ import annotations

import threading
import urllib.request

import pytest

from tests.foreign.catalog import UrlOf
from yemot_ai_testing import Caller

METHODS = pytest.mark.parametrize("method", ["GET", "POST"])


@pytest.mark.slow
def test_a_caller_polls_in_a_waiting_room_until_a_person_opens_it(url_of: UrlOf) -> None:
    url = url_of("waiting-room")
    with Caller(url) as caller:
        dialling = threading.Thread(target=caller.dial)
        dialling.start()
        _call(f"{url}/admin/someone-waits")
        _call(f"{url}/admin/open", data=b"")
        dialling.join()

        assert caller.heard.startswith("אתם ממתינים")
        assert caller.heard.endswith("הרב פנוי")
        assert caller.ended
        assert caller.problems == ()


def test_a_caller_who_hangs_up_leaves_the_waiting_room(url_of: UrlOf) -> None:
    url = url_of("waiting-room")
    caller = Caller(url)
    dialling = threading.Thread(target=caller.dial)
    dialling.start()
    _call(f"{url}/admin/someone-waits")

    caller.hangs_up()
    dialling.join()

    assert _call(f"{url}/admin/count") == '{"waiting":0}'


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
