"""The rules of turns; see ``rules``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex.redact import UNKNOWN_THREAD
from yemot_ai_testing.codex.rules.app_server.bench import Stage, refused, said
from yemot_ai_testing.conformance.rule import same

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from yemot_ai_testing.codex.rules.app_server.wire import Wire

__all__ = ["TURN_RULES"]

_INVALID_PARAMS: Final = -32602
_LONGEST: Final = 1_048_576


def _methods(wire: Wire, since: int) -> list[str]:
    """What was told since a place in the conversation, without what is about the machine and the money."""
    told = (line.message.get("method", "answer") for line in wire.said[since:] if line.by == "server")
    beside = {"warning", "account/rateLimits/updated", "configWarning", "remoteControl/status/changed"}
    return [method for method in told if method not in beside]


def turn_in_order(stage: Stage) -> None:
    """A turn is told in order."""
    stage.model.answers(["של", "ום"])
    wire = stage.greeted()
    thread = stage.opened(wire)
    wire.send("turn/start", said(thread, "מי שם?"))
    wire.until(lambda told: "turn" in told.get("result", {}))
    since = len(wire.said)
    wire.told("turn/completed")
    told = _methods(wire, since)
    expected = [
        "thread/status/changed",
        "turn/started",
        *["item/started", "item/completed"],
        *["item/started", "item/agentMessage/delta", "item/agentMessage/delta", "item/completed"],
        *["thread/tokenUsage/updated", "thread/status/changed", "turn/completed"],
    ]
    same("the notifications", told, expected)


def deltas_add_up(stage: Stage) -> None:
    """The pieces add up to the text of the message, and of the turn."""
    stage.model.answers(["של", "ום ", "\u2028לך"])
    wire = stage.greeted()
    turn = stage.told(wire, stage.opened(wire), "א")
    told = [line.message for line in wire.said if line.message.get("method") == "item/agentMessage/delta"]
    text = "".join(one["params"]["delta"] for one in told)
    same("the text", (text, turn["items"][-1]["text"]), ("שלום \u2028לך",) * 2)
    same("the end", (turn["status"], turn["error"]), ("completed", None))


def turn_id_everywhere(stage: Stage) -> None:
    """The answer to a turn's start names the turn that is told of."""
    stage.model.answers("כן")
    wire = stage.greeted()
    thread = stage.opened(wire)
    named = wire.ask("turn/start", said(thread, "א"))["result"]["turn"]
    same("how it is", named["status"], "inProgress")
    ended = wire.told("turn/completed")
    same("the turn", (ended["threadId"], ended["turn"]["id"]), (thread, named["id"]))


def words_in_item(stage: Stage) -> None:
    """What the user said is an item of the turn."""
    stage.model.answers("כן")
    wire = stage.greeted()
    wire.send("turn/start", said(stage.opened(wire), 'אמר: "כן"\n👩\u200d👧'))
    item = wire.told("item/completed")["item"]
    same("the item", (item["type"], item["content"][0]["text"]), ("userMessage", 'אמר: "כן"\n👩\u200d👧'))


def usage_adds_up(stage: Stage) -> None:
    """Tokens are counted for the turn and for the thread."""
    stage.model.answers("א").answers("ב")
    wire = stage.greeted()
    thread = stage.opened(wire)
    counted = []
    for words in ("א", "ב"):
        wire.send("turn/start", said(thread, words))
        counted.append(wire.told("thread/tokenUsage/updated")["tokenUsage"])
        wire.told("turn/completed")
    first, second = counted
    same("the first turn", first["total"], first["last"])
    twice = {name: 2 * tokens for name, tokens in first["last"].items()}
    same("the second turn", (second["last"], second["total"]), (first["last"], twice))


def empty_answer(stage: Stage) -> None:
    """An answer without a word completes the turn with nothing in it."""
    stage.model.answers("")
    wire = stage.greeted()
    turn = stage.told(wire, stage.opened(wire), "א")
    same("the turn", (turn["status"], turn["items"]), ("completed", []))


def interrupted(stage: Stage) -> None:
    """A turn that is interrupted ends as such, and the thread goes on."""
    stage.model.hangs(saying="רגע").answers("כן")
    wire = stage.greeted()
    thread = stage.opened(wire)
    wire.send("turn/start", said(thread, "א"))
    turn = wire.told("turn/started")["turn"]["id"]
    wire.told("item/agentMessage/delta")
    wire.send("turn/interrupt", {"threadId": thread, "turnId": turn})
    same("the end", wire.told("turn/completed")["turn"]["status"], "interrupted")
    same("the next turn", stage.told(wire, thread, "ב")["status"], "completed")


def interrupt_answered_first(stage: Stage) -> None:
    """An interruption is answered before the end of the turn is told."""
    stage.model.hangs(saying="רגע")
    wire = stage.greeted()
    thread = stage.opened(wire)
    wire.send("turn/start", said(thread, "א"))
    turn = wire.told("turn/started")["turn"]["id"]
    wire.told("item/agentMessage/delta")
    number = wire.send("turn/interrupt", {"threadId": thread, "turnId": turn})
    answer = wire.until(lambda told: told.get("id") == number or told.get("method") == "turn/completed")
    same("the answer", answer.get("result"), {})


def interrupt_needs_a_turn(stage: Stage) -> None:
    """Where no turn runs, there is nothing to interrupt."""
    wire = stage.greeted()
    asked = {"threadId": stage.opened(wire), "turnId": UNKNOWN_THREAD}
    refused(wire.ask("turn/interrupt", asked), "no active turn to interrupt")


def interrupt_names_the_turn(stage: Stage) -> None:
    """Another turn than the one that runs cannot be interrupted."""
    stage.model.hangs(saying="רגע")
    wire = stage.greeted()
    thread = stage.opened(wire)
    wire.send("turn/start", said(thread, "א"))
    wire.told("item/agentMessage/delta")
    wrong = wire.ask("turn/interrupt", {"threadId": thread, "turnId": UNKNOWN_THREAD})
    refused(wrong, f"expected active turn id {UNKNOWN_THREAD} but found")


def busy_turn(stage: Stage) -> None:
    """Words into a running turn become part of it."""
    stage.model.holds()
    stage.model.answers("א").answers("ב")
    wire = stage.greeted()
    thread = stage.opened(wire)
    turn = wire.ask("turn/start", said(thread, "א"))["result"]["turn"]["id"]
    stage.model.wait_asked(1)
    joined = wire.ask("turn/start", said(thread, "ב"))["result"]["turn"]["id"]
    stage.model.releases()
    ended = wire.told("turn/completed")["turn"]
    same("the turn", (joined, ended["id"], ended["status"]), (turn, turn, "completed"))
    same("the answer", [item["text"] for item in ended["items"]][-1:], ["ב"])


def too_long(stage: Stage) -> None:
    """Words beyond the longest prompt are refused, with the numbers."""
    wire = stage.greeted()
    answer = wire.ask("turn/start", said(stage.opened(wire), "א" * (_LONGEST + 1)))
    refused(answer, "exceeds the maximum length", _INVALID_PARAMS)
    same("the length", answer["error"]["data"]["actual_chars"], _LONGEST + 1)


def _fails(kind: Any, info: object) -> Callable[[Stage], None]:  # noqa: ANN401 - one of the words of a script
    def rule(stage: Stage) -> None:
        stage.model.fails(kind)
        wire = stage.greeted()
        wire.send("turn/start", said(stage.opened(wire), "א"))
        error = wire.told("error")
        turn = wire.told("turn/completed")["turn"]
        same("the end", (turn["status"], error["willRetry"]), ("failed", False))
        same("the error", (turn["error"], turn["error"]["codexErrorInfo"]), (error["error"], info))

    rule.__doc__ = f"A turn whose model fails ({kind}) tells the class of the failure."
    return rule


TURN_RULES: Final[Mapping[str, Callable[[Stage], None]]] = {
    "turn-order": turn_in_order,
    "turn-deltas": deltas_add_up,
    "turn-id": turn_id_everywhere,
    "turn-words": words_in_item,
    "turn-usage": usage_adds_up,
    "turn-empty": empty_answer,
    "turn-interrupted": interrupted,
    "turn-interrupt-answered": interrupt_answered_first,
    "turn-interrupt-nothing": interrupt_needs_a_turn,
    "turn-interrupt-another": interrupt_names_the_turn,
    "turn-busy": busy_turn,
    "turn-too-long": too_long,
    "fails-rate-limited": _fails("rate_limited", {"responseTooManyFailedAttempts": {"httpStatusCode": 429}}),
    "fails-overloaded": _fails("overloaded", "internalServerError"),
    "fails-context-overflow": _fails("context_overflow", "contextWindowExceeded"),
    "fails-quota-exceeded": _fails("quota_exceeded", "usageLimitExceeded"),
    "fails-unknown-model": _fails("unknown_model", "modelNotFound"),
}
