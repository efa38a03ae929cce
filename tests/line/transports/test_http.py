"""HTTP between the line and a server: links, statuses and redirects."""

from __future__ import annotations

import base64
import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, IncompleteRead
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote

import flask
import pytest
from werkzeug.serving import make_server

from tests.line.apps import ASK, Script
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import Caller, Line, ScriptedProvider
from yemot_ai_testing.errors import AppError, LineError
from yemot_ai_testing.line.platform.extension import Extension
from yemot_ai_testing.line.platform.tree import ExtensionTree
from yemot_ai_testing.line.transports.http import HTTPTransport
from yemot_ai_testing.line.transports.http_exchange import MAX_REDIRECTS, header_text
from yemot_ai_testing.line.transports.transport import Method
from yemot_ai_testing.line.transports.urls import http_url, percent_encoded

SHALOM = "%D7%A9%D7%9C%D7%95%D7%9D"
Reply = tuple[int, dict[str, str], str]
"""Status, headers, body."""


class Web:
    """Web pages by path, and the requests that came."""

    def __init__(self, pages: dict[str, Reply]) -> None:
        self.pages = pages
        self.requests: list[tuple[str, str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.port = 0

    @property
    def paths(self) -> list[str]:
        """The paths of the requests, without their queries."""
        return [path.partition("?")[0] for _, path, _ in self.requests]

    def url(self, path: str) -> str:
        """Return the URL of a page."""
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def web(pages: dict[str, Reply]) -> Iterator[Web]:
    """Serve ``pages`` on this machine."""
    served = Web(pages)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            served.requests.append((self.command, self.path, self.rfile.read(length).decode()))
            served.headers.append(dict(self.headers))
            status, headers, body = served.pages[self.path.partition("?")[0]]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value.encode().decode("latin-1"))
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET  # noqa: N815 - the name that BaseHTTPRequestHandler expects

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.port = httpd.server_port
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield served
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def redirect(location: str, status: int = 302) -> Reply:
    return status, {"Location": location}, ""


# -- links


@pytest.mark.parametrize(
    ("link", "path"),
    [
        pytest.param("/שלום", f"/{SHALOM}", id="Hebrew"),
        pytest.param("/a b", "/a%20b", id="a space"),
        pytest.param(f"/{SHALOM}", f"/{SHALOM}", id="encoded already"),
        pytest.param("/100%", "/100%", id="a lone percent sign"),
        pytest.param("/a%20b c", "/a%20b%20c", id="partly encoded"),
        pytest.param("/a/../b;c=1,d@e:f", "/a/../b;c=1,d@e:f", id="characters of paths"),
        pytest.param("/x#part", "/x", id="a fragment is not sent"),
        pytest.param("", "/", id="no path"),
        pytest.param("/x ", "/x", id="white space around it"),
        pytest.param("/x\n", "/x", id="a line end"),
    ],
)
def test_a_link_is_sent_as_a_browser_sends_it(link: str, path: str) -> None:
    with web({path: (200, {}, ASK)}) as served:
        assert Caller(served.url(link)).dial() == "מה"
    assert served.paths == [path]


@pytest.mark.parametrize(
    ("query", "sent"),
    [("סוד=א ב", "%D7%A1%D7%95%D7%93=%D7%90%20%D7%91"), ("a=%20", "a=%20"), ("a=1+2&b", "a=1+2&b")],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_query_of_a_link_is_percent_encoded_once(query: str, sent: str, method: Method) -> None:
    with web({"/y": (200, {}, ASK)}) as served:
        Caller(served.url(f"/y?{query}"), method=method).dial()
    _, path, body = served.requests[0]
    assert path.startswith(f"/y?{sent}")
    assert "ApiCallId=" in (body if method == "POST" else path.removeprefix(f"/y?{sent}?"))


def test_a_hangup_link_with_hebrew_is_called() -> None:
    with web({f"/{SHALOM}": (200, {}, "noop=x")}) as served:
        extension = Extension(link="http://h/", hangup_link=served.url("/שלום"))
        caller = Caller(Line(ExtensionTree({"": extension}), servers={"http://h/": Script(ASK)}))
        caller.dial()
        caller.hangs_up()
    assert served.paths == [f"/{SHALOM}"]
    assert caller.problems == ()


def test_the_query_of_an_application_in_this_process_may_be_hebrew() -> None:
    app = flask.Flask(__name__)

    @app.route("/")
    def yemot() -> str:
        return f"read=t-{flask.request.args['סוד'].partition('?')[0]}=q,no,voice"

    assert Caller(app, query="סוד=א ב").dial() == "א ב"


def test_a_name_and_password_in_a_link_are_sent() -> None:
    with web({"/y": (200, {}, ASK)}) as served:
        Caller(served.url("/y").replace("//", "//דוד:a%40b@")).dial()
    scheme, _, text = served.headers[0]["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(text).decode()) == ("Basic", "דוד:a@b")


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("http://127.0.0.1:99999/", "Port out of range"),
        ("http://127.0.0.1:x/", "Port could not be cast"),
        ("http://[::1/", "Invalid IPv6"),
        ("http:///שלום", "has a host"),
        ("http://a b/", "no name of a host"),
        ("http://a..b/", "label"),
        (f"http://{'a' * 64}.com/", "label"),
        ("ftp://127.0.0.1/", "http(s) url"),
        ("http://שלום.example/", "not on this machine"),
    ],
)
def test_a_link_that_cannot_be_called_is_refused_with_its_reason(link: str, reason: str) -> None:
    with pytest.raises(AppError) as caught:
        Caller(link)
    assert link in str(caught.value)
    assert reason in str(caught.value)


def test_the_name_of_a_host_is_written_in_idna() -> None:
    assert http_url("http://שלום.example:80/").netloc == "xn--9dbne9b.example:80"


def test_an_ipv6_host_keeps_its_brackets() -> None:
    assert http_url("http://user@[::1]:8000/א").netloc == "user@[::1]:8000"


def test_a_lone_surrogate_in_a_link_raises_nothing() -> None:
    assert percent_encoded("/\ud800") == "/%3F"


def test_no_fault_of_the_link_blames_the_application() -> None:
    with web({}) as served:
        url = served.url("/שלום")
    caller = Caller(url, strict=False, hangup_after_goto=False)
    caller.dial()
    (problem,) = caller.problems
    assert problem.code == "unreachable"
    assert "application" not in problem.message + problem.hint


def fail_in_requests(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every request raise ``error``."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(HTTPConnection, "request", fail)


@pytest.mark.parametrize("error", [OSError(), IncompleteRead(b""), ValueError(), UnicodeError()])
def test_an_error_of_a_connection_is_a_fault(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_in_requests(error, monkeypatch)
    fault = HTTPTransport("http://127.0.0.1/").send([], timeout=1).fault
    assert fault is not None
    assert (fault.code, fault.cause) == ("unreachable", error)


def test_an_error_that_no_connection_has_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_in_requests(KeyError("mistake"), monkeypatch)
    with pytest.raises(KeyError, match="mistake"):
        HTTPTransport("http://127.0.0.1/").send([], timeout=1)


# -- statuses


@pytest.mark.parametrize("status", [201, 202, 203, 299])
def test_a_status_of_success_is_an_answer_with_accept_any_2xx(status: int) -> None:
    with web({"/y": (status, {}, ASK)}) as served:
        assert Caller(served.url("/y"), accept_any_2xx=True).dial() == "מה"


@pytest.mark.parametrize("status", [201, 204])
def test_an_empty_body_of_success_is_an_empty_answer(status: int) -> None:
    with web({"/y": (status, {}, "")}) as served:
        caller = Caller(served.url("/y"), accept_any_2xx=True, strict=False, hangup_after_goto=False)
        assert caller.dial() == "M1607 אין מענה משרת API"
    assert [problem.code for problem in caller.problems] == ["empty-answer"]


@pytest.mark.parametrize(
    ("status", "setting"),
    [
        (201, "accept_any_2xx=True"),
        (204, "accept_any_2xx=True"),
        (302, "follow_redirects=True"),
        (308, "follow_redirects=True"),
    ],
)
def test_the_problem_of_a_status_names_the_setting_that_takes_it(status: int, setting: str) -> None:
    with web({"/y": (status, {"Location": "/next"}, "")}) as served:
        caller = Caller(served.url("/y"), strict=False, hangup_after_goto=False)
        assert caller.dial() == "M1607 אין מענה משרת API"
    (problem,) = caller.problems
    assert problem.code == "status"
    assert f"HTTP status {status}" in problem.message
    assert setting in problem.message


@pytest.mark.parametrize(
    ("status", "place"),
    [(300, ""), (304, ""), (400, ""), (404, " at /y"), (405, " at /y"), (500, ""), (503, "")],
)
def test_no_setting_takes_any_other_status(status: int, place: str) -> None:
    with web({"/y": (status, {"Location": "/next"}, "")}) as served:
        caller = Caller(
            served.url("/y"),
            strict=False,
            hangup_after_goto=False,
            accept_any_2xx=True,
            follow_redirects=True,
        )
        caller.dial()
    assert [(problem.code, problem.message) for problem in caller.problems] == [
        ("status", f"the server answered with HTTP status {status}{place}")
    ]


def test_a_server_without_such_a_page_is_told_what_any_language_can_write() -> None:
    with web({"/": (404, {}, "<html>")}) as served:
        with pytest.raises(LineError) as caught:
            Caller(served.url("/")).dial()
        assert caught.value.hint == (
            "answer with HTTP status 200 and nothing else; is the line below a path? Write it into the link, "
            "such as http://127.0.0.1:8000/yemot; in a scenario serve: {command: …, path: /yemot}"
        )


@pytest.mark.parametrize("status", [201, 204, 302, 304])
def test_any_status_that_is_no_error_answers_a_hang_up(status: int) -> None:
    with web({"/y": (200, {}, ASK)}) as served:
        with Caller(served.url("/y")) as caller:
            caller.dial()
            served.pages["/y"] = (status, {}, "")
        assert caller.problems == ()


@pytest.mark.parametrize("status", [404, 500])
def test_an_error_of_the_server_at_a_hang_up_is_a_problem(status: int) -> None:
    with web({"/y": (200, {}, ASK)}) as served:
        caller = Caller(served.url("/y"), strict=False)
        caller.dial()
        served.pages["/y"] = (status, {}, "")
        caller.hangs_up()
    assert [problem.code for problem in caller.problems] == ["status"]


def test_the_encoding_of_the_answer_to_a_hang_up_does_not_matter() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        start_response("200 OK", [])
        return ["שלום".encode("windows-1255")] if "hangup=yes" in environ["QUERY_STRING"] else [ASK.encode()]

    with Caller(app) as caller:
        caller.dial()
    assert caller.problems == ()


def test_the_body_of_an_error_is_no_second_fault() -> None:
    def app(_environ: object, start_response: Callable[..., object]) -> list[bytes]:
        start_response("500 Error", [])
        return ["שגיאה".encode("windows-1255")]

    with pytest.raises(LineError, match="HTTP status 500"):
        Caller(app).dial()


def test_a_wsgi_body_that_is_not_utf8_is_a_fault_of_its_encoding() -> None:
    def app(_environ: object, start_response: Callable[..., object]) -> list[bytes]:
        start_response("200 OK", [])
        return ["read=t-שלום=q,no,voice".encode("windows-1255")]

    with pytest.raises(LineError, match="the answer is not UTF-8 at byte 7") as raised:
        Caller(app).dial()
    assert "=q,no,voice" in raised.value.body


def test_a_compressed_answer_is_said_to_be_one() -> None:
    """[?] What a line does with one is not known."""

    def app(_environ: object, start_response: Callable[..., object]) -> list[bytes]:
        start_response("200 OK", [("Content-Encoding", "gzip")])
        return [gzip.compress(ASK.encode())]

    with pytest.raises(LineError, match=r"the answer is compressed \(gzip\)"):
        Caller(app).dial()


# -- redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location", ["/next", "next", "http://127.0.0.1:{port}/next", "//127.0.0.1:{port}/next"]
)
def test_a_redirect_is_followed(status: int, location: str) -> None:
    with web({"/next": (200, {}, ASK)}) as served:
        served.pages["/y"] = redirect(location.format(port=served.port), status)
        assert Caller(served.url("/y"), follow_redirects=True).dial() == "מה"
    assert served.paths == ["/y", "/next"]


@pytest.mark.parametrize(
    ("status", "method", "has_body"),
    [(301, "GET", False), (302, "GET", False), (303, "GET", False), (307, "POST", True), (308, "POST", True)],
)
def test_a_redirected_post_is_a_get_or_the_same_post(status: int, method: str, has_body: bool) -> None:  # noqa: FBT001 - parametrized
    with web({"/y": redirect("/next?a=1", status), "/next": (200, {}, ASK)}) as served:
        Caller(served.url("/y"), method="POST", follow_redirects=True).dial()
    sent_method, path, body = served.requests[1]
    assert (sent_method, path, body.startswith("ApiCallId=")) == (method, "/next?a=1", has_body)


def test_a_redirect_with_hebrew_is_followed() -> None:
    with web(
        {"/y": redirect("/שלום עולם"), f"/{SHALOM}%20%D7%A2%D7%95%D7%9C%D7%9D": (200, {}, ASK)}
    ) as served:
        assert Caller(served.url("/y"), follow_redirects=True).dial() == "מה"


def test_values_are_sent_to_the_link_again_not_to_the_target_of_an_earlier_redirect() -> None:
    with web({"/y": redirect("/next", 307), "/next": (200, {}, ASK)}) as served:
        caller = Caller(served.url("/y"), follow_redirects=True)
        caller.dial()
        caller.says("שלום")
    assert served.paths == ["/y", "/next"] * 2


def test_five_redirects_in_a_row_are_followed() -> None:
    pages = {f"/{n}": redirect(f"/{n + 1}") for n in range(MAX_REDIRECTS)}
    with web({**pages, f"/{MAX_REDIRECTS}": (200, {}, ASK)}) as served:
        assert Caller(served.url("/0"), follow_redirects=True).dial() == "מה"


def test_a_loop_of_redirects_is_a_problem() -> None:
    with web({"/y": redirect("/y")}) as served:
        caller = Caller(served.url("/y"), follow_redirects=True, strict=False, hangup_after_goto=False)
        assert caller.dial() == "M1607 אין מענה משרת API"
    (problem,) = caller.problems
    assert (problem.code, len(served.requests)) == ("redirect", MAX_REDIRECTS + 1)
    assert "more than 5 redirects in a row; the last one leads to /y" in problem.message


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "without a Location"),
        ({"Location": "http://example.com/y"}, "http://example.com/y, which is not on this machine"),
        ({"Location": "mailto:a@b"}, "cannot be called"),
        ({"Location": "http://127.0.0.1:99999/"}, "Port out of range"),
    ],
)
def test_a_redirect_that_cannot_be_followed_is_a_problem(headers: dict[str, str], reason: str) -> None:
    with web({"/y": (302, headers, "")}) as served:
        caller = Caller(served.url("/y"), follow_redirects=True, strict=False, hangup_after_goto=False)
        caller.dial()
    (problem,) = caller.problems
    assert problem.code == "redirect"
    assert reason in problem.message


def slash_app() -> flask.Flask:
    """Return an application whose root redirects to a path without the slash that Flask adds to it."""
    app = flask.Flask(__name__)

    @app.route("/")
    def root() -> Any:  # noqa: ANN401 - werkzeug's response
        return flask.redirect(f"/yemot?{flask.request.query_string.decode()}", 307)

    @app.route("/yemot/", methods=["GET", "POST"])
    def yemot() -> str:
        return f"read=t-{flask.request.values['ApiPhone']}=q,no,voice"

    return app


def test_the_slash_that_flask_adds_keeps_the_values_of_a_get() -> None:
    server = make_server("127.0.0.1", 0, slash_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/yemot"
        assert Caller(url, "0501", follow_redirects=True).dial() == "0501"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_application_in_this_process_is_redirected_to_itself() -> None:
    assert Caller(slash_app(), "0502", follow_redirects=True).dial() == "0502"


@pytest.mark.parametrize("path", ["/yemot", "/שלום", "/a%20b", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_application_in_this_process_is_called_at_the_path_of_its_link(path: str, method: Method) -> None:
    app = flask.Flask(__name__)
    app.add_url_rule(
        unquote(path) or "/", view_func=lambda: f"read=t-{flask.request.method}=q,no,voice", methods=[method]
    )
    link = f"http://127.0.0.1:8000{path}"
    tree = ExtensionTree({"": Extension(link=f"{link}?secret=1", method=method)})
    assert Caller(Line(tree, servers={link: app})).dial() == method


def test_an_asgi_application_is_called_at_the_path_of_its_link() -> None:
    async def app(scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": f"read=f-{scope['path']}=q,no,voice".encode()})

    tree = ExtensionTree({"": Extension(link="http://127.0.0.1/a/b")})
    assert Caller(Line(tree, servers={"http://127.0.0.1/a/b": app})).dial() == "f-/a/b"


async def redirecting_asgi(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
    body = (await receive())["body"].decode()
    if scope["path"] == "/":
        headers = [(b"Location", "http://localhost/שלום".encode())]
        await send({"type": "http.response.start", "status": 308, "headers": headers})
        await send({"type": "http.response.body"})
        return
    phone = dict(parse_qsl(body))["ApiPhone"]
    await send({"type": "http.response.start", "status": 202})
    await send(
        {"type": "http.response.body", "body": f"read=t-{scope['path'][1:]} {phone}=q,no,voice".encode()}
    )


def test_a_redirect_is_followed_beside_an_application_in_virtual_time() -> None:
    flow = AIFlow(YemotAI(provider=ScriptedProvider()))
    flow.ai_agent("2", greeting="שלום")(lambda _call, _text: None)
    with web({"/y": redirect("/next"), "/next": (200, {}, "go_to_folder=/2")}) as served:
        links = {"1": served.url("/y"), "2": "http://h/"}
        tree = ExtensionTree({path: Extension(link=link) for path, link in links.items()})
        caller = Caller(Line(tree, servers={"http://h/": flow}), extension="1", follow_redirects=True)
        assert caller.dial() == "שלום"


def test_an_asgi_application_is_redirected_to_itself() -> None:
    caller = Caller(redirecting_asgi, "0503", method="POST", follow_redirects=True, accept_any_2xx=True)
    assert caller.dial() == "שלום 0503"


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:8000/y", "https://localhost/y", "http://[::1]/y", "/y", "y"]
)
def test_any_address_on_this_machine_is_the_application_in_this_process(target: str) -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        if environ["PATH_INFO"] == "/y":
            start_response("200 OK", [])
            return [ASK.encode()]
        start_response("302 Found", [("location", target)])
        return []

    assert Caller(app, follow_redirects=True).dial() == "מה"


@pytest.mark.parametrize("target", ["http://example.com/y", "//example.com/y", "http://192.168.0.1/"])
def test_a_redirect_out_of_an_application_in_this_process_is_a_problem(target: str) -> None:
    def app(_environ: object, start_response: Callable[..., object]) -> list[bytes]:
        start_response("302 Found", [("location", target)])
        return []

    caller = Caller(app, follow_redirects=True, strict=False, hangup_after_goto=False)
    caller.dial()
    (problem,) = caller.problems
    assert problem.code == "redirect"
    assert target in problem.message


def test_a_header_of_latin_1_stays_as_it_is() -> None:
    assert header_text("/caf\xe9") == "/caf\xe9"
