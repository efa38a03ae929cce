"""The rules of what a server asks its client; see ``rules``.

Measured on 0.169.0: a command is asked about where the thread's ``approvalPolicy`` is ``untrusted``, a tool
of the client's own where it has brought one (``dynamicTools``, an experimental field). With the policy
``never``, which a phone line needs, nothing is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex.rules.app_server.bench import AppServerBench, turn_params
from yemot_ai_testing.conformance.rule import expect_equal, expect_true

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from yemot_ai_testing.codex.rules.app_server.client import AppServerClient
    from yemot_ai_testing.codex.steps import ClientRequestKind

__all__ = ["REQUEST_CHECKS"]

_METHOD_NOT_FOUND: Final = {"error": {"code": -32601, "message": "nobody here can answer"}}
_DECLINED: Final = {"result": {"decision": "decline"}}
_APPROVAL_METHOD: Final = "item/commandExecution/requestApproval"
_TOOL_METHOD: Final = "item/tool/call"


def approval_asked(bench: AppServerBench) -> None:
    """A command that needs an approval is asked about, by an id of the server's own, before it is run."""
    wire, thread = _start_asking_turn(bench, "approval")
    asked = wire.wait_request(_APPROVAL_METHOD)
    params = asked["params"]
    expect_equal("the thread", params["threadId"], thread)
    expect_true("touch" in params["command"], "the command", params["command"])
    started = _items(wire, "item/started", "commandExecution")
    expect_equal(
        "the item", [(item["id"], item["status"]) for item in started], [(params["itemId"], "inProgress")]
    )
    expect_true(not bench.command_ran, "nothing that was run", "the command was")


def approval_blocks_turn(bench: AppServerBench) -> None:
    """While it is asked about, the thread is told to wait for an approval, and no model is asked."""
    wire, _ = _start_asking_turn(bench, "approval")
    wire.wait_request(_APPROVAL_METHOD)
    told = [one["status"] for one in _notifications(wire, "thread/status/changed")]
    expect_equal("the last status", told[-1], {"type": "active", "activeFlags": ["waitingOnApproval"]})


def approval_declined(bench: AppServerBench) -> None:
    """A command that is declined is not run, is told as declined, and the turn goes on."""
    expect_equal("the command", _final_item_status(bench, "approval", _DECLINED), "declined")
    expect_true(not bench.command_ran, "nothing that was run", "the command was")


def approval_refused(bench: AppServerBench) -> None:
    """A command whose approval is answered with an error is not run, is told as failed, the turn goes on."""
    expect_equal("the command", _final_item_status(bench, "approval", _METHOD_NOT_FOUND), "failed")
    expect_true(not bench.command_ran, "nothing that was run", "the command was")


def approval_never(bench: AppServerBench) -> None:
    """Where the policy is to ask never, nothing is asked."""
    wire, _ = _start_asking_turn(bench, "approval", approvalPolicy="never")
    expect_equal("the end", wire.wait_notification("turn/completed")["turn"]["status"], "completed")
    expect_equal(
        "what was asked", [line.message for line in wire.messages if _is_server_request(line.message)], []
    )


def approval_resolved(bench: AppServerBench) -> None:
    """An approval that was answered is told as such, by the id of the question."""
    wire, _ = _start_asking_turn(bench, "approval")
    asked = wire.wait_request(_APPROVAL_METHOD)
    wire.send_message({"id": asked["id"], **_DECLINED})
    expect_equal("the question", wire.wait_notification("serverRequest/resolved")["requestId"], asked["id"])


def tool_refused(bench: AppServerBench) -> None:
    """A tool of the client that is answered with an error has failed, and the turn goes on."""
    expect_equal("the tool", _final_item_status(bench, "tool", _METHOD_NOT_FOUND), "failed")


def interrupted_while_waiting(bench: AppServerBench) -> None:
    """A turn that waits for an approval can be interrupted."""
    wire, thread = _start_asking_turn(bench, "approval")
    turn = wire.wait_request(_APPROVAL_METHOD)["params"]["turnId"]
    wire.send_request("turn/interrupt", {"threadId": thread, "turnId": turn})
    expect_equal("the end", wire.wait_notification("turn/completed")["turn"]["status"], "interrupted")
    expect_true(not bench.command_ran, "nothing that was run", "the command was")


def _start_asking_turn(
    bench: AppServerBench, request_kind: ClientRequestKind, **setup: object
) -> tuple[AppServerClient, str]:
    """A turn whose model wants what the client has to be asked about."""
    bench.asks(request_kind)
    bench.model.answers("סוף")
    wire = bench.start_server()
    wire.initialize(experimental=True)
    thread = str(
        wire.request(
            "thread/start", bench.thread_params(**{**bench.asking_thread_params(request_kind), **setup})
        )["result"]["thread"]["id"]
    )
    wire.send_request("turn/start", turn_params(thread, "א"))
    return wire, thread


def _final_item_status(
    bench: AppServerBench, request_kind: ClientRequestKind, answer: Mapping[str, Any]
) -> str:
    """Answer, take the turn to its end, and say how the item of it has ended."""
    wire, _ = _start_asking_turn(bench, request_kind)
    method, kind = (
        (_APPROVAL_METHOD, "commandExecution")
        if request_kind == "approval"
        else (_TOOL_METHOD, "dynamicToolCall")
    )
    asked = wire.wait_request(method)
    wire.send_message({"id": asked["id"], **answer})
    expect_equal("the end", wire.wait_notification("turn/completed")["turn"]["status"], "completed")
    expect_equal(
        "the answer", [item["text"] for item in _items(wire, "item/completed", "agentMessage")], ["סוף"]
    )
    (item,) = _items(wire, "item/completed", kind)
    return str(item["status"])


def _notifications(client: AppServerClient, method: str) -> list[dict[str, Any]]:
    return [line.message["params"] for line in client.messages if line.message.get("method") == method]


def _items(client: AppServerClient, method: str, kind: str) -> list[dict[str, Any]]:
    return [params["item"] for params in _notifications(client, method) if params["item"]["type"] == kind]


def _is_server_request(message: Mapping[str, Any]) -> bool:
    return message.get("method") in {_APPROVAL_METHOD, _TOOL_METHOD}


REQUEST_CHECKS: Final[Mapping[str, Callable[[AppServerBench], None]]] = {
    "request-approval": approval_asked,
    "request-waits": approval_blocks_turn,
    "request-declined": approval_declined,
    "request-refused": approval_refused,
    "request-resolved": approval_resolved,
    "request-never": approval_never,
    "request-tool-refused": tool_refused,
    "request-interrupted": interrupted_while_waiting,
}
