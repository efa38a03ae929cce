"""``yemot-ai doctor --url``."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIServer
from wsgiref.types import StartResponse, WSGIApplication

import pytest

from tests.doctor.conftest import FLOW, Serve, WriteModule
from tests.support.not_run import not_run
from yemot_ai import AccessPolicy, AIFlow
from yemot_ai.cli.load_flow import load_flow
from yemot_ai.doctor import Finding
from yemot_ai.doctor.addresses import check_address
from yemot_ai_testing import FakeCodex

SECRET = "only-the-line-knows"  # noqa: S105 - of no line
ANSWER = "read=t-שלום=menu,no,1,1,7,No".encode()


def app(
    body: bytes = ANSWER, status: str = "200 OK", **headers: str
) -> tuple[WSGIApplication, list[tuple[str, str, str]]]:
    """Return an application with one answer, and the requests that it gets: method, query, body."""
    requests: list[tuple[str, str, str]] = []

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        sent = environ["wsgi.input"].read(length).decode()
        requests.append((environ["REQUEST_METHOD"], environ["QUERY_STRING"], sent))
        own = {"Content-Type": "text/plain; charset=utf-8"}
        start_response(status, [*{**own, **{k.replace("_", "-"): v for k, v in headers.items()}}.items()])
        return [body]

    return answer, requests


def check(url: str, flow: AIFlow | None = None) -> dict[str, Finding]:
    """Return the findings that are not about the address of this machine."""
    return {
        finding.check: finding
        for finding in check_address(url, flow)
        if "this machine" not in finding.message and "http://" not in finding.message
    }


def test_an_answer_that_the_line_takes_is_shown(serve: Serve) -> None:
    found = check(serve(app()[0]))
    assert {name: finding.level for name, finding in found.items()} == {"url GET": "ok", "url POST": "ok"}
    assert "read=t-שלום=menu" in found["url GET"].message


def test_each_call_is_made_as_the_line_makes_it_and_hung_up(serve: Serve) -> None:
    answer, requests = app()
    check(f"{serve(answer)}?room=5")
    assert [(method, "hangup=yes" in f"{query}{body}") for method, query, body in requests] == [
        ("GET", False),
        ("GET", True),
        ("POST", False),
        ("POST", True),
    ]
    assert requests[0][1].startswith("room=5?ApiCallId=doctor")
    assert requests[2][1] == "room=5"
    assert requests[2][2].startswith("ApiCallId=doctor")
    assert all("ApiExtension=&" in f"{query}{body}" for _, query, body in requests)


@pytest.mark.parametrize(
    ("answer", "level", "reason"),
    [
        (app(status="404 Not Found"), "error", "status 404"),
        (app(status="500 Internal Server Error"), "error", "status 500"),
        (app(status="403 Forbidden"), "error", "status 403"),
        (
            app(status="302 Found", Location="https://a.example/x"),
            "error",
            "a redirect to https://a.example/x",
        ),
        (app(body="שלום".encode("windows-1255")), "error", "not UTF-8"),
    ],
    ids=["404", "500", "403", "redirect", "encoding"],
)
def test_an_answer_that_the_line_does_not_take_is_an_error(
    serve: Serve, answer: tuple[WSGIApplication, object], level: str, reason: str
) -> None:
    found = check(serve(answer[0]))
    assert {finding.level for finding in found.values()} == {level}
    assert all(reason in finding.message and finding.remedy for finding in found.values())


@pytest.mark.parametrize(
    ("body", "level"),
    [(b"<h1>hello</h1>", "error"), (b"", "error"), ("id_list_message=t-א".encode(), "warning")],
)
def test_the_answer_is_checked_by_the_lint(serve: Serve, body: bytes, level: str) -> None:
    found = check(serve(app(body)[0]))
    assert found["url GET answer"].level == level


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json"])
def test_a_content_type_that_is_no_plain_text_is_a_warning(serve: Serve, kind: str) -> None:
    url = serve(app(Content_Type=kind)[0])
    messages = [finding.message for finding in check_address(url, None) if finding.level == "warning"]
    assert f"{kind}: the line wants plain text [OFF]" in messages


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/x", "refuses the connection"),
        ("http://no-such-host.invalid/x", "is not known"),
        ("ftp://127.0.0.1/x", "no http(s) URL"),
        ("127.0.0.1:8000", "no http(s) URL"),
    ],
)
def test_an_address_without_a_server_is_one_error(url: str, reason: str) -> None:
    (finding,) = [each for each in check_address(url, None) if each.level == "error"]
    assert reason in finding.message


def test_a_port_without_tls_is_an_error(serve: Serve) -> None:
    url = serve(app()[0]).replace("http://", "https://")
    assert "no TLS at 127.0.0.1" in check(url)["url GET"].message


def certificate(folder: Path, days: int) -> Callable[[WSGIServer], None]:
    """Return what gives a server a new certificate, which ``cert.pem`` has."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    name = ["-addext", "subjectAltName=IP:127.0.0.1"]
    try:
        subprocess.run([*command, *files, *name, "-days", str(days)], check=True, capture_output=True)
    except FileNotFoundError as error:
        not_run("the tests of certificates", error)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    def wrap(server: WSGIServer) -> None:
        server.socket = context.wrap_socket(server.socket, server_side=True)

    return wrap


@pytest.mark.slow
def test_a_certificate_without_a_trusted_signature_is_an_error(serve: Serve, tmp_path: Path) -> None:
    url = serve(app()[0], certificate(tmp_path, 90)).replace("http://", "https://")
    finding = check(url)["url GET"]
    assert (finding.level, "self-signed" in finding.message) == ("error", True)


@pytest.mark.slow
@pytest.mark.parametrize(("days", "warns"), [(3, True), (90, False)])
def test_a_certificate_that_ends_soon_is_a_warning(
    serve: Serve,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    days: int,
    warns: bool,  # noqa: FBT001 - parametrized
) -> None:
    url = serve(app()[0], certificate(tmp_path, days)).replace("http://", "https://")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    found = check(url)
    assert found["url GET"].level == "ok"
    assert ("url certificate" in found) == warns


@pytest.fixture
def flow(write_module: WriteModule) -> AIFlow:
    """A flow that requires a secret."""
    module = write_module(f"{FLOW}flow.add_route('5', lambda call: call.read('שלום'))\n")
    flow = load_flow(module)
    flow.access = AccessPolicy(secret=SECRET)
    return flow


def test_a_flow_is_called_with_its_secret_and_refuses_a_call_without(serve: Serve, flow: AIFlow) -> None:
    found = check(serve(flow.wsgi_app), flow)
    assert {name: finding.level for name, finding in found.items()} == dict.fromkeys(
        ["url GET", "url GET secret", "url POST", "url POST secret"], "ok"
    )
    assert SECRET not in str(found)
    assert flow.ai.open_calls() == 0


def test_a_server_that_answers_without_the_secret_is_an_error(serve: Serve, flow: AIFlow) -> None:
    finding = check(serve(app()[0]), flow)["url GET secret"]
    assert (finding.level, finding.message) == ("error", "a call without the secret is answered")


def test_a_server_that_requires_another_secret_is_an_error(
    serve: Serve, flow: AIFlow, write_module: WriteModule
) -> None:
    other = load_flow(write_module(f"{FLOW}flow.add_route('5', lambda call: None)\n"))
    other.access = AccessPolicy(secret="another-secret")  # noqa: S106 - of no line
    found = check(serve(other.wsgi_app), flow)
    assert found["url GET"].message == "the call is refused"
    assert "url GET secret" not in found


def test_a_secret_in_the_path_is_not_left_out(serve: Serve, flow: AIFlow) -> None:
    found = check(f"{serve(flow.wsgi_app)}/{SECRET}", flow)
    assert list(found) == ["url GET", "url POST"]


def test_a_number_that_may_call_is_used(serve: Serve, flow: AIFlow) -> None:
    flow.access = AccessPolicy(allow=["0501234567"])
    assert check(serve(flow.wsgi_app), flow)["url GET"].level == "ok"


def test_an_address_of_this_machine_is_called_with_a_warning(serve: Serve, fake_codex: FakeCodex) -> None:
    messages = [finding.message for finding in check_address(serve(app()[0]), None)]
    assert "127.0.0.1 is an address of this machine or network: the line cannot reach it" in messages
