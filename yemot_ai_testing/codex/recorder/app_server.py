"""Record the messages of a real ``codex app-server``, with a scripted model service on this machine.

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
    """What a case runs with.

    Attributes:
        session: the environment, and the model.
        client: the client of a server that has just been started.
    """

    session: RecordingSession
    client: AppServerClient

    def thread_params(self, **params: object) -> dict[str, Any]:
        """Return the parameters of a thread, with ``params`` in addition."""
        defaults = {"approvalPolicy": "never", "sandbox": "read-only", "baseInstructions": "ענה בקצרה"}
        return {**defaults, "cwd": str(self.session.work), **params}

    def start_thread(self) -> str:
        """Do the handshake and start a thread; return its id."""
        self.client.initialize()
        return str(self.client.request("thread/start", self.thread_params())["result"]["thread"]["id"])

    def run_turn(self, thread: str, text: str) -> None:
        """Run a turn to its end."""
        self.client.send_request("turn/start", _turn_params(thread, text))
        self.client.wait_notification("turn/completed")


def _turn_params(thread: str, text: str) -> dict[str, Any]:
    return {"threadId": thread, "input": [{"type": "text", "text": text}]}


def _handshake(case: _ServerCase) -> None:
    client = case.client
    client.request("thread/start", {})
    result = client.initialize()
    client.request("initialize", {"clientInfo": {"name": "yemot-ai", "version": "1"}})
    client.request("no/such", {})
    client.request("thread/start", {"cwd": 5})
    client.request("thread/resume", {})
    client.send_message({"id": "one", "method": "thread/loaded/list", "params": {}})
    client.read_until(lambda message: message.get("id") == "one")
    assert result["result"]  # noqa: S101 - a recording without it would be useless


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
    def run(case: _ServerCase) -> None:
        thread = case.start_thread()
        case.session.model.fails(kind)
        case.run_turn(thread, "מי שם?")

    return run


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
    thread, client = case.start_thread(), case.client
    case.session.model.hangs(saying="רגע")  # type: ignore[call-arg]  # the service knows it
    client.send_request("turn/start", _turn_params(thread, "מי שם?"))
    turn = client.wait_notification("turn/started")["turn"]["id"]
    client.wait_notification("item/agentMessage/delta")
    client.request("turn/interrupt", {"threadId": thread, "turnId": UNKNOWN_THREAD})
    client.send_request("turn/interrupt", {"threadId": thread, "turnId": turn})
    client.wait_notification("turn/completed")
    client.request("turn/interrupt", {"threadId": thread, "turnId": turn})


def _steered(case: _ServerCase) -> None:
    thread, client, model = case.start_thread(), case.client, case.session.model
    model.hold()  # type: ignore[attr-defined]  # the service knows it
    model.answers("א")
    model.answers("ב")
    client.send_request("turn/start", _turn_params(thread, "א"))
    model.wait_for_requests(1)
    client.request("turn/start", _turn_params(thread, "ב"))
    model.release()  # type: ignore[attr-defined]  # as above
    client.wait_notification("turn/completed")


def _unknown_thread(case: _ServerCase) -> None:
    client = case.client
    client.initialize()
    for method in ("thread/resume", "thread/fork", "thread/unsubscribe", "thread/delete"):
        client.request(method, {"threadId": UNKNOWN_THREAD})
    client.request("turn/start", _turn_params(UNKNOWN_THREAD, "א"))
    client.request("turn/interrupt", {"threadId": UNKNOWN_THREAD, "turnId": UNKNOWN_THREAD})
    client.request("turn/start", _turn_params("zzz", "א"))
    client.request("thread/resume", {"threadId": "zzz"})


def _too_long(case: _ServerCase) -> None:
    case.client.request("turn/start", _turn_params(case.start_thread(), "א" * 1_048_577))


def _busy_session(case: _ServerCase) -> None:
    thread = case.start_thread()
    case.session.model.answers("א")
    case.run_turn(thread, "א")
    with _open_server(case.session) as second:
        second_case = _ServerCase(case.session, second)
        second.initialize()
        second.request("thread/resume", second_case.thread_params(threadId=thread, excludeTurns=True))
        fork = second.request("thread/fork", second_case.thread_params(threadId=thread, excludeTurns=True))
        case.session.model.answers("ב")
        second_case.run_turn(fork["result"]["thread"]["id"], "ב")
        case.client.messages.extend(second.messages)
    case.client.request("thread/delete", {"threadId": thread})


def _client_request(
    method: str, call: Mapping[str, Any], answer: Mapping[str, Any], **setup: object
) -> Callable[[_ServerCase], None]:
    """Return a case in which the server sends a request to its client and gets this answer."""

    def run(case: _ServerCase) -> None:
        client, model = case.client, case.session.model
        client.initialize(experimental=True)
        thread = client.request("thread/start", case.thread_params(**setup))["result"]["thread"]["id"]
        model.emits(call)
        model.answers("סוף")
        client.send_request("turn/start", _turn_params(thread, "א"))
        request = client.wait_request(method)
        client.send_message({"id": request["id"], **answer})
        client.wait_notification("turn/completed")

    return run


_APPROVAL_METHOD: Final = "item/commandExecution/requestApproval"
_COMMAND: Final = api.function_call("exec_command", {"cmd": "touch made"})
_METHOD_NOT_FOUND: Final = {"error": {"code": -32601, "message": "method not found"}}
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
    """Record one case; return its JSON lines.

    Raises:
        UnpublishableError: if a line contains private data.
    """
    with recording_session(executable) as session, _open_server(session) as client:
        CASES[case](_ServerCase(session, client))
        lines = [_encode_line(session, message) for message in client.messages]
    for line in lines:
        if found := find_private_data(line):
            raise UnpublishableError(f"{case}: {found}")
    return "".join(f"{line}\n" for line in lines)


@contextmanager
def _open_server(session: RecordingSession) -> Iterator[AppServerClient]:
    command = [str(session.executable), "app-server", *session.settings]
    client = AppServerClient.open(command, env=session.environment, cwd=session.work)
    try:
        yield client
    finally:
        client.close()


def _encode_line(session: RecordingSession, message: WireMessage) -> str:
    text = session.redactor(
        json.dumps({"by": message.sender, "message": message.message}, ensure_ascii=False)
    )
    text = _TIME_FIELD.sub(r'"\1": 0', text).replace(f'"{socket.gethostname()}"', '"{host}"')
    text = re.sub(r" \([^()]*\) unknown", " ({system}) unknown", text)
    text = re.sub(r"sessions/[\d/]+/rollout-[\dT-]+?-\{", "sessions/{day}/rollout-{second}-{", text)
    return re.sub(rf"(.)\1{{{_MAX_REPEATS},}}", r"\1…", text)


def main(target: Path) -> None:
    """Record every case with the real binary; write the files under ``target``."""
    executable = locate("real")
    folder = target / version_of(executable)
    folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        (folder / f"{case}.jsonl").write_text(record(executable, case), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
