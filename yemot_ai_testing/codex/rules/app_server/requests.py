"""The rules of the requests that a server sends to its client.

Measured on 0.169.0: a server requests approval of a command if the thread's ``approvalPolicy`` is
``untrusted``, and calls a tool of the client if the client has registered one (``dynamicTools``, an
experimental field). With the policy ``never``, which a phone line needs, it sends no request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex.rules.app_server.bench import AppServerBench, turn_params
from yemot_ai_testing.conformance.rule import MEASURED, RuleGroup, expect_equal, expect_true

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yemot_ai_testing.codex.rules.app_server.client import AppServerClient
    from yemot_ai_testing.codex.steps import ClientRequestKind

__all__ = ["REQUEST_RULES"]

REQUEST_RULES: Final[RuleGroup[AppServerBench]] = RuleGroup("server", source=MEASURED, interface="app-server")

_METHOD_NOT_FOUND: Final = {"error": {"code": -32601, "message": "method not found"}}
_DECLINED: Final = {"result": {"decision": "decline"}}
_APPROVAL_METHOD: Final = "item/commandExecution/requestApproval"
_TOOL_METHOD: Final = "item/tool/call"


@REQUEST_RULES.rule("request-approval")
def approval_asked(bench: AppServerBench) -> None:
    """Approval of a command is requested before the command is run."""
    client, thread = _start_asking_turn(bench, "approval")
    params = client.wait_request(_APPROVAL_METHOD)["params"]
    expect_equal("the thread", params["threadId"], thread)
    expect_true("touch" in params["command"], "the command", params["command"])
    started = _items(client, "item/started", "commandExecution")
    expect_equal(
        "the item", [(item["id"], item["status"]) for item in started], [(params["itemId"], "inProgress")]
    )
    expect_true(not bench.command_ran, "no command that was run", "it was run")


@REQUEST_RULES.rule("request-waits")
def approval_blocks_turn(bench: AppServerBench) -> None:
    """While an approval is requested, the thread's status says that it waits for one."""
    client, _ = _start_asking_turn(bench, "approval")
    client.wait_request(_APPROVAL_METHOD)
    statuses = [params["status"] for params in _notifications(client, "thread/status/changed")]
    expect_equal("the last status", statuses[-1], {"type": "active", "activeFlags": ["waitingOnApproval"]})


@REQUEST_RULES.rule("request-declined")
def approval_declined(bench: AppServerBench) -> None:
    """A declined command is not run, its status is declined, and the turn continues."""
    expect_equal("the command", _final_item_status(bench, "approval", _DECLINED), "declined")
    expect_true(not bench.command_ran, "no command that was run", "it was run")


@REQUEST_RULES.rule("request-refused")
def approval_refused(bench: AppServerBench) -> None:
    """If an approval is answered with an error, the command is not run and has failed; the turn continues."""
    expect_equal("the command", _final_item_status(bench, "approval", _METHOD_NOT_FOUND), "failed")
    expect_true(not bench.command_ran, "no command that was run", "it was run")


@REQUEST_RULES.rule("request-never")
def approval_never(bench: AppServerBench) -> None:
    """With the approval policy never, no request is sent."""
    client, _ = _start_asking_turn(bench, "approval", approvalPolicy="never")
    expect_equal("the end", client.wait_notification("turn/completed")["turn"]["status"], "completed")
    expect_equal(
        "requests", [line.message for line in client.messages if _is_server_request(line.message)], []
    )


@REQUEST_RULES.rule("request-resolved")
def approval_resolved(bench: AppServerBench) -> None:
    """After an approval is answered, a notification names the resolved request."""
    client, _ = _start_asking_turn(bench, "approval")
    request = client.wait_request(_APPROVAL_METHOD)
    client.send_message({"id": request["id"], **_DECLINED})
    expect_equal(
        "the request", client.wait_notification("serverRequest/resolved")["requestId"], request["id"]
    )


@REQUEST_RULES.rule("request-tool-refused")
def tool_refused(bench: AppServerBench) -> None:
    """If a tool call is answered with an error, the tool has failed; the turn continues."""
    expect_equal("the tool", _final_item_status(bench, "tool", _METHOD_NOT_FOUND), "failed")


@REQUEST_RULES.rule("request-interrupted")
def interrupted_while_waiting(bench: AppServerBench) -> None:
    """A turn that waits for an approval can be interrupted."""
    client, thread = _start_asking_turn(bench, "approval")
    turn = client.wait_request(_APPROVAL_METHOD)["params"]["turnId"]
    client.send_request("turn/interrupt", {"threadId": thread, "turnId": turn})
    expect_equal("the end", client.wait_notification("turn/completed")["turn"]["status"], "interrupted")
    expect_true(not bench.command_ran, "no command that was run", "it was run")


def _start_asking_turn(
    bench: AppServerBench, request_kind: ClientRequestKind, **params: object
) -> tuple[AppServerClient, str]:
    """Start a turn in which the server sends a request; return the client and the thread."""
    bench.asks(request_kind)
    bench.model.answers("the end ✓")
    client = bench.start_server()
    client.initialize(experimental=True)
    thread = str(
        client.request(
            "thread/start", bench.thread_params(**{**bench.asking_thread_params(request_kind), **params})
        )["result"]["thread"]["id"]
    )
    client.send_request("turn/start", turn_params(thread, "one ✓"))
    return client, thread


def _final_item_status(
    bench: AppServerBench, request_kind: ClientRequestKind, answer: Mapping[str, Any]
) -> str:
    """Answer the request, run the turn to its end, and return the final status of its item."""
    client, _ = _start_asking_turn(bench, request_kind)
    method, kind = (
        (_APPROVAL_METHOD, "commandExecution")
        if request_kind == "approval"
        else (_TOOL_METHOD, "dynamicToolCall")
    )
    request = client.wait_request(method)
    client.send_message({"id": request["id"], **answer})
    expect_equal("the end", client.wait_notification("turn/completed")["turn"]["status"], "completed")
    expect_equal(
        "the answer",
        [item["text"] for item in _items(client, "item/completed", "agentMessage")],
        ["the end ✓"],
    )
    (item,) = _items(client, "item/completed", kind)
    return str(item["status"])


def _notifications(client: AppServerClient, method: str) -> list[dict[str, Any]]:
    return [line.message["params"] for line in client.messages if line.message.get("method") == method]


def _items(client: AppServerClient, method: str, kind: str) -> list[dict[str, Any]]:
    return [params["item"] for params in _notifications(client, method) if params["item"]["type"] == kind]


def _is_server_request(message: Mapping[str, Any]) -> bool:
    return message.get("method") in {_APPROVAL_METHOD, _TOOL_METHOD}
