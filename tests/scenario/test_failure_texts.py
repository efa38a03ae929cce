"""A failed scenario is explained to readers who know no Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.support.scenario_calls import answering, failure_of, play_turns
from yemot_ai_testing.doubles.script import RecordedRequest, Script
from yemot_ai_testing.doubles.steps import Step
from yemot_ai_testing.scenario.play.checks.verb_hints import as_scenario_keys


class UnusedScript:
    """A double that nothing asks."""

    requests: Sequence[RecordedRequest] = ()

    def __init__(self) -> None:
        self._script = Script()

    def add(self, step: Step) -> None:
        self._script.add(step)

    def assert_complete(self) -> None:
        self._script.assert_complete()


class Statuses(BaseHTTPRequestHandler):
    """Answers ``/404`` with status 404."""

    def do_GET(self) -> None:
        self.send_response(int(self.path[1:4]))
        self.send_header("Location", "/200")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """A server in another process, as the line sees it."""
    http_server = ThreadingHTTPServer(("127.0.0.1", 0), Statuses)
    thread = Thread(target=http_server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{http_server.server_port}"
    http_server.shutdown()
    http_server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (
            404,
            "the server answered with HTTP status 404 at /404; answer with HTTP status 200 and nothing else",
        ),
        (
            404,
            "/yemot; in a scenario serve: {command: …, path: /yemot}",
        ),
        (
            405,
            "; the line sends GET; for POST write api_url_post=yes, here caller: {method: POST}",
        ),
        (
            201,
            "; a line that takes it is caller: {line: {accept_any_2xx: true}}; answer with HTTP status 200",
        ),
        (302, " to /200; a line that follows it is caller: {line: {follow_redirects: true}}; answer with"),
    ],
)
def test_a_wrong_status_says_what_to_change(server: str, status: int, message: str) -> None:
    kind, messages = failure_of(play_turns("[{hears: א}]", f"{server}/{status}"))
    assert kind == "no_answer"
    assert message in messages[0]
    assert "Caller(" not in messages[0]


def test_a_response_stands_before_what_to_change() -> None:
    _, (message,) = failure_of(play_turns("[{hears: {}}]", answering('{"read": "שלום"}')))
    assert message.startswith("not-plain-text: the response starts with '{'; answer with bare text")
    assert message.endswith("""in '{"read": "שלום"}'""")


@pytest.mark.parametrize(
    ("response", "understood"),
    [
        ("read=t-מה=q,no,1,1,7,No,,,,,,True", True),
        ("read=t-מה=q,no,1,1,7,No,,,,,,Ok,None,,no,,,x", True),
        ("read=t-מה=,no,1", False),
        ("play=t-מה", False),
    ],
)
def test_what_a_lenient_line_understands_is_said(response: str, understood: bool) -> None:  # noqa: FBT001 - a test parameter
    kind, messages = failure_of(play_turns("[{hears: {}}]", answering(response)))
    assert kind == "protocol"
    hint = "; a line that ignores it is caller: {line: {lenient: true}}"
    assert messages[0].endswith(hint) == understood


@pytest.mark.parametrize(
    ("agent", "written"),
    [
        ("{answers: ב}", '{answers: ["ב"]}'),
        ("{answers: [ב, ג], after: 2s}", '{answers: ["ב", "ג"], after: 2s}'),
        ("{fails: rate_limited}", '{fails: "rate_limited"}'),
        ("{hangs: true}", "{hangs: true}"),
    ],
)
def test_an_unused_step_is_shown_as_a_file_writes_it(agent: str, written: str) -> None:
    result = play_turns(
        f"[{{says: א, agent: {agent}}}]", answering("read=t-מה=q,no,voice"), double=UnusedScript()
    )
    kind, messages = failure_of(result)
    assert (kind, messages[1]) == ("script", f"  unused step: {written}")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("use says(…), presses(…) or silent()", "use says: …, presses: … or silent: true"),
        (
            "pass remote=True if that is meant, or servers={…} to a tree of extensions",
            "set the ini key yemot_remote = true if that is meant",
        ),
        (
            "it is elsewhere; remote=True allows it",
            "it is elsewhere; the ini key yemot_remote = true allows it",
        ),
        ("hangs_up() ends it", "hangs_up: true ends it"),
        (
            "your code called open(), close(1) and is_silent()",
            "your code called open(), close(1) and is_silent()",
        ),
        ("strict=True", "strict=True"),
    ],
)
def test_only_verbs_and_settings_of_the_line_are_rewritten(message: str, text: str) -> None:
    assert as_scenario_keys(message) == text


@pytest.mark.parametrize(
    ("hears", "message"),
    [
        ("{goto: /1}", "no go_to_folder=/1, but hangup"),
        ("{play: [d-12]}", "no id_list_message plays d-12, but t-שלום.d-012"),
        ("{play: [t-שלום, d-12]}", "no id_list_message plays t-שלום.d-12, but t-שלום.d-012"),
    ],
)
def test_an_action_that_differs_is_shown_as_the_server_may_write_it(hears: str, message: str) -> None:
    app = answering("id_list_message=t-שלום.d-012&go_to_folder=hangup")
    assert failure_of(play_turns(f"[{{hears: {hears}}}]", app)) == ("response", (message,))


@pytest.mark.parametrize(
    ("hears", "message"),
    [
        ("{goto: /1}", "no go_to_folder=/1, but none at all"),
        ("{play: t-א}", "no id_list_message plays t-א, but none at all"),
    ],
)
def test_an_action_that_is_missing_is_named(hears: str, message: str) -> None:
    assert failure_of(play_turns(f"[{{hears: {hears}}}]", answering("read=t-מה=q,no,voice"))) == (
        "response",
        (message,),
    )
