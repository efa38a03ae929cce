"""The cases that are recorded of ``codex app-server``: what a client sends, and the script of the model."""

from __future__ import annotations

import json
import re
import socket
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, get_args

from yemot_ai_testing.codex.recordings import ServerRecording
from yemot_ai_testing.codex.redact import UNKNOWN_THREAD, Redactor
from yemot_ai_testing.codex.rules.app_server.bench import (
    CLOCK_TOOL,
    AppServerBench,
    open_real_bench,
    turn_params,
)
from yemot_ai_testing.codex.rules.backends import STREAM_RETRIES
from yemot_ai_testing.doubles.model_service import responses as api
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.steps import Answer, Cut, CutReason, Drop, Failure, FailureKind, Hang, Reconnect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from yemot_ai_testing.codex.rules.app_server.client import AppServerClient, WireMessage
    from yemot_ai_testing.doubles.steps import Step

__all__ = ["SERVER_CASES", "record_server_case"]

_TIME_FIELD: Final = re.compile(
    r'"((?:emitted|started|completed|created|updated|recency)At(?:Ms)?|durationMs)": \d+'
)
_MAX_REPEATS: Final = 4096
_QUESTION: Final = "מי שם?"
_A, _B = Answer(("א",)), Answer(("ב",))


@dataclass(frozen=True, slots=True)
class _ServerCase:
    """What a case runs with.

    Attributes:
        bench: the environment.
        model: the model service.
        client: the client of a server that has just been started.
    """

    bench: AppServerBench
    model: ModelServer
    client: AppServerClient

    def start_thread(self) -> str:
        """Do the handshake and start a thread; return its id."""
        self.client.initialize()
        return self.bench.start_thread(self.client)

    def run_turn(self, thread: str, text: str, *steps: Step) -> None:
        """Run a turn to its end."""
        for step in steps:
            self.model.script.add(step)
        self.bench.run_turn(self.client, thread, text)


_RunCase: TypeAlias = "Callable[[_ServerCase], None]"


def _turn(*steps: Step) -> _RunCase:
    """Return a case: one turn of a new thread."""
    return lambda case: case.run_turn(case.start_thread(), _QUESTION, *steps)


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


def _resumed(case: _ServerCase) -> None:
    thread = case.start_thread()
    case.run_turn(thread, "א", _A)
    case.client.request("thread/unsubscribe", {"threadId": thread})
    case.client.request("thread/unsubscribe", {"threadId": thread})
    case.client.request("thread/resume", case.bench.thread_params(threadId=thread, excludeTurns=True))
    case.run_turn(thread, "ב", _B)
    case.client.request("thread/delete", {"threadId": thread})
    case.client.wait_notification("thread/deleted")


def _reconnected(case: _ServerCase) -> None:
    case.client.initialize()
    thread = case.bench.start_thread(case.client, config={STREAM_RETRIES: 1})
    case.run_turn(thread, _QUESTION, Reconnect(("חצי",)), Answer(("של", "ום")))


def _interrupted(case: _ServerCase) -> None:
    thread, client = case.start_thread(), case.client
    case.model.add(Hang("רגע"))
    client.send_request("turn/start", turn_params(thread, _QUESTION))
    turn = client.wait_notification("turn/started")["turn"]["id"]
    client.wait_notification("item/agentMessage/delta")
    client.request("turn/interrupt", {"threadId": thread, "turnId": UNKNOWN_THREAD})
    client.send_request("turn/interrupt", {"threadId": thread, "turnId": turn})
    client.wait_notification("turn/completed")
    client.request("turn/interrupt", {"threadId": thread, "turnId": turn})


def _steered(case: _ServerCase) -> None:
    thread, client, model = case.start_thread(), case.client, case.model
    model.hold()
    model.add(_A)
    model.add(_B)
    client.send_request("turn/start", turn_params(thread, "א"))
    model.wait_for_requests(1)
    client.request("turn/start", turn_params(thread, "ב"))
    model.release()
    client.wait_notification("turn/completed")


def _unknown_thread(case: _ServerCase) -> None:
    client = case.client
    client.initialize()
    for method in ("thread/resume", "thread/fork", "thread/unsubscribe", "thread/delete"):
        client.request(method, {"threadId": UNKNOWN_THREAD})
    client.request("turn/start", turn_params(UNKNOWN_THREAD, "א"))
    client.request("turn/interrupt", {"threadId": UNKNOWN_THREAD, "turnId": UNKNOWN_THREAD})
    client.request("turn/start", turn_params("zzz", "א"))
    client.request("thread/resume", {"threadId": "zzz"})


def _too_long(case: _ServerCase) -> None:
    case.client.request("turn/start", turn_params(case.start_thread(), "א" * 1_048_577))


def _busy_session(case: _ServerCase) -> None:
    thread = case.start_thread()
    case.run_turn(thread, "א", _A)
    params = case.bench.thread_params(threadId=thread, excludeTurns=True)
    second = _ServerCase(case.bench, case.model, case.bench.start_initialized())
    second.client.request("thread/resume", params)
    fork = second.client.request("thread/fork", params)
    second.run_turn(fork["result"]["thread"]["id"], "ב", _B)
    second.client.close()
    case.client.messages.extend(second.client.messages)
    case.client.request("thread/delete", {"threadId": thread})


def _client_request(
    method: str, call: Mapping[str, Any], answer: Mapping[str, Any], **setup: object
) -> _RunCase:
    """Return a case in which the server sends a request to its client and gets this answer."""

    def run(case: _ServerCase) -> None:
        client = case.client
        client.initialize(experimental=True)
        params = case.bench.thread_params(**setup)
        thread = client.request("thread/start", params)["result"]["thread"]["id"]
        case.model.add(Answer((), items=(call,)))
        case.model.add(Answer(("סוף",)))
        client.send_request("turn/start", turn_params(thread, "א"))
        request = client.wait_request(method)
        client.send_message({"id": request["id"], **answer})
        client.wait_notification("turn/completed")

    return run


_APPROVAL_METHOD: Final = "item/commandExecution/requestApproval"
_COMMAND: Final = api.function_call("exec_command", {"cmd": "touch made"})
_METHOD_NOT_FOUND: Final = {"error": {"code": -32601, "message": "method not found"}}

SERVER_CASES: Final[Mapping[str, _RunCase]] = {
    "handshake": _handshake,
    "answer": _turn(Answer(("של", "ום"))),
    "resumed": _resumed,
    **{kind: _turn(Failure(kind)) for kind in get_args(FailureKind)},
    **{f"cut_{reason}": _turn(Cut(reason, ("חצי",))) for reason in get_args(CutReason)},
    "cut_stream": _turn(Drop(("חצי",))),
    "reconnected": _reconnected,
    "two_messages": _turn(Answer(("של", "ום"), saying="רגע.")),
    "unscripted": _turn(),
    "no_message": _turn(Answer(("",))),
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
        "item/tool/call", api.function_call("clock", {}), _METHOD_NOT_FOUND, dynamicTools=[CLOCK_TOOL]
    ),
}
"""The cases, by the name of their file."""


def record_server_case(case: str, executable: Path, version: str) -> ServerRecording:
    """Run one case with a real binary, and return its messages without private values.

    Raises:
        Breach: if the server does not send the messages that the case waits for.
    """
    with closing(ModelServer()) as model, open_real_bench(executable, model) as bench:
        client = bench.start_server()
        SERVER_CASES[case](_ServerCase(bench, model, client))
        redactor = Redactor({model.base_url: "{model_server}", **bench.home.placeholders})
        return ServerRecording(
            case, version, tuple(_encode(message, redactor) for message in client.messages)
        )


def _encode(message: WireMessage, redactor: Redactor) -> str:
    text = redactor(json.dumps({"by": message.sender, "message": message.message}, ensure_ascii=False))
    text = _TIME_FIELD.sub(r'"\1": 0', text).replace(f'"{socket.gethostname()}"', '"{host}"')
    text = re.sub(r" \([^()]*\) unknown", " ({system}) unknown", text)
    text = re.sub(r"sessions/[\d/]+/rollout-[\dT-]+?-\{", "sessions/{day}/rollout-{second}-{", text)
    return re.sub(rf"(.)\1{{{_MAX_REPEATS},}}", r"\1…", text)
