"""The rules of what a server asks its client; see ``rules``.

Measured on 0.169.0: a command is asked about where the thread's ``approvalPolicy`` is ``untrusted``, a tool
of the client's own where it has brought one (``dynamicTools``, an experimental field). With the policy
``never``, which a phone line needs, nothing is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex.rules.app_server.bench import Stage, said
from yemot_ai_testing.conformance.rule import same, that

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from yemot_ai_testing.codex.rules.app_server.wire import Wire
    from yemot_ai_testing.codex.steps import Question

__all__ = ["REQUEST_RULES"]

_NOBODY: Final = {"error": {"code": -32601, "message": "nobody here can answer"}}
_DECLINED: Final = {"result": {"decision": "decline"}}
_APPROVAL: Final = "item/commandExecution/requestApproval"
_TOOL: Final = "item/tool/call"


def approval_asked(stage: Stage) -> None:
    """A command that needs an approval is asked about, by an id of the server's own, before it is run."""
    wire, thread = _asking(stage, "approval")
    asked = wire.asked(_APPROVAL)
    params = asked["params"]
    same("the thread", params["threadId"], thread)
    that("touch" in params["command"], "the command", params["command"])
    started = _items(wire, "item/started", "commandExecution")
    same("the item", [(item["id"], item["status"]) for item in started], [(params["itemId"], "inProgress")])
    that(not stage.ran, "nothing that was run", "the command was")


def approval_waits(stage: Stage) -> None:
    """While it is asked about, the thread is told to wait for an approval, and no model is asked."""
    wire, _ = _asking(stage, "approval")
    wire.asked(_APPROVAL)
    told = [one["status"] for one in _told(wire, "thread/status/changed")]
    same("the last status", told[-1], {"type": "active", "activeFlags": ["waitingOnApproval"]})


def approval_declined(stage: Stage) -> None:
    """A command that is declined is not run, is told as declined, and the turn goes on."""
    same("the command", _ended(stage, "approval", _DECLINED), "declined")
    that(not stage.ran, "nothing that was run", "the command was")


def approval_refused(stage: Stage) -> None:
    """A command whose approval is answered with an error is not run, is told as failed, the turn goes on."""
    same("the command", _ended(stage, "approval", _NOBODY), "failed")
    that(not stage.ran, "nothing that was run", "the command was")


def approval_never(stage: Stage) -> None:
    """Where the policy is to ask never, nothing is asked."""
    wire, _ = _asking(stage, "approval", approvalPolicy="never")
    same("the end", wire.told("turn/completed")["turn"]["status"], "completed")
    same("what was asked", [line.message for line in wire.said if _is_question(line.message)], [])


def approval_resolved(stage: Stage) -> None:
    """An approval that was answered is told as such, by the id of the question."""
    wire, _ = _asking(stage, "approval")
    asked = wire.asked(_APPROVAL)
    wire.write({"id": asked["id"], **_DECLINED})
    same("the question", wire.told("serverRequest/resolved")["requestId"], asked["id"])


def tool_refused(stage: Stage) -> None:
    """A tool of the client that is answered with an error has failed, and the turn goes on."""
    same("the tool", _ended(stage, "tool", _NOBODY), "failed")


def interrupted_meanwhile(stage: Stage) -> None:
    """A turn that waits for an approval can be interrupted."""
    wire, thread = _asking(stage, "approval")
    turn = wire.asked(_APPROVAL)["params"]["turnId"]
    wire.send("turn/interrupt", {"threadId": thread, "turnId": turn})
    same("the end", wire.told("turn/completed")["turn"]["status"], "interrupted")
    that(not stage.ran, "nothing that was run", "the command was")


def _asking(stage: Stage, what: Question, **setup: object) -> tuple[Wire, str]:
    """A turn whose model wants what the client has to be asked about."""
    stage.asks(what)
    stage.model.answers("סוף")
    wire = stage.server()
    wire.shake_hands(experimental=True)
    thread = str(
        wire.ask("thread/start", stage.setup(**{**stage.asking(what), **setup}))["result"]["thread"]["id"]
    )
    wire.send("turn/start", said(thread, "א"))
    return wire, thread


def _ended(stage: Stage, what: Question, answer: Mapping[str, Any]) -> str:
    """Answer, take the turn to its end, and say how the item of it has ended."""
    wire, _ = _asking(stage, what)
    method, kind = (_APPROVAL, "commandExecution") if what == "approval" else (_TOOL, "dynamicToolCall")
    asked = wire.asked(method)
    wire.write({"id": asked["id"], **answer})
    same("the end", wire.told("turn/completed")["turn"]["status"], "completed")
    same("the answer", [item["text"] for item in _items(wire, "item/completed", "agentMessage")], ["סוף"])
    (item,) = _items(wire, "item/completed", kind)
    return str(item["status"])


def _told(wire: Wire, method: str) -> list[dict[str, Any]]:
    return [line.message["params"] for line in wire.said if line.message.get("method") == method]


def _items(wire: Wire, method: str, kind: str) -> list[dict[str, Any]]:
    return [params["item"] for params in _told(wire, method) if params["item"]["type"] == kind]


def _is_question(message: Mapping[str, Any]) -> bool:
    return message.get("method") in {_APPROVAL, _TOOL}


REQUEST_RULES: Final[Mapping[str, Callable[[Stage], None]]] = {
    "request-approval": approval_asked,
    "request-waits": approval_waits,
    "request-declined": approval_declined,
    "request-refused": approval_refused,
    "request-resolved": approval_resolved,
    "request-never": approval_never,
    "request-tool-refused": tool_refused,
    "request-interrupted": interrupted_meanwhile,
}
