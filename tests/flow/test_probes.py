"""Probes of an operator, and a person with a browser: requests that are not the line's."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import MutableMapping
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from yemot_ai import AccessPolicy, AIFlow, AsyncAICall, YemotAI
from yemot_ai.errors import CodexNotFoundError, StoreError
from yemot_ai.flow import readiness
from yemot_ai.providers import JSON, FallbackProvider, Reply
from yemot_ai.sessions import MemoryStore

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

Answer = tuple[int, dict[str, str], str]


class Model:
    """Answers in real time, when it is allowed to."""

    name = "model"

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()

    async def start_session(self, prompt: str, **_: Any) -> Reply:  # noqa: ANN401 - not used
        self.asked.set()
        await asyncio.to_thread(self.may_answer.wait, 10)
        return Reply("תשובה", "1")

    async def continue_session(self, session: JSON, prompt: str, **_: Any) -> Reply:  # noqa: ANN401 - not used
        return await self.start_session(prompt)


class CheckedModel(Model):
    """Fails its check as it is told to."""

    def __init__(self, failure: Exception | None = None) -> None:
        super().__init__()
        self.failure = failure
        self.checks = 0

    def check(self) -> None:
        self.checks += 1
        if self.failure is not None:
            raise self.failure


class CheckedStore(MemoryStore):
    """A store whose check fails, or never ends."""

    def __init__(self, *, hangs: bool = False) -> None:
        super().__init__()
        self.hangs = hangs

    async def check(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        raise StoreError("Redis at redis://user:password@host does not answer")


def flow_with(provider: Any = None, store: MemoryStore | None = None) -> AIFlow:  # noqa: ANN401 - a provider
    flow = AIFlow(YemotAI(provider=provider or Model(), store=store))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    return flow


def over_wsgi(app: Any, path: str, query: str = "", accept: str = "*/*", method: str = "GET") -> Answer:  # noqa: ANN401 - an application
    seen: list[tuple[str, list[tuple[str, str]]]] = []
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_ACCEPT": accept,
        "wsgi.input": BytesIO(),
    }
    body = b"".join(app(environ, lambda status, headers: seen.append((status, headers))))
    status, headers = seen[0]
    return int(status.split()[0]), {name.lower(): value for name, value in headers}, body.decode()


def over_asgi(app: Any, path: str, query: str = "", accept: str = "*/*", method: str = "GET") -> Answer:  # noqa: ANN401 - an application
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"accept", accept.encode())],
    }
    asyncio.run(app(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, sent[1]["body"].decode()


def ask(flow: AIFlow, mount: str, path: str, **how: str) -> Answer:
    return over_wsgi(flow.wsgi_app, path, **how) if mount == "wsgi" else over_asgi(flow.asgi_app, path, **how)


both = pytest.mark.parametrize("mount", ["wsgi", "asgi"])


@both
def test_a_server_that_answers_is_alive(mount: str) -> None:
    status, headers, body = ask(flow_with(), mount, "/healthz")

    assert (status, json.loads(body)) == (200, {"status": "alive"})
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-store"


@both
def test_a_server_whose_store_and_provider_work_is_ready(mount: str) -> None:
    status, _, body = ask(flow_with(CheckedModel()), mount, "/readyz")

    assert status == 200
    assert json.loads(body) == {
        "status": "ready",
        "checks": {"engine": "ok", "store": "ok", "provider model": "ok"},
    }


@both
def test_a_provider_that_cannot_answer_is_a_reason_without_secrets(mount: str) -> None:
    flow = flow_with(CheckedModel(CodexNotFoundError("/secret/codex")))
    status, _, body = ask(flow, mount, "/readyz")

    assert status == 503
    assert json.loads(body)["checks"]["provider model"] == "codex_not_found"
    assert "secret" not in body


def test_a_provider_whose_check_is_broken_is_not_ready() -> None:
    _, _, body = ask(flow_with(CheckedModel(ValueError("secret"))), "wsgi", "/readyz")

    assert json.loads(body)["checks"]["provider model"] == "provider"
    assert "secret" not in body


def test_a_fallback_is_ready_while_one_of_its_providers_is() -> None:
    broken, working = CheckedModel(CodexNotFoundError("codex")), CheckedModel()

    assert ask(flow_with(FallbackProvider([broken, working])), "wsgi", "/readyz")[0] == 200
    assert ask(flow_with(FallbackProvider([broken, broken])), "wsgi", "/readyz")[0] == 503


@both
def test_a_store_that_does_not_work_is_a_reason_without_its_password(
    mount: str, caplog: pytest.LogCaptureFixture
) -> None:
    status, _, body = ask(flow_with(store=CheckedStore()), mount, "/readyz")

    assert (status, json.loads(body)["checks"]["store"]) == (503, "unavailable")
    assert "password" not in body + caplog.text
    assert "not ready: store: unavailable" in caplog.text


@both
def test_a_store_that_does_not_answer_is_given_up_after_a_bound(
    mount: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "CHECK_SECONDS", 0.05)
    status, _, body = ask(flow_with(store=CheckedStore(hangs=True)), mount, "/readyz")

    assert (status, json.loads(body)["checks"]["store"]) == (503, "timeout")


def test_who_asks_often_gets_the_last_result() -> None:
    provider = CheckedModel()
    flow = flow_with(provider)
    for _ in range(20):
        ask(flow, "wsgi", "/readyz")

    assert provider.checks == 1


@pytest.mark.slow
@both
def test_a_blocked_event_loop_is_not_ready_but_alive(mount: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "ENGINE_SECONDS", 0.2)
    flow, blocked, may_continue = flow_with(), threading.Event(), threading.Event()

    @flow.get("blocking")
    async def blocking(call: AsyncAICall) -> None:
        blocked.set()
        may_continue.wait(10)
        call.hangup()

    thread = threading.Thread(target=flow.handle_request, args=("ApiCallId=c1&ApiExtension=blocking",))
    thread.start()
    assert blocked.wait(10)
    alive, ready = ask(flow, mount, "/healthz"), ask(flow, mount, "/readyz")
    may_continue.set()
    thread.join()

    assert alive[0] == 200
    assert (ready[0], json.loads(ready[2])["checks"]) == (503, {"engine": "blocked"})


def test_a_process_that_waits_for_its_last_turns_is_not_ready() -> None:
    model = Model()
    flow = flow_with(model)
    asking = flow.ai.engine.submit(flow.ai.aask("c1", "שלום"))
    assert model.asked.wait(10)
    draining = flow.ai.engine.submit(flow.ai.adrain(10))
    status, _, body = ask(flow, "wsgi", "/readyz")
    model.may_answer.set()
    asking.result(10)
    draining.result(10)

    assert (status, json.loads(body)["checks"]) == (503, {"engine": "ending"})
    assert ask(flow, "wsgi", "/readyz")[0] == 200


@both
@pytest.mark.parametrize("path", ["/", "/yemot", "/healthz/", "/line/secret"])
def test_a_browser_gets_a_page_at_every_path(mount: str, path: str) -> None:
    status, headers, body = ask(flow_with(), mount, path, accept=BROWSER)

    assert status == 200
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert "השרת פעיל" in body
    assert "The server is up" in body


class Resources(HTMLParser):
    """Collects what a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [value or "" for name, value in attrs if name in {"src", "href"}]


def test_the_page_loads_nothing_and_repeats_nothing_of_the_request() -> None:
    flow = flow_with()
    flow.access = AccessPolicy(secret="only-the-line-knows")  # noqa: S106 - of the test
    _, _, body = ask(flow, "wsgi", "/only-the-line-knows", query="x=<script>", accept=BROWSER)
    page = Resources()
    page.feed(body)

    assert page.loaded == ["data:,"]
    assert not re.search(r"https?:|url\(|@import|<script", body)
    assert "only-the-line-knows" not in body


@both
@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
@pytest.mark.parametrize("query", ["ApiCallId=c1", "x=1&ApiYFCallId=c1", "secret=x?ApiCallId=c1"])
def test_a_request_of_the_line_goes_to_the_flow_at_every_path(mount: str, path: str, query: str) -> None:
    status, headers, body = ask(flow_with(), mount, path, query=query, accept=BROWSER)

    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert body.startswith("read=t-שלום=ai_1")


@both
@pytest.mark.parametrize("path", ["/", "/healthz"])
def test_a_post_is_the_lines(mount: str, path: str) -> None:
    _, headers, body = ask(flow_with(), mount, path, accept=BROWSER, method="POST")

    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert body.startswith("id_list_message=")


@both
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/"])
def test_head_has_the_headers_without_a_body(mount: str, path: str) -> None:
    status, headers, body = ask(flow_with(), mount, path, accept=BROWSER, method="HEAD")

    assert (status, body) == (200, "")
    assert int(headers["content-length"]) > 0


@both
def test_another_path_without_a_browser_is_the_lines(mount: str) -> None:
    assert ask(flow_with(), mount, "/health")[2].startswith("id_list_message=")
    assert ask(flow_with(), mount, "/yemot/healthz")[2].startswith("id_list_message=")


def test_below_the_path_of_a_framework_the_probes_are_there_and_the_frameworks_own_stay() -> None:
    app = Starlette(routes=[Mount("/yemot", flow_with().asgi_app)])

    assert json.loads(over_asgi(app, "/yemot/healthz")[2]) == {"status": "alive"}
    assert "השרת פעיל" in over_asgi(app, "/yemot/", accept=BROWSER)[2]
    assert over_asgi(app, "/yemot/", query="ApiCallId=c1")[2].startswith("read=")
    assert over_asgi(app, "/healthz")[0] == 404


def test_alive_does_not_wait_for_the_engine() -> None:
    flow, began = flow_with(store=CheckedStore(hangs=True)), time.monotonic()

    assert ask(flow, "wsgi", "/healthz")[0] == 200
    assert time.monotonic() - began < 1
