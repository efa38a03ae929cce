"""Attacks on ``yemot-ai serve``, as a process: raw requests, and honest callers beside them."""

from __future__ import annotations

import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qsl, quote_plus

import pytest

from tests.attacks.server import LINE, Served, many_files, served
from tests.support.slowness import allowance
from tests.support.waiting import until
from yemot_ai_testing import FakeCodex

MEGABYTE = 1 << 20
TOO_LONG = "השיחה התארכה מדי, אפשר להתקשר שוב, להתראות"
REFUSED = "אין אפשרות להשתמש בשירות הזה"

ONLY_FIELDS = b"ApiCallId=x" + b"&a" * 480_000
FIELDS_WITH_NAMES = b"&".join(b"p%d=x" % number for number in range(100_000))
ESCAPES = b"&".join(b"p%d=" % number + b"%D7%A9" * 30 for number in range(4_900))[:MEGABYTE]
CURSORS = b"&".join(b"ai_%dw%d=Ok" % (number, number) for number in range(4_900))
ONE_VALUE = b"a=" + b"%41" * 349_000
UNHARMED = 2.0
"""Seconds for which a caller waits at most, on a machine at rest; without a limit none is answered."""
HALF_HEADER = b"GET / HTTP/1.1\r\nHost: x\r\n"
HALF_BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nApiCallId=x"
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
    [ONLY_FIELDS, FIELDS_WITH_NAMES, ESCAPES, CURSORS, ONE_VALUE, ONE_NAME, b"&" * MEGABYTE, b"=" * MEGABYTE],
    ids=["fields", "names", "escapes", "cursors", "one value", "one name", "separators", "equals"],
)
def test_thirty_large_requests_cost_little_and_callers_are_answered_between_them(
    server: Served, body: bytes
) -> None:
    stop, before = threading.Event(), server.cpu_seconds
    with ThreadPoolExecutor(1) as pool:
        waiting, start = pool.submit(server.longest_wait, stop), time.monotonic()
        server.post_all([LINE.format(f"big-{number}").encode() + b"&" + body for number in range(30)])
        seconds = time.monotonic() - start
        stop.set()

    assert server.cpu_seconds - before < 5 * 30 * cpu_of_a_plain_parser()
    assert waiting.result() < 0.9 * seconds


def cpu_of_a_plain_parser() -> float:
    """Return the CPU seconds that the standard library needs for one body of 100,000 fields."""
    start = time.process_time()
    parse_qsl(FIELDS_WITH_NAMES)
    return time.process_time() - start


@pytest.mark.slow
@pytest.mark.parametrize("body", [ONLY_FIELDS, ESCAPES], ids=["fields", "escapes"])
def test_without_the_secret_a_large_request_costs_little(guarded: Served, body: bytes) -> None:
    before = guarded.cpu_seconds

    assert REFUSED.encode() in guarded.post(body).body
    assert guarded.post_all([body] * 30) == [200] * 30
    assert guarded.cpu_seconds - before < 5 * 30 * cpu_of_a_plain_parser()


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


@pytest.mark.slow
@pytest.mark.parametrize("sent", [b"", b"GET", HALF_HEADER], ids=["nothing", "line", "header"])
def test_a_connection_without_a_whole_request_ends(tmp_path: Path, sent: bytes) -> None:
    with served(tmp_path, "--header-seconds", "0.3") as server:
        connection = server.connect(sent)

        assert connection.recv(100) == b""


@pytest.mark.slow
def test_a_client_that_sends_a_byte_now_and_then_does_not_hold_its_connection(tmp_path: Path) -> None:
    with served(tmp_path, "--header-seconds", "0.5") as server:
        connection = server.connect(b"GET / HTTP/1.1\r\n")

        start = time.monotonic()
        until(lambda: is_closed_after(connection, b"X-1: a\r\n"), within=20)
        assert time.monotonic() - start < 2 * allowance()


def is_closed_after(connection: socket.socket, sent: bytes) -> bool:
    """Send a little more, 0.05 s later; return whether the connection is closed."""
    select.select([], [], [], 0.05)
    try:
        connection.sendall(sent)
    except OSError:
        return True
    return False


@pytest.mark.slow
def test_half_a_body_ends(tmp_path: Path) -> None:
    with served(tmp_path, settings="{'request_limits': RequestLimits(body_seconds=0.3)}") as server:
        connection = server.connect(HALF_BODY)

        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
        while connection.recv(1000):
            pass


@pytest.mark.slow
@pytest.mark.parametrize("files", [128, 1024])
@pytest.mark.parametrize("sent", [HALF_HEADER, HALF_BODY], ids=["headers", "bodies"])
def test_callers_are_answered_beside_more_half_requests_than_files(
    tmp_path: Path, sent: bytes, files: int
) -> None:
    with many_files(4096), served(tmp_path, files=files) as server:
        stop = threading.Event()
        stop.set()
        for number in (1100, 300):
            for _ in range(number):
                server.connect(sent)

            assert server.longest_wait(stop) < UNHARMED * allowance()
        assert server.log.stat().st_size < 10_000


@pytest.mark.slow
def test_a_websocket_gets_a_status_and_no_traceback(server: Served) -> None:
    before = server.log.stat().st_size
    for _ in range(20):
        connection = server.connect(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")

    assert server.log.stat().st_size - before < 1000


SPEAKS = LINE + "&ai_1=" + quote_plus("חשוב ") + "{}"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=["TERM", "INT", "HUP"])
def test_a_signal_lets_a_running_turn_end(tmp_path: Path, number: signal.Signals) -> None:
    with served(tmp_path) as server, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.post, SPEAKS.format("drained", 1.5).encode())
        until(lambda: "asked" in server.log.read_text())

        assert server.end(number, within=20) == 0
        assert "תשובה" in asked.result().body.decode()
        assert "Traceback" not in server.log.read_text()


@pytest.mark.slow
def test_callers_are_answered_while_a_turn_runs_that_outlives_the_signal(tmp_path: Path) -> None:
    with served(tmp_path, "--drain", "4") as server:
        call = SPEAKS.format("outlives", 3.5).encode()
        assert b"ai_1w1" in server.post(call).body
        server.process.send_signal(signal.SIGTERM)

        assert "תשובה" in server.post(call + b"&ai_1w1=Ok").body.decode()
        assert server.process.wait(20) == 0


@pytest.mark.slow
def test_a_turn_beyond_the_deadline_is_stopped(tmp_path: Path) -> None:
    with served(tmp_path, "--drain", "0.5") as server:
        assert b"ai_1w1" in server.post(SPEAKS.format("stopped", 60).encode()).body

        start = time.monotonic()
        assert server.end(signal.SIGTERM, within=20) == 0  # the turn would take 60 s
        assert time.monotonic() - start < 4 * allowance()
        assert "did not end in time" in server.log.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGHUP], ids=["TERM", "HUP"])
def test_a_second_signal_ends_the_server_at_once(tmp_path: Path, first: signal.Signals) -> None:
    with served(tmp_path, "--drain", "60") as server:
        assert b"ai_1w1" in server.post(SPEAKS.format("second", 60).encode()).body
        server.process.send_signal(first)
        until(lambda: "the server ends" in server.log.read_text())

        start = time.monotonic()
        assert server.end(signal.SIGTERM, within=20) == 128 + signal.SIGTERM  # the drain would take 60 s
        assert time.monotonic() - start < 2 * allowance()


@pytest.mark.slow
def test_a_signal_ends_the_server_beside_half_requests(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        server.connect(HALF_BODY)
        server.connect(HALF_HEADER)
        server.connect(b"")
        assert server.post(LINE.format("c1").encode()).status == 200

        assert server.end(signal.SIGTERM, within=20) == 0
        assert "Traceback" not in server.log.read_text()


CODEX_APP = """
from yemot_ai import AIFlow, YemotAI

flow = AIFlow(YemotAI("{settings}"))
flow.ai_agent("", greeting="שלום")(lambda call, text: None)
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["codex", "codex-app-server"])
@pytest.mark.parametrize("signals", [1, 2])
def test_no_codex_outlives_the_server(tmp_path: Path, fake_codex: FakeCodex, mode: str, signals: int) -> None:
    fake_codex.hangs()
    with served(tmp_path, "--drain", "0.5", app=CODEX_APP, settings=mode) as server:
        assert b"ai_1w1" in server.post(SPEAKS.format("codex", 60).encode()).body
        server.process.send_signal(signal.SIGTERM)
        until(lambda: "the server ends" in server.log.read_text())
        if signals > 1:
            server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)

        until(lambda: fake_codex.processes_alive() == 0, within=20)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["codex", "codex-app-server"])
def test_no_codex_outlives_another_asgi_server(tmp_path: Path, fake_codex: FakeCodex, mode: str) -> None:
    fake_codex.hangs()
    app = CODEX_APP + "app = flow.make_asgi_app(drain_seconds=0.2)\n"
    with served(tmp_path, app=app, settings=mode, command=("uvicorn", "attacked:app")) as server:
        assert b"ai_1w1" in server.post(SPEAKS.format("codex", 60).encode()).body
        server.end(signal.SIGTERM, within=20)

        until(lambda: fake_codex.processes_alive() == 0, within=20)


MANY = "&".join(f"p{number}={'x' * 90}" for number in range(4_900)).encode()
WIDE = "&".join(f"p{number}={'é😀' * 10}" for number in range(4_900)).encode()


@pytest.mark.slow
@pytest.mark.parametrize("extension", ["", "menu"])
@pytest.mark.parametrize("values", [MANY, ESCAPES, WIDE], ids=["many", "escapes", "wide"])
def test_forged_calls_take_a_bounded_memory(tmp_path: Path, extension: str, values: bytes) -> None:
    with served(tmp_path) as server:
        server.post(LINE.format("first").encode())
        before = server.megabytes
        for start in range(0, 60, 10):
            calls = (f"forged-{start + number}" for number in range(10))
            server.post_all(
                [LINE.format(call).encode() + extension.encode() + b"&" + values for call in calls]
            )

        assert server.megabytes - before < 120


@pytest.mark.slow
def test_small_forged_calls_take_a_bounded_memory(tmp_path: Path) -> None:
    settings = "{'request_limits': RequestLimits(unanswered_calls=100)}"
    with served(tmp_path, settings=settings) as server:
        for start in (0, 100):
            server.post_all([LINE.format(f"a{start + number}").encode() for number in range(100)])
        before = server.megabytes
        for start in range(0, 3000, 100):
            server.post_all([LINE.format(f"b{start + number}").encode() for number in range(50)])
            server.post_all(
                [LINE.format(f"c{start + number}").encode() + b"&hangup=yes" for number in range(50)]
            )

        assert server.megabytes - before < 8


@pytest.mark.slow
def test_a_body_without_an_end_is_read_up_to_a_bound(server: Served) -> None:
    connection = server.connect(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    sent = 0
    while sent < 512 and not select.select([connection], [], [], 0)[0]:
        connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        sent += 1

    assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
    assert sent < 256


def exchange(server: Served, head: bytes, rest: bytes = b"") -> bytes:
    """Send a request and more, as far as the server lets it; return all that it answers.

    Raises:
        ConnectionError: the server has reset the connection: over a slow network the response would be lost.
    """
    connection = server.connect(head)
    connection.sendall(rest)
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def post_head(length: int, *more: bytes) -> bytes:
    return b"".join([b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % length, *more, b"\r\n"])


GET = b"GET /?ApiCallId=x HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
MORE = b"x" * 2 * MEGABYTE
ANSWERED_EARLY = {
    "no HTTP": (b"\x00\x01\r\n\r\n", MORE, 400),
    "many headers": (b"GET / HTTP/1.1\r\n", b"X-A: y\r\n" * 100_000, 400),
    "a long line": (b"GET /?", MORE, 400),
    "a long header": (GET + b"X: ", MORE, 400),
    "two lengths": (post_head(len(MORE), b"Content-Length: 5\r\n"), MORE, 400),
    "no chunk": (CHUNKED + b"zz\r\n", MORE, 400),
    "a method": (post_head(len(MORE)).replace(b"POST", b"PUT", 1), MORE, 405),
    "an upgrade": (GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", MORE, 400),
    "requests after an error": (GET.replace(b"GET", b"PUT", 1) + b"\r\n", (GET + b"\r\n") * 20_000, 405),
    "requests after the last": (GET + b"Connection: close\r\n\r\n", (GET + b"\r\n") * 20_000, 200),
    "HTTP/1.0": (GET.replace(b"1.1", b"1.0", 1) + b"\r\n", MORE, 200),
    "expected": (post_head(20 * MEGABYTE, b"Expect: 100-continue\r\n"), b"x" * 9 * MEGABYTE, 100),
}


@pytest.mark.slow
@pytest.mark.parametrize(("head", "rest", "status"), ANSWERED_EARLY.values(), ids=ANSWERED_EARLY)
def test_a_client_that_still_sends_gets_its_response(
    server: Served, head: bytes, rest: bytes, status: int
) -> None:
    for _ in range(5):
        assert exchange(server, head, rest).startswith(b"HTTP/1.1 %d " % status)


def chunked(body: bytes, *, extension: bytes = b"", trailers: bytes = b"") -> bytes:
    chunk = b"%x%s\r\n%s\r\n" % (len(body), extension, body)
    return CHUNKED.replace(b"Host", b"Connection: close\r\nHost") + chunk + b"0\r\n" + trailers + b"\r\n"


def posted(body: bytes, *headers: bytes) -> bytes:
    return post_head(len(body), b"Connection: close\r\n", *headers) + body


CALL = LINE.format("strange").encode()
ASKS = b"GET /?" + CALL + b" HTTP/1.1\r\nConnection: close\r\n"
WELL, REFUSED_TEXT = "שלום", "סליחה"
STRANGE: dict[str, tuple[bytes, int, str]] = {
    "an absolute target": (ASKS.replace(b"/?", b"http://other.example/?", 1) + b"Host: x\r\n\r\n", 200, WELL),
    "an authority": (ASKS.replace(b"/?", b"//other/..%2f?", 1) + b"Host: x\r\n\r\n", 200, WELL),
    "a target that is not ASCII": ("GET /א".encode() + ASKS[5:] + b"Host: x\r\n\r\n", 400, ""),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 405, ""),
    "a tunnel": (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 405, ""),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 405, ""),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500, 400, ""),
    "a proxy's greeting": (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n" + ASKS + b"\r\n", 400, ""),
    "an IPv6 host": (ASKS + b"Host: [::1]:80\r\n\r\n", 200, WELL),
    "a host of control characters": (ASKS + b"Host: \0\xff\r\n\r\n", 400, ""),
    "no host": (ASKS + b"\r\n", 400, ""),
    "two hosts": (ASKS + b"Host: a\r\nHost: b\r\n\r\n", 400, ""),
    "a header without a colon": (ASKS + b"Host: x\r\nabc\r\n\r\n", 400, ""),
    "a NUL in a header": (ASKS + b"Host: x\r\nX: a\0b\r\n\r\n", 400, ""),
    "4,000 headers": (ASKS + b"Host: x\r\n" + b"X-A: y\r\n" * 4_000 + b"\r\n", 200, WELL),
    "lines without returns": (ASKS.replace(b"\r", b"") + b"Host: x\n\n", 200, WELL),
    "two equal lengths": (
        post_head(5, b"Content-Length: 5\r\nConnection: close\r\n") + b"a=bcd",
        200,
        REFUSED_TEXT,
    ),
    "a negative length": (post_head(-1), 400, ""),
    "a length of 30 digits": (post_head(10**30), 400, ""),
    "a length and chunks": (chunked(CALL).replace(b"Host", b"Content-Length: 5\r\nHost", 1), 200, WELL),
    "a coding that is none": (chunked(CALL).replace(b"chunked", b"gzip, chunked", 1), 400, ""),
    "chunks": (chunked(CALL), 200, WELL),
    "an extension of a chunk": (chunked(CALL, extension=b";a=" + b"x" * 10_000), 200, WELL),
    "trailers": (chunked(CALL, trailers=b"X: y\r\n" * 50), 200, WELL),
    "too many trailers": (chunked(CALL, trailers=b"X: yyyyyyyyyyyyyyyyyyyy\r\n" * 20_000), 400, ""),
    "a compressed body": (posted(b"\x1f\x8b\x08\0", b"Content-Encoding: gzip\r\n"), 200, REFUSED_TEXT),
    "JSON": (posted(b'{"ApiCallId": "1"}', b"Content-Type: application/json\r\n"), 200, REFUSED_TEXT),
    "UTF-16": (posted(CALL.decode().encode("utf-16")), 200, REFUSED_TEXT),
    "a list of ids": (posted(b"ApiCallId[]=a&ApiCallId[b]=c"), 200, REFUSED_TEXT),
    "an id of 10 MB": (posted(b"ApiCallId=" + b"x" * 10_000_000), 413, ""),
    "two ids": (posted(CALL + b"&ApiCallId=other"), 200, WELL),
    "names of control characters": (posted(CALL + b"&ai_1%0aX=1&%00=2&=3&&&=&"), 200, WELL),
    "an extension with a line end": (posted(CALL + b"%0aFAKE%1b[2J"), 200, "השלוחה אינה קיימת"),
    "a hang-up in capitals": (posted(CALL + b"&hangup=YES"), 200, WELL),
}


@pytest.mark.slow
@pytest.mark.parametrize(("request_bytes", "status", "heard"), STRANGE.values(), ids=STRANGE)
def test_a_strange_request_gets_a_status_and_breaks_nothing(
    server: Served, request_bytes: bytes, status: int, heard: str
) -> None:
    answer = exchange(server, request_bytes)

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert heard in answer.decode()
    assert WELL in server.post(LINE.format("honest").encode()).body.decode()
    log = server.log.read_bytes()
    assert not [part for part in (b"Traceback", b"\x1b", b"\nFAKE") if part in log]


@pytest.mark.slow
def test_hundreds_of_hang_ups_of_one_call_end_it_once_and_delay_nobody(server: Served) -> None:
    call = LINE.format("stormed").encode()
    server.post(call)
    for _ in range(4):
        assert server.post_all([call + b"&hangup=yes"] * 50) == [200] * 50

    assert server.post(call).body == b"go_to_folder=hangup"
    assert server.log.read_text().count("call stormed: over") <= 1


@pytest.mark.slow
@pytest.mark.parametrize("length", [0, 200_000, 5 * MEGABYTE])
def test_a_client_gets_its_refusal_if_all_connections_are_busy(tmp_path: Path, length: int) -> None:
    with served(tmp_path, "--limit-connections", "2") as server, ThreadPoolExecutor(20) as pool:
        for number in range(2):
            query = (LINE + "&ai_1=" + quote_plus("חשוב 60")).format(number).encode()
            server.connect(b"GET /?" + query + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: server.log.read_text().count("asked") == 2)
        refused = [pool.submit(exchange, server, post_head(length), b"x" * length) for _ in range(20)]

        assert {answer.result()[:13] for answer in refused} == {b"HTTP/1.1 503 "}


@pytest.mark.slow
def test_what_is_no_http_after_a_response_leaves_no_traceback(server: Served) -> None:
    call = LINE.format("garbage").encode()
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    connection = server.connect(CHUNKED.replace(b"/", b"/?" + call, 1) + chunk * 140)
    assert connection.recv(12) == b"HTTP/1.1 200"
    connection.sendall(b"zzzz\r\n" * 3)
    while connection.recv(1000):
        pass

    assert "Traceback" not in server.log.read_text()


@pytest.mark.slow
def test_a_body_that_becomes_no_http_leaves_no_traceback(tmp_path: Path) -> None:
    with served(tmp_path, settings="{'request_limits': RequestLimits(body_seconds=0.3)}") as server:
        assert exchange(server, CHUNKED + b"5\r\nApiCa\r\n", b"zzzz\r\n").startswith(b"HTTP/1.1 400 ")
        waiting = server.connect(CHUNKED + b"zzzz\r\n")
        while waiting.recv(1000):
            pass
        assert server.post(LINE.format("next").encode()).status == 200
        server.end(signal.SIGTERM, within=20)

        assert "Traceback" not in server.log.read_text()


@pytest.mark.slow
def test_refused_requests_do_not_fill_the_log(guarded: Served) -> None:
    before = guarded.log.stat().st_size
    for start in range(0, 1000, 50):
        guarded.post_all([LINE.format(f"r{start + number}").encode() for number in range(50)])

    assert guarded.log.stat().st_size - before < 5000
