"""Records what a real ``codex app-server`` says, answered by a model service on this machine.

::

    python -m yemot_ai_testing.codex.recorder.app_server FOLDER
"""

from __future__ import annotations

import json
import re
import socket
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex.binary import locate
from yemot_ai_testing.codex.folders import version_of
from yemot_ai_testing.codex.recorder.session import recording_session
from yemot_ai_testing.codex.redact import UNKNOWN_THREAD, UnpublishableError, find_private_data
from yemot_ai_testing.codex.rules.app_server.client import AppServerClient, WireMessage
from yemot_ai_testing.doubles.model_service import responses as api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from yemot_ai_testing.codex.recorder.session import RecordingSession

__all__ = ["CASES", "record"]

_TIME_FIELD: Final = re.compile(
    r'"((?:emitted|started|completed|created|updated|recency)At(?:Ms)?|durationMs)": \d+'
)
_MAX_REPEATS: Final = 4096
_FAILURE_KINDS: Final = (
    "rate_limited",
    "overloaded",
    "context_overflow",
    "unauthorized",
    "quota_exceeded",
    "unknown_model",
)


@dataclass(frozen=True, slots=True)
class _ServerCase:
    """Where a case is played.

    Attributes:
        session: the place, and the model.
        client: a server that has just been started.
    """

    session: RecordingSession
    client: AppServerClient

    def thread_params(self, **further: object) -> dict[str, Any]:
        """How a thread is to be."""
        ours = {"approvalPolicy": "never", "sandbox": "read-only", "baseInstructions": "ענה בקצרה"}
        return {**ours, "cwd": str(self.session.work), **further}

    def start_thread(self) -> str:
        """A new thread, after the handshake."""
        self.client.initialize()
        return str(self.client.request("thread/start", self.thread_params())["result"]["thread"]["id"])

    def run_turn(self, thread: str, text: str) -> None:
        """Take a turn to its end."""
        self.client.send_request("turn/start", _turn_params(thread, text))
        self.client.wait_notification("turn/completed")


def _turn_params(thread: str, text: str) -> dict[str, Any]:
    return {"threadId": thread, "input": [{"type": "text", "text": text}]}


def _handshake(case: _ServerCase) -> None:
    wire = case.client
    wire.request("thread/start", {})
    client = wire.initialize()
    wire.request("initialize", {"clientInfo": {"name": "yemot-ai", "version": "1"}})
    wire.request("no/such", {})
    wire.request("thread/start", {"cwd": 5})
    wire.request("thread/resume", {})
    wire.send_message({"id": "one", "method": "thread/loaded/list", "params": {}})
    wire.read_until(lambda told: told.get("id") == "one")
    assert client["result"]  # noqa: S101 - a recording without it would be useless


def _answer(case: _ServerCase) -> None:
    thread = case.start_thread()
    case.session.model.answers(["של", "ום"])
    case.run_turn(thread, "מי שם?")


def _resumed(case: _ServerCase) -> None:
    thread = case.start_thread()
    case.session.model.answers("א")
    case.run_turn(thread, "א")
    case.client.request("thread/unsubscribe", {"threadId": thread})
    case.client.request("thread/unsubscribe", {"threadId": thread})
    case.client.request("thread/resume", case.thread_params(threadId=thread, excludeTurns=True))
    case.session.model.answers("ב")
    case.run_turn(thread, "ב")
    case.client.request("thread/delete", {"threadId": thread})
    case.client.wait_notification("thread/deleted")


def _failing(kind: Any) -> Callable[[_ServerCase], None]:  # noqa: ANN401 - one of a list of words
    def play(case: _ServerCase) -> None:
        thread = case.start_thread()
        case.session.model.fails(kind)
        case.run_turn(thread, "מי שם?")

    return play


def _cut_stream(case: _ServerCase) -> None:
    thread = case.start_thread()
    case.session.model.drops("חצי")
    case.run_turn(thread, "מי שם?")


def _unscripted(case: _ServerCase) -> None:
    case.run_turn(case.start_thread(), "מי שם?")


def _no_message(case: _ServerCase) -> None:
    thread = case.start_thread()
    case.session.model.answers("")
    case.run_turn(thread, "מי שם?")


def _interrupted(case: _ServerCase) -> None:
    thread, wire = case.start_thread(), case.client
    case.session.model.hangs(saying="רגע")  # type: ignore[call-arg]  # the service knows it
    wire.send_request("turn/start", _turn_params(thread, "מי שם?"))
    turn = wire.wait_notification("turn/started")["turn"]["id"]
    wire.wait_notification("item/agentMessage/delta")
    wire.request("turn/interrupt", {"threadId": thread, "turnId": UNKNOWN_THREAD})
    wire.send_request("turn/interrupt", {"threadId": thread, "turnId": turn})
    wire.wait_notification("turn/completed")
    wire.request("turn/interrupt", {"threadId": thread, "turnId": turn})


def _steered(case: _ServerCase) -> None:
    thread, wire, model = case.start_thread(), case.client, case.session.model
    model.hold()  # type: ignore[attr-defined]  # the service knows it
    model.answers("א")
    model.answers("ב")
    wire.send_request("turn/start", _turn_params(thread, "א"))
    model.wait_for_requests(1)
    wire.request("turn/start", _turn_params(thread, "ב"))
    model.release()  # type: ignore[attr-defined]  # as above
    wire.wait_notification("turn/completed")


def _unknown_thread(case: _ServerCase) -> None:
    wire = case.client
    wire.initialize()
    for method in ("thread/resume", "thread/fork", "thread/unsubscribe", "thread/delete"):
        wire.request(method, {"threadId": UNKNOWN_THREAD})
    wire.request("turn/start", _turn_params(UNKNOWN_THREAD, "א"))
    wire.request("turn/interrupt", {"threadId": UNKNOWN_THREAD, "turnId": UNKNOWN_THREAD})
    wire.request("turn/start", _turn_params("zzz", "א"))
    wire.request("thread/resume", {"threadId": "zzz"})


def _too_long(case: _ServerCase) -> None:
    case.client.request("turn/start", _turn_params(case.start_thread(), "א" * 1_048_577))


def _busy_session(case: _ServerCase) -> None:
    thread = case.start_thread()
    case.session.model.answers("א")
    case.run_turn(thread, "א")
    with _open_server(case.session) as second:
        rival = _ServerCase(case.session, second)
        second.initialize()
        second.request("thread/resume", rival.thread_params(threadId=thread, excludeTurns=True))
        fork = second.request("thread/fork", rival.thread_params(threadId=thread, excludeTurns=True))
        case.session.model.answers("ב")
        rival.run_turn(fork["result"]["thread"]["id"], "ב")
        case.client.messages.extend(second.messages)
    case.client.request("thread/delete", {"threadId": thread})


def _client_request(
    method: str, call: Mapping[str, Any], answer: Mapping[str, Any], **setup: object
) -> Callable[[_ServerCase], None]:
    """A turn in which the server asks its client, and is given this answer."""

    def play(case: _ServerCase) -> None:
        wire, model = case.client, case.session.model
        wire.initialize(experimental=True)
        thread = wire.request("thread/start", case.thread_params(**setup))["result"]["thread"]["id"]
        model.emits(call)
        model.answers("סוף")
        wire.send_request("turn/start", _turn_params(thread, "א"))
        asked = wire.wait_request(method)
        wire.send_message({"id": asked["id"], **answer})
        wire.wait_notification("turn/completed")

    return play


_APPROVAL_METHOD: Final = "item/commandExecution/requestApproval"
_COMMAND: Final = api.function_call("exec_command", {"cmd": "touch made"})
_METHOD_NOT_FOUND: Final = {"error": {"code": -32601, "message": "nobody here can answer"}}
_CLOCK_TOOL: Final = {
    "name": "clock",
    "description": "the time",
    "inputSchema": {"type": "object", "properties": {}},
}

CASES: Final[Mapping[str, Callable[[_ServerCase], None]]] = {
    "handshake": _handshake,
    "answer": _answer,
    "resumed": _resumed,
    **{kind: _failing(kind) for kind in _FAILURE_KINDS},
    "cut_stream": _cut_stream,
    "unscripted": _unscripted,
    "no_message": _no_message,
    "interrupted": _interrupted,
    "steered": _steered,
    "unknown_thread": _unknown_thread,
    "too_long": _too_long,
    "busy_session": _busy_session,
    "approval_declined": _client_request(
        _APPROVAL_METHOD, _COMMAND, {"result": {"decision": "decline"}}, approvalPolicy="untrusted"
    ),
    "approval_refused": _client_request(
        _APPROVAL_METHOD, _COMMAND, _METHOD_NOT_FOUND, approvalPolicy="untrusted"
    ),
    "tool_refused": _client_request(
        "item/tool/call", api.function_call("clock", {}), _METHOD_NOT_FOUND, dynamicTools=[_CLOCK_TOOL]
    ),
}


def record(executable: Path, case: str) -> str:
    """The JSON lines of one case.

    Raises:
        UnpublishableError: something of this machine is still in them.
    """
    with recording_session(executable) as place, _open_server(place) as wire:
        CASES[case](_ServerCase(place, wire))
        lines = [_encode_line(place, said) for said in wire.messages]
    for line in lines:
        if found := find_private_data(line):
            raise UnpublishableError(f"{case}: {found}")
    return "".join(f"{line}\n" for line in lines)


@contextmanager
def _open_server(session: RecordingSession) -> Iterator[AppServerClient]:
    command = [str(session.executable), "app-server", *session.settings]
    wire = AppServerClient.open(command, env=session.environment, cwd=session.work)
    try:
        yield wire
    finally:
        wire.close()


def _encode_line(session: RecordingSession, message: WireMessage) -> str:
    text = session.redactor(
        json.dumps({"by": message.sender, "message": message.message}, ensure_ascii=False)
    )
    text = _TIME_FIELD.sub(r'"\1": 0', text).replace(f'"{socket.gethostname()}"', '"{host}"')
    text = re.sub(r" \([^()]*\) unknown", " ({system}) unknown", text)
    text = re.sub(r"sessions/[\d/]+/rollout-[\dT-]+?-\{", "sessions/{day}/rollout-{second}-{", text)
    return re.sub(rf"(.)\1{{{_MAX_REPEATS},}}", r"\1…", text)


def main(target: Path) -> None:
    """Record every case of the real binary under ``target``."""
    executable = locate("real")
    folder = target / version_of(executable)
    folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        (folder / f"{case}.jsonl").write_text(record(executable, case), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
