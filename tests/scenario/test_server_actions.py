"""``meanwhile: {posts: …}`` and ``{calls: …}``: what happens at the server while a turn runs."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.scenario_calls import Pairs, failure_of, play_turns
from tests.support.waiting_room import GOODBYE, MUSIC, POLL, QUESTION, Room
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import ScriptedProvider
from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.line import CallerActed, ServerActed
from yemot_ai_testing.scenario.format.dump import dumps
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.format.model import InterruptionSpec, ServerAction
from yemot_ai_testing.scenario.play.server_actions import ServerActionError, ServerActions
from yemot_ai_testing.scenario.report.call_record import CallRecord, render_result
from yemot_ai_testing.scenario.report.failure import failure_report
from yemot_ai_testing.scenario.report.html.page import render

PATH = Path("x.call.yaml")


PAGE = """<!doctype html>
<html><head><style>body { color: red }
</style></head><body>
<b>Fatal error</b>: no such room
"""


async def wait() -> None:
    await asyncio.Event().wait()


def begin() -> Iterator[int]:
    yield 1


async def begin_soon() -> AsyncIterator[int]:
    yield 1


def leave() -> None:
    raise SystemExit(3)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    """A room, and the module ``room`` with the functions of its person."""
    module, room = ModuleType("room"), Room()
    seen_calls: list[str] = []

    def open_room() -> None:
        room.set("open", QUESTION)

    async def open_soon() -> None:
        await asyncio.sleep(0)
        room.set("open", QUESTION)

    def open_for(call_id: str) -> None:
        seen_calls.append(call_id)
        room.set("open", QUESTION)

    async def open_for_soon(call_id: str | None = None) -> None:
        seen_calls.append(str(call_id))
        room.set("open", QUESTION)

    def fail() -> None:
        raise KeyError("room 7")

    async def fail_soon() -> None:
        raise KeyError("room 7")

    def two(one: str, other: str) -> None:
        raise AssertionError(one, other)

    for function in (
        open_room,
        open_soon,
        open_for,
        open_for_soon,
        fail,
        fail_soon,
        begin,
        begin_soon,
        wait,
        leave,
        two,
    ):
        setattr(module, function.__name__, function)
    vars(module).update(
        seen_calls=seen_calls,
        number=7,
        close=lambda: room.set("close", GOODBYE),
        busy=lambda: room.set("busy", POLL),
    )
    monkeypatch.setitem(sys.modules, "room", module)
    return room


@pytest.mark.parametrize("waiting", [POLL, MUSIC])
@pytest.mark.parametrize("function", ["open_room", "open_soon", "open_for", "open_for_soon"])
def test_a_function_opens_a_waiting_room_at_its_time(room: Room, waiting: str, function: str) -> None:
    room.waiting = waiting
    turns = (
        f'[{{meanwhile: {{calls: "room:{function}", after: 12s}}, hears: {{contains: לעזור, read: true}}}}]'
    )
    result = play_turns(turns, room)
    assert result.failure is None, result.failure
    assert room.log == [("open", 12.0)]


def test_a_function_that_takes_it_gets_the_call_id(room: Room) -> None:
    sent: set[str] = set()

    def app(pairs: Pairs) -> str:
        sent.add(dict(pairs)["ApiCallId"])
        return room(pairs)

    play_turns('[{meanwhile: {calls: "room:open_for"}}]', app)
    assert set(sys.modules["room"].seen_calls) == sent


def test_it_happens_while_the_answer_to_a_verb_is_awaited(room: Room) -> None:
    room.greeting = QUESTION
    turns = """
        - hears: לעזור
        - says: תנו לי נציג
          meanwhile: [{calls: "room:busy"}, {calls: "room:open_room", after: 40s}]
          hears: {contains: [המתינו, לעזור]}
    """
    result = play_turns(turns, room)
    assert result.failure is None, result.failure
    assert [event for event, _ in room.log] == ["busy", "open"]
    assert room.log[1][1] - room.log[0][1] == pytest.approx(40)


def test_the_caller_and_the_server_act_in_one_turn(room: Room) -> None:
    events = '[{calls: "room:open_room", after: 5500ms}, {presses: "9", after: 2500ms}]'
    result = play_turns(f"[{{meanwhile: {events}, hears: לעזור}}]", room)
    assert result.failure is None, result.failure
    acts = [
        (event.at, str(event)) for event in result.transcript if isinstance(event, CallerActed | ServerActed)
    ]
    assert acts[1:3] == [(2.5, "presses 9"), (5.5, "calls room:open_room")]


@pytest.mark.parametrize(
    "turn",
    [
        '{meanwhile: {calls: "room:close", after: 2s}, hears: {ends: true}}',
        '{silent: true, meanwhile: {calls: "room:close", after: 2s}, hears: {contains: להתראות, ends: true}}',
        '{says: תודה, meanwhile: {calls: "room:close"}, hears: {contains: להתראות, ends: true}}',
    ],
)
def test_the_servers_side_can_end_the_call(room: Room, turn: str) -> None:
    room.greeting = QUESTION
    result = play_turns(f"[{{hears: לעזור}}, {turn}]", room)
    assert result.failure is None, result.failure


def test_a_call_that_is_over_has_ended_in_a_later_turn(room: Room) -> None:
    room.response = GOODBYE
    result = play_turns("[{hears: להתראות}, {hears: {ends: true}}, {hears: {ends: true}}]", room)
    assert result.failure is None, result.failure


@pytest.mark.parametrize(
    ("event", "kind", "message"),
    [
        (
            '{calls: "room:open_room"}',
            "meanwhile",
            "calls room:open_room was due 0 s after the caller's verb, but after 0.0 s the call is over",
        ),
        ("{hangs_up: true}", "verb", "the caller hangs up, but the call is over: the line hung up"),
        ('{presses: "9"}', "verb", "the caller presses 9, but the call is over: the line hung up"),
    ],
)
@pytest.mark.parametrize("ends", ["true", "agent", "maybe"])
def test_nothing_happens_in_a_turn_after_the_call(
    room: Room, event: str, kind: str, message: str, ends: str
) -> None:
    room.response = GOODBYE
    turns = f"[{{hears: להתראות}}, {{meanwhile: {event}, hears: {{ends: {ends}}}}}]"
    result = play_turns(turns, room)
    assert failure_of(result)[0] == kind
    assert failure_of(result)[1][0].startswith(message)
    assert room.log == []


def test_a_call_that_continues_has_not_ended(room: Room) -> None:
    room.response = QUESTION
    assert failure_of(play_turns("[{hears: לעזור}, {hears: {ends: true}}]", room)) == (
        "ends",
        ("the call has not ended",),
    )


def test_music_without_an_end_cannot_be_ended_by_the_server(room: Room) -> None:
    room.waiting = "music_on_hold=ztomao"
    turns = '[{hears: {}}, {meanwhile: {calls: "room:close"}, hears: {ends: true}}]'
    kind, (message,) = failure_of(play_turns(turns, room))
    assert (kind, 'presses: "*" ends the music' in message) == ("verb", True)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ('{calls: "room:fail"}', "calls room:fail raised KeyError: 'room 7'"),
        ('{calls: "room:fail_soon"}', "calls room:fail_soon raised KeyError: 'room 7'"),
        ('{calls: "room:leave"}', "calls room:leave raised SystemExit: 3"),
        ('{calls: "room:two"}', "calls room:two raised TypeError: "),
        ('{calls: "room:begin"}', "calls room:begin returned a generator, of which nothing has run"),
        ('{calls: "room:begin_soon"}', "calls room:begin_soon returned an async generator, of which nothing"),
        ('{calls: "room:number"}', "calls room:number: 7 cannot be called"),
        ('{calls: "room:opn"}', "calls room:opn: "),
        ('{calls: "nowhere:open"}', "calls nowhere:open: "),
        ("{posts: /open}", "posts /open: an application in this process has no address; call a function: "),
        ("{calls: /open}", "calls /open: an application in this process has no address; call a function: "),
        (
            '{calls: "room:open_room", after: 50s}',
            "calls room:open_room was due 50 s after the caller's verb, but after 1.0 s the line waits for",
        ),
    ],
)
def test_what_does_not_happen_fails_the_turn(room: Room, event: str, message: str) -> None:
    room.response = QUESTION
    kind, messages = failure_of(play_turns(f"[{{meanwhile: {event}}}]", room))
    assert kind == "meanwhile"
    assert messages[0].startswith(message), messages


def test_the_report_shows_what_happened_between_the_sounds(room: Room) -> None:
    room.waiting = MUSIC
    result = play_turns('[{meanwhile: {calls: "room:open_room", after: 12s}, hears: {within: 1s}}]', room)
    assert [line.split(maxsplit=1) for line in render_result(result).splitlines()[1:]] == [
        ["0:00.0", "dials  /"],
        ["0:00.0", "→  /"],
        ["0:00.0", "line  music ztomao"],
        ["0:12.0", "server  calls room:open_room"],
        ["0:30.0", "→  /"],
        ["0:30.0", "line  במה אפשר לעזור"],
        ["0:31.0", "caller  hangs up"],
        ["0:31.0", "end  the caller hung up"],
    ]


def test_the_page_shows_what_happened(room: Room) -> None:
    result = play_turns('[{meanwhile: {calls: "room:open_room", after: 2s}}]', room)
    page = render([CallRecord.from_result(result)], written=datetime(2026, 11, 30, tzinfo=UTC))
    assert '<div class="note">בשרת <bdi>calls room:open_room</bdi></div>' in page


@pytest.mark.usefixtures("room")
@pytest.mark.parametrize("app", [Room(), AIFlow(YemotAI(provider=ScriptedProvider()))], ids=["app", "flow"])
def test_a_function_that_waits_for_ever_is_stopped(app: object) -> None:
    actions = ServerActions(app, lambda: "1", limit=0.05)
    perform = actions.prepare(ServerAction("calls", "room:wait"))
    with pytest.raises(ServerActionError, match=r"^calls room:wait did not return within 0\.05 s$"):
        perform()


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        perform = ServerActions(url, lambda: "1", limit=0.05).prepare(ServerAction("posts", "/open"))
        with pytest.raises(
            ServerActionError, match=r"^posts /open: the server did not answer within 0\.05 s$"
        ):
            perform()


def test_the_exception_of_a_function_is_the_cause(room: Room) -> None:
    room.response = QUESTION
    failure = play_turns('[{meanwhile: {calls: "room:fail"}, hears: משהו אחר}]', room).failure
    assert failure is not None
    assert isinstance(failure.cause, KeyError)
    assert failure.messages[1] == "did not hear 'משהו אחר'"


def test_a_function_acts_on_a_flow_in_virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("shop_room")
    opened = asyncio.Event()

    async def open_room() -> None:
        opened.set()

    vars(module).update(open=open_room)
    monkeypatch.setitem(sys.modules, "shop_room", module)
    provider = ScriptedProvider()
    flow = AIFlow(YemotAI(provider=provider))

    @flow.ai_agent("", greeting="שלום")
    async def agent(_call: object, _text: str) -> str:
        await opened.wait()
        return "הנציג כאן"

    turns = """
        - hears: שלום
        - says: תנו לי נציג
          meanwhile: {calls: "shop_room:open", after: 25s}
          hears: הנציג כאן
    """
    result = play_turns(turns, flow, double=provider)
    assert result.failure is None, result.failure
    asked, *_, answered = result.turns[1].events
    assert 25 < answered.at - asked.at < 30


# -- a server over HTTP


@contextmanager
def serving(room: Room, requests: list[tuple[str, str, str]]) -> Iterator[str]:
    """Serve ``room`` on this machine, with a page that opens it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/yemot":
                self.reply(200, room(parse_qsl(url.query, keep_blank_values=True)))
            else:
                self.act("GET", "")

        def do_POST(self) -> None:
            self.act("POST", self.rfile.read(int(self.headers["Content-Length"])).decode())

        def act(self, method: str, body: str) -> None:
            requests.append((method, self.path, body))
            if self.path.startswith("/open"):
                room.set("open", QUESTION)
            if self.path == "/drops":
                self.close_connection = True
                return
            has_password = self.headers["Authorization"] == "Basic ZGFuYTpzZXNhbWU="
            status = {
                "/missing": 404,
                "/open/then/elsewhere": 303,
                "/broken": 500,
                "/empty": 500,
                "/page": 404,
                "/locked": 200 if has_password else 401,
            }.get(self.path, 200)
            pages = {"/empty": "", "/page": PAGE}
            self.reply(status, pages.get(self.path, "there is no room\nsecond line"))

        def reply(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/yemot"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("event", "request_"),
    [
        ("{posts: /open}", ("POST", "/open", "")),
        (
            "{posts: /open/אולם, data: {שם: דנה כהן, approved: yes, n: 7}}",
            (
                "POST",
                "/open/%D7%90%D7%95%D7%9C%D7%9D",
                "%D7%A9%D7%9D=%D7%93%D7%A0%D7%94+%D7%9B%D7%94%D7%9F&approved=yes&n=7",
            ),
        ),
        ("{posts: /open/then/elsewhere, after: 100ms}", ("POST", "/open/then/elsewhere", "")),
        ("{calls: /open?room=1, after: 1500ms}", ("GET", "/open?room=1", "")),
    ],
)
def test_a_request_to_the_server_opens_its_waiting_room(event: str, request_: tuple[str, str, str]) -> None:
    requests: list[tuple[str, str, str]] = []
    with serving(Room(), requests) as url:
        result = play_turns(f"[{{meanwhile: {event}, hears: {{contains: לעזור}}}}]", url)
    assert result.failure is None, result.failure
    assert requests == [request_]


def test_a_failed_request_does_not_leave_the_caller_waiting() -> None:
    with serving(Room(), []) as url:
        result = play_turns("[{meanwhile: {posts: /missing}, hears: לעזור}]", url)
    kind, (message, heard) = failure_of(result)
    assert (kind, heard) == ("meanwhile", "did not hear 'לעזור'")
    assert message == "posts /missing: the server answered with HTTP status 404: there is no room"
    assert len([exchange for exchange in result.exchanges if not exchange.hangup]) == 1


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("{posts: /missing}", "posts /missing: the server answered with HTTP status 404: there is no room"),
        ("{posts: /empty}", "posts /empty: the server answered with HTTP status 500"),
        (
            "{posts: /page}",
            "posts /page: the server answered with HTTP status 404: Fatal error: no such room",
        ),
        ("{posts: /drops}", "posts /drops: the server cannot be reached: "),
        ("{calls: /broken}", "calls /broken: the server answered with HTTP status 500: there is no room"),
        (
            '{calls: "room:open_room"}',
            "calls room:open_room: a function does not reach a server; write a path of it, ",
        ),
    ],
)
def test_a_request_that_fails_fails_the_turn(event: str, message: str) -> None:
    with serving(Room(response=QUESTION), []) as url:
        result = play_turns(f"[{{meanwhile: {event}}}]", url)
    kind, messages = failure_of(result)
    assert kind == "meanwhile"
    assert messages[0].startswith(message)
    assert not messages[0].endswith(": ")
    assert result.failure is not None
    assert "raised at" not in failure_report(CallRecord.from_result(result), result.failure.cause)


def test_a_request_has_the_name_and_password_of_the_url() -> None:
    with serving(Room(response=QUESTION), []) as url:
        turns = "[{meanwhile: {posts: /locked}}]"
        assert failure_of(play_turns(turns, url))[0] == "meanwhile"
        assert play_turns(turns, url.replace("http://", "http://dana:sesame@")).failure is None


def test_a_fragment_is_not_sent() -> None:
    requests: list[tuple[str, str, str]] = []
    with serving(Room(response=QUESTION), requests) as url:
        play_turns('[{meanwhile: {calls: "/a/b?c=1#d"}}]', url)
    assert requests == [("GET", "/a/b?c=1", "")]


def test_a_server_that_is_gone_fails_the_turn() -> None:
    with serving(Room(), []) as url:
        pass
    kind, messages = failure_of(play_turns("[{meanwhile: {posts: /open}}]", url))
    assert kind == "meanwhile"
    assert messages[0].startswith("posts /open: the server cannot be reached: ")


# -- the file


@pytest.mark.parametrize(
    "turn",
    [
        "meanwhile: {posts: /admin/approve, after: 2s}",
        'says: א, meanwhile: {posts: /a, data: {name: "012", open: "no"}}',
        'says: א, meanwhile: [{presses: "9", after: 1s}, {calls: /a}, {calls: "b.c:d", after: 500ms}]',
        "silent: true, meanwhile: [{calls: /a, after: 1m}, {hangs_up: true}]",
    ],
)
def test_what_happens_is_written_as_it_was_loaded(turn: str) -> None:
    file = loads(f"scenarios: [{{name: א, turns: [{{{turn}}}]}}]", PATH)
    first, again = (one.scenarios[0].turns[0] for one in (file, loads(dumps(file), PATH)))
    assert first.server_actions
    assert (again.server_actions, again.interruption) == (first.server_actions, first.interruption)


def test_a_list_has_the_actions_of_both_sides() -> None:
    actions = '{posts: /a, data: {b: 1}}, {presses: "9", after: 1s}, {calls: "c:d", after: 2s}'
    turn = f"says: א, meanwhile: [{actions}]"
    loaded = loads(f"scenarios: [{{name: א, turns: [{{{turn}}}]}}]", PATH).scenarios[0].turns[0]
    assert loaded.interruption == InterruptionSpec("9", 1.0)
    assert loaded.server_actions == (
        ServerAction("posts", "/a", (("b", "1"),)),
        ServerAction("calls", "c:d", after=2.0),
    )


def test_the_values_of_a_form_are_texts() -> None:
    turn = (
        'meanwhile: {posts: /a, data: {open: true, closed: False, note: null, phone: 0501234567, word: "no"}}'
    )
    (action,) = (
        loads(f"scenarios: [{{name: א, turns: [{{{turn}}}]}}]", PATH).scenarios[0].turns[0].server_actions
    )
    assert dict(action.data) == {
        "open": "true",
        "closed": "False",
        "note": "",
        "phone": "0501234567",
        "word": "no",
    }


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        ("meanwhile: {post: /a}", " has no 'post' (did you mean 'posts'?)"),
        ("meanwhile: {posts: admin}", ".posts must be a path with a slash, such as /yemot, not 'admin'"),
        ("meanwhile: {calls: open}", ".calls must be a path of the server, such as /open, or a function"),
        ("meanwhile: {calls: /a, data: {b: c}}", "data is the form of posts"),
        ("meanwhile: {posts: /a, calls: /b}", " needs one of hangs_up, presses, posts, calls; a list"),
        ("meanwhile: {after: 2s}", " needs one of hangs_up, presses, posts, calls"),
        ("meanwhile: {posts: /a, after: 2}", ".after must be a time with its unit"),
        ("meanwhile: {posts: /a, data: [b]}", "data must be a mapping with names and values, not a list"),
        (
            "meanwhile: {posts: /a, data: {b: [c]}}",
            "data.b must be a text, a number, true, false or null, not a list",
        ),
        ('says: א, meanwhile: [{presses: "1"}, {hangs_up: true}]', "the caller acts once in "),
        ("hears: א", "only the first turn (the greeting) can be without a verb"),
        ('meanwhile: {presses: "1"}', "only the first turn (the greeting) can be without a verb"),
        ("hangs_up: true, meanwhile: {posts: /a}", "a caller who hangs up gets no answer"),
    ],
)
def test_mistakes_say_what_is_allowed(turn: str, message: str) -> None:
    with pytest.raises(ScenarioLoadError) as caught:
        loads(f"scenarios: [{{name: א, turns: [{{hears: א}}, {{{turn}}}]}}]", PATH)
    (problem,) = caught.value.problems
    assert problem.partition(": ")[2].removeprefix("meanwhile").startswith(message)


def test_a_caller_can_hang_up_in_the_waiting_room_that_they_dialled(room: Room) -> None:
    turns = "[{meanwhile: {hangs_up: true, after: 20s}, hears: {contains: המתינו, ends: true}}]"
    assert play_turns(turns, room).failure is None
