"""The rules of turns; see ``rules``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex.redact import UNKNOWN_THREAD
from yemot_ai_testing.codex.rules.app_server.bench import AppServerBench, expect_error, turn_params
from yemot_ai_testing.conformance.rule import expect_equal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from yemot_ai_testing.codex.rules.app_server.client import AppServerClient

__all__ = ["TURN_CHECKS"]

_INVALID_PARAMS: Final = -32602
_MAX_PROMPT_LENGTH: Final = 1_048_576


def _notification_methods(client: AppServerClient, since: int) -> list[str]:
    """What was told since a place in the conversation, without what is about the machine and the money."""
    told = (
        line.message.get("method", "answer") for line in client.messages[since:] if line.sender == "server"
    )
    beside = {"warning", "account/rateLimits/updated", "configWarning", "remoteControl/status/changed"}
    return [method for method in told if method not in beside]


def turn_in_order(bench: AppServerBench) -> None:
    """A turn is told in order."""
    bench.model.answers(["של", "ום"])
    wire = bench.start_initialized()
    thread = bench.start_thread(wire)
    wire.send_request("turn/start", turn_params(thread, "מי שם?"))
    wire.read_until(lambda told: "turn" in told.get("result", {}))
    since = len(wire.messages)
    wire.wait_notification("turn/completed")
    told = _notification_methods(wire, since)
    expected = [
        "thread/status/changed",
        "turn/started",
        *["item/started", "item/completed"],
        *["item/started", "item/agentMessage/delta", "item/agentMessage/delta", "item/completed"],
        *["thread/tokenUsage/updated", "thread/status/changed", "turn/completed"],
    ]
    expect_equal("the notifications", told, expected)


def deltas_add_up(bench: AppServerBench) -> None:
    """The pieces add up to the text of the message, and of the turn."""
    bench.model.answers(["של", "ום ", "\u2028לך"])
    wire = bench.start_initialized()
    turn = bench.run_turn(wire, bench.start_thread(wire), "א")
    told = [line.message for line in wire.messages if line.message.get("method") == "item/agentMessage/delta"]
    text = "".join(one["params"]["delta"] for one in told)
    expect_equal("the text", (text, turn["items"][-1]["text"]), ("שלום \u2028לך",) * 2)
    expect_equal("the end", (turn["status"], turn["error"]), ("completed", None))


def turn_id_everywhere(bench: AppServerBench) -> None:
    """The answer to a turn's start names the turn that is told of."""
    bench.model.answers("כן")
    wire = bench.start_initialized()
    thread = bench.start_thread(wire)
    named = wire.request("turn/start", turn_params(thread, "א"))["result"]["turn"]
    expect_equal("how it is", named["status"], "inProgress")
    ended = wire.wait_notification("turn/completed")
    expect_equal("the turn", (ended["threadId"], ended["turn"]["id"]), (thread, named["id"]))


def user_message_item(bench: AppServerBench) -> None:
    """What the user said is an item of the turn."""
    bench.model.answers("כן")
    wire = bench.start_initialized()
    wire.send_request("turn/start", turn_params(bench.start_thread(wire), 'אמר: "כן"\n👩\u200d👧'))
    item = wire.wait_notification("item/completed")["item"]
    expect_equal(
        "the item", (item["type"], item["content"][0]["text"]), ("userMessage", 'אמר: "כן"\n👩\u200d👧')
    )


def usage_adds_up(bench: AppServerBench) -> None:
    """Tokens are counted for the turn and for the thread."""
    bench.model.answers("א").answers("ב")
    wire = bench.start_initialized()
    thread = bench.start_thread(wire)
    counted = []
    for words in ("א", "ב"):
        wire.send_request("turn/start", turn_params(thread, words))
        counted.append(wire.wait_notification("thread/tokenUsage/updated")["tokenUsage"])
        wire.wait_notification("turn/completed")
    first, second = counted
    expect_equal("the first turn", first["total"], first["last"])
    twice = {name: 2 * tokens for name, tokens in first["last"].items()}
    expect_equal("the second turn", (second["last"], second["total"]), (first["last"], twice))


def empty_answer(bench: AppServerBench) -> None:
    """An answer without a word completes the turn with nothing in it."""
    bench.model.answers("")
    wire = bench.start_initialized()
    turn = bench.run_turn(wire, bench.start_thread(wire), "א")
    expect_equal("the turn", (turn["status"], turn["items"]), ("completed", []))


def interrupted(bench: AppServerBench) -> None:
    """A turn that is interrupted ends as such, and the thread goes on."""
    bench.model.hangs(saying="רגע").answers("כן")
    wire = bench.start_initialized()
    thread = bench.start_thread(wire)
    wire.send_request("turn/start", turn_params(thread, "א"))
    turn = wire.wait_notification("turn/started")["turn"]["id"]
    wire.wait_notification("item/agentMessage/delta")
    wire.send_request("turn/interrupt", {"threadId": thread, "turnId": turn})
    expect_equal("the end", wire.wait_notification("turn/completed")["turn"]["status"], "interrupted")
    expect_equal("the next turn", bench.run_turn(wire, thread, "ב")["status"], "completed")


def interrupt_answered_first(bench: AppServerBench) -> None:
    """An interruption is answered before the end of the turn is told."""
    bench.model.hangs(saying="רגע")
    wire = bench.start_initialized()
    thread = bench.start_thread(wire)
    wire.send_request("turn/start", turn_params(thread, "א"))
    turn = wire.wait_notification("turn/started")["turn"]["id"]
    wire.wait_notification("item/agentMessage/delta")
    number = wire.send_request("turn/interrupt", {"threadId": thread, "turnId": turn})
    answer = wire.read_until(lambda told: told.get("id") == number or told.get("method") == "turn/completed")
    expect_equal("the answer", answer.get("result"), {})


def interrupt_needs_a_turn(bench: AppServerBench) -> None:
    """Where no turn runs, there is nothing to interrupt."""
    wire = bench.start_initialized()
    asked = {"threadId": bench.start_thread(wire), "turnId": UNKNOWN_THREAD}
    expect_error(wire.request("turn/interrupt", asked), "no active turn to interrupt")


def interrupt_names_the_turn(bench: AppServerBench) -> None:
    """Another turn than the one that runs cannot be interrupted."""
    bench.model.hangs(saying="רגע")
    wire = bench.start_initialized()
    thread = bench.start_thread(wire)
    wire.send_request("turn/start", turn_params(thread, "א"))
    wire.wait_notification("item/agentMessage/delta")
    wrong = wire.request("turn/interrupt", {"threadId": thread, "turnId": UNKNOWN_THREAD})
    expect_error(wrong, f"expected active turn id {UNKNOWN_THREAD} but found")


def busy_turn(bench: AppServerBench) -> None:
    """Words into a running turn become part of it."""
    bench.model.hold()
    bench.model.answers("א").answers("ב")
    wire = bench.start_initialized()
    thread = bench.start_thread(wire)
    turn = wire.request("turn/start", turn_params(thread, "א"))["result"]["turn"]["id"]
    bench.model.wait_for_requests(1)
    joined = wire.request("turn/start", turn_params(thread, "ב"))["result"]["turn"]["id"]
    bench.model.release()
    ended = wire.wait_notification("turn/completed")["turn"]
    expect_equal("the turn", (joined, ended["id"], ended["status"]), (turn, turn, "completed"))
    expect_equal("the answer", [item["text"] for item in ended["items"]][-1:], ["ב"])


def too_long(bench: AppServerBench) -> None:
    """Words beyond the longest prompt are refused, with the numbers."""
    wire = bench.start_initialized()
    answer = wire.request("turn/start", turn_params(bench.start_thread(wire), "א" * (_MAX_PROMPT_LENGTH + 1)))
    expect_error(answer, "exceeds the maximum length", _INVALID_PARAMS)
    expect_equal("the length", answer["error"]["data"]["actual_chars"], _MAX_PROMPT_LENGTH + 1)


def _fails(kind: Any, info: object) -> Callable[[AppServerBench], None]:  # noqa: ANN401 - one of the words of a script
    def rule(bench: AppServerBench) -> None:
        bench.model.fails(kind)
        wire = bench.start_initialized()
        wire.send_request("turn/start", turn_params(bench.start_thread(wire), "א"))
        error = wire.wait_notification("error")
        turn = wire.wait_notification("turn/completed")["turn"]
        expect_equal("the end", (turn["status"], error["willRetry"]), ("failed", False))
        expect_equal("the error", (turn["error"], turn["error"]["codexErrorInfo"]), (error["error"], info))

    rule.__doc__ = f"A turn whose model fails ({kind}) tells the class of the failure."
    return rule


TURN_CHECKS: Final[Mapping[str, Callable[[AppServerBench], None]]] = {
    "turn-order": turn_in_order,
    "turn-deltas": deltas_add_up,
    "turn-id": turn_id_everywhere,
    "turn-words": user_message_item,
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
