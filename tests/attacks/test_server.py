"""Attacks on ``yemot-ai serve``, as a process: raw requests, and honest callers beside them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote_plus

import pytest

from tests.attacks.server import LINE, Served, served

MEGABYTE = 1 << 20
TOO_LONG = "השיחה התארכה מדי, אפשר להתקשר שוב, להתראות"
REFUSED = "אין אפשרות להשתמש בשירות הזה"

ONLY_FIELDS = b"ApiCallId=x" + b"&a" * 480_000
FIELDS_WITH_NAMES = b"&".join(b"p%d=x" % number for number in range(100_000))
ESCAPES = b"&".join(b"p%d=" % number + b"%D7%A9" * 30 for number in range(4_900))[:MEGABYTE]
ONE_VALUE = b"a=" + b"%41" * 349_000
ONE_NAME = b"%41" * 349_000 + b"=1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = "{'access': AccessPolicy(secret='only-the-line-knows')}"
    with served(tmp_path_factory.mktemp("guarded"), settings=settings) as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [ONLY_FIELDS, FIELDS_WITH_NAMES, ESCAPES, ONE_VALUE, ONE_NAME, b"&" * MEGABYTE, b"=" * MEGABYTE],
    ids=["fields", "names", "escapes", "one value", "one name", "separators", "equals"],
)
def test_no_caller_waits_a_second_because_of_thirty_large_requests(server: Served, body: bytes) -> None:
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.longest_wait, stop)
        server.post_all([LINE.format(f"big-{number}").encode() + b"&" + body for number in range(30)])
        stop.set()

    assert waiting.result() < 1


@pytest.mark.slow
@pytest.mark.parametrize("body", [ONLY_FIELDS, ESCAPES], ids=["fields", "escapes"])
def test_without_the_secret_a_large_request_costs_nobody_a_second(guarded: Served, body: bytes) -> None:
    start = time.monotonic()

    assert REFUSED.encode() in guarded.post(body).body
    assert guarded.post_all([body] * 30) == [200] * 30
    assert time.monotonic() - start < 5


@pytest.mark.slow
def test_the_secret_is_found_wherever_the_line_puts_it(guarded: Served) -> None:
    call = LINE.format("guarded").encode()

    assert "שלום" in guarded.post(call + b"&secret=only-the-line-knows").body.decode()
    assert "שלום" in guarded.post(call, query="?secret=only-the-line-knows").body.decode()
    assert "שלום" in guarded.post(call, query="only-the-line-knows").body.decode()
    assert REFUSED in guarded.post(call + b"&secret=only-the-line-know").body.decode()


@pytest.mark.slow
def test_one_request_cannot_try_thousands_of_secrets(guarded: Served) -> None:
    guesses = b"".join(b"&secret=guess-%d" % number for number in range(3000))
    call = LINE.format("guessing").encode()

    assert REFUSED in guarded.post(call + guesses + b"&secret=only-the-line-knows").body.decode()


@pytest.mark.slow
@pytest.mark.parametrize(
    "values",
    [b"&a" * 6000, b"&ai_1=" + b"x" * 20_000, b"&ai_1=" + b"x" * 2 * MEGABYTE, b"&" + b"n" * 300 + b"=1"],
    ids=["fields", "value", "body", "name"],
)
def test_a_call_that_outgrows_a_limit_hears_a_sentence_and_ends(server: Served, values: bytes) -> None:
    call = LINE.format("long").encode()

    reply = server.post(call + values)
    ended = server.post(call + values + b"&hangup=yes")

    assert (reply.status, ended.status) == (200, 200)
    assert reply.body.decode() == f"id_list_message=t-{TOO_LONG}&go_to_folder=hangup"
    assert b"noop" in ended.body


@pytest.mark.slow
def test_the_hang_up_of_a_call_that_has_outgrown_a_limit_ends_it(server: Served) -> None:
    call = LINE.format("outgrown").encode()
    server.post(call)
    server.post(call + b"&a" * 6000 + b"&hangup=yes")

    assert server.post(call).body == b"go_to_folder=hangup"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "query", "status"),
    [(ONLY_FIELDS[12:], "", 413), (b"", "?a=" + "x" * 60_000, 431), (b"x" * 9 * MEGABYTE, "", 413)],
    ids=["fields", "query", "body"],
)
def test_a_large_request_that_is_not_the_lines_gets_a_status(
    server: Served, body: bytes, query: str, status: int
) -> None:
    assert server.post(body, query=query).status == status


@pytest.mark.slow
def test_an_honest_call_of_a_hundred_long_turns_passes(server: Served) -> None:
    spoken = quote_plus("אני רוצה לדעת מתי אתם פתוחים, " * 30)
    turns = "".join(
        f"&ai_{turn}={spoken}" + "".join(f"&ai_{turn}w{poll}=Ok" for poll in range(1, 21))
        for turn in range(1, 101)
    )[: MEGABYTE - 300]
    request = LINE.format("honest") + turns.rpartition("&")[0]

    assert "תשובה" in server.post(request.encode()).body.decode()
