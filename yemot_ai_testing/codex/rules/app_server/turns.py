"""The rules of turns in an app-server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from yemot_ai_testing.codex.redact import UNKNOWN_THREAD
from yemot_ai_testing.codex.rules.app_server.bench import AppServerBench, expect_error, turn_params
from yemot_ai_testing.codex.rules.backends import STREAM_RETRIES
from yemot_ai_testing.conformance.rule import MEASURED, RuleGroup, expect_contains, expect_equal

if TYPE_CHECKING:
    from collections.abc import Callable

    from yemot_ai_testing.codex.rules.app_server.client import AppServerClient
    from yemot_ai_testing.doubles.steps import CutReason

__all__ = ["TURN_RULES"]

TURN_RULES: Final[RuleGroup[AppServerBench]] = RuleGroup("server", source=MEASURED, interface="app-server")

_INVALID_PARAMS: Final = -32602
_MAX_PROMPT_LENGTH: Final = 1_048_576


def _notification_methods(client: AppServerClient, since: int) -> list[str]:
    """Return the methods of the server's messages since an index, except those about account and machine."""
    methods = (
        line.message.get("method", "answer") for line in client.messages[since:] if line.sender == "server"
    )
    ignored = {"warning", "account/rateLimits/updated", "configWarning", "remoteControl/status/changed"}
    return [method for method in methods if method not in ignored]


def _params(client: AppServerClient, method: str) -> list[dict[str, Any]]:
    """Return the parameters of the server's notifications of this method."""
    messages = [line.message for line in client.messages if line.sender == "server"]
    return [message["params"] for message in messages if message.get("method") == method]


def _agent_texts(client: AppServerClient, field: Literal["delta", "text"]) -> list[str]:
    """Return the deltas, or the whole texts, of the agent's messages."""
    if field == "delta":
        return [params["delta"] for params in _params(client, "item/agentMessage/delta")]
    items = [params["item"] for params in _params(client, "item/completed")]
    return [item["text"] for item in items if item["type"] == "agentMessage"]


@TURN_RULES.rule("turn-order")
def turn_in_order(bench: AppServerBench) -> None:
    """The notifications of a turn come in order."""
    bench.model.answers(["hel", "lo ✓"])
    client, _ = bench.begin_turn()
    client.read_until(lambda message: "turn" in message.get("result", {}))
    since = len(client.messages)
    client.wait_notification("turn/completed")
    methods = _notification_methods(client, since)
    expected = [
        "thread/status/changed",
        "turn/started",
        *["item/started", "item/completed"],
        *["item/started", "item/agentMessage/delta", "item/agentMessage/delta", "item/completed"],
        *["thread/tokenUsage/updated", "thread/status/changed", "turn/completed"],
    ]
    expect_equal("the notifications", methods, expected)


@TURN_RULES.rule("turn-deltas", since="0.163.0")
def deltas_add_up(bench: AppServerBench) -> None:
    """The deltas add up to the text of the message and of the turn."""
    bench.model.answers(["hel", "lo ✓ ", "\u2028you"])
    client, thread = bench.open_thread()
    turn = bench.run_turn(client, thread)
    messages = [line.message for line in client.messages]
    deltas = [message for message in messages if message.get("method") == "item/agentMessage/delta"]
    text = "".join(message["params"]["delta"] for message in deltas)
    expect_equal("the text", (text, turn["items"][-1]["text"]), ("hello ✓ \u2028you",) * 2)
    expect_equal("the end", (turn["status"], turn["error"]), ("completed", None))


@TURN_RULES.rule("turn-id")
def turn_id_everywhere(bench: AppServerBench) -> None:
    """The answer to turn/start has the turn id of the notifications."""
    bench.model.answers("yes ✓")
    client, thread = bench.open_thread()
    started = client.request("turn/start", turn_params(thread, "one ✓"))["result"]["turn"]
    expect_equal("the status", started["status"], "inProgress")
    ended = client.wait_notification("turn/completed")
    expect_equal("the turn", (ended["threadId"], ended["turn"]["id"]), (thread, started["id"]))


@TURN_RULES.rule("turn-words")
def user_message_item(bench: AppServerBench) -> None:
    """The user's message is an item of the turn."""
    bench.model.answers("yes ✓")
    client, _ = bench.begin_turn('said: "yes ✓"\n👩\u200d👧')
    item = client.wait_notification("item/completed")["item"]
    expect_equal(
        "the item", (item["type"], item["content"][0]["text"]), ("userMessage", 'said: "yes ✓"\n👩\u200d👧')
    )


@TURN_RULES.rule("turn-usage")
def usage_adds_up(bench: AppServerBench) -> None:
    """Tokens are counted for the last turn and for the thread."""
    bench.model.answers("one ✓").answers("two ✓")
    client, thread = bench.open_thread()
    usages = []
    for text in ("one ✓", "two ✓"):
        client.send_request("turn/start", turn_params(thread, text))
        usages.append(client.wait_notification("thread/tokenUsage/updated")["tokenUsage"])
        client.wait_notification("turn/completed")
    first, second = usages
    expect_equal("the first turn", first["total"], first["last"])
    twice = {name: 2 * tokens for name, tokens in first["last"].items()}
    expect_equal("the second turn", (second["last"], second["total"]), (first["last"], twice))


@TURN_RULES.rule("turn-empty")
def empty_answer(bench: AppServerBench) -> None:
    """An empty answer completes the turn without items."""
    bench.model.answers("")
    client, thread = bench.open_thread()
    turn = bench.run_turn(client, thread)
    expect_equal("the turn", (turn["status"], turn["items"]), ("completed", []))


@TURN_RULES.rule("turn-two-messages")
def two_messages(bench: AppServerBench) -> None:
    """Each message of a turn is an item with its own deltas, in order."""
    bench.model.answers(["hel", "lo ✓"], saying="one moment ✓")
    client, thread = bench.open_thread()
    bench.run_turn(client, thread)
    expect_equal("the deltas", _agent_texts(client, "delta"), ["one moment ✓", "hel", "lo ✓"])
    expect_equal("the messages", _agent_texts(client, "text"), ["one moment ✓", "hello ✓"])
    items = {params["itemId"] for params in _params(client, "item/agentMessage/delta")}
    expect_equal("the number of ids", len(items), 2)


@TURN_RULES.rule("turn-reconnected")
def reconnected(bench: AppServerBench) -> None:
    """A stream that breaks off is asked for again: an error with willRetry, then the whole message."""
    bench.breaks_stream("half ✓")
    bench.breaks_stream("an")
    bench.model.answers("answer ✓")
    client = bench.start_initialized()
    thread = bench.start_thread(client, config={STREAM_RETRIES: 2})
    turn = bench.run_turn(client, thread)
    errors = _params(client, "error")
    expect_equal("willRetry", [error["willRetry"] for error in errors], [True, True])
    messages = [error["error"]["message"] for error in errors]
    expect_equal("the errors", messages, ["Reconnecting... 1/2", "Reconnecting... 2/2"])
    expect_equal("the deltas", _agent_texts(client, "delta"), ["half ✓", "an", "answer ✓"])
    expect_equal("the message", _agent_texts(client, "text"), ["answer ✓"])
    expect_equal("the end", (turn["status"], turn["error"]), ("completed", None))


def _cuts(reason: CutReason, words: str) -> Callable[[AppServerBench], None]:
    def rule(bench: AppServerBench) -> None:
        bench.model.cuts(reason, ["hel", "lo ✓"])
        client, thread = bench.open_thread()
        turn = bench.run_turn(client, thread)
        expect_equal("the deltas", _agent_texts(client, "delta"), ["hel", "lo ✓"])
        expect_equal("the message", _agent_texts(client, "text"), [] if reason == "error" else ["hello ✓"])
        expect_equal("the end", (turn["status"], turn["items"]), ("failed", []))
        expect_contains("the error", turn["error"]["message"], words)

    rule.__doc__ = f"A turn whose answer is cut ({reason}) fails after its text, and the error says why."
    return rule


TURN_RULES.rule("turn-cut-length")(_cuts("length", "reason: max_output_tokens"))
TURN_RULES.rule("turn-cut-content-filter")(_cuts("content_filter", "reason: content_filter"))
TURN_RULES.rule("turn-cut-error")(_cuts("error", "The server had an error"))


@TURN_RULES.rule("turn-cut-usage", since="0.163.0")
def cut_usage(bench: AppServerBench) -> None:
    """The tokens of an answer that reached the maximum count in the thread, not as those of a turn."""
    bench.model.cuts("length", "half ✓").answers("whole ✓")
    client, thread = bench.open_thread()
    bench.run_turn(client, thread)
    bench.run_turn(client, thread)
    first, second = (params["tokenUsage"] for params in _params(client, "thread/tokenUsage/updated"))
    expect_equal("the turn that was cut", set(first["last"].values()), {0})
    expect_equal("the first turn", first["total"], second["last"])
    twice = {name: 2 * tokens for name, tokens in second["last"].items()}
    expect_equal("the second turn", second["total"], twice)


@TURN_RULES.rule("turn-interrupted")
def interrupted(bench: AppServerBench) -> None:
    """An interrupted turn ends with the status interrupted, and the thread can be used."""
    bench.model.hangs(saying="one moment ✓").answers("yes ✓")
    client, thread = bench.begin_turn()
    turn = client.wait_notification("turn/started")["turn"]["id"]
    client.wait_notification("item/agentMessage/delta")
    client.send_request("turn/interrupt", {"threadId": thread, "turnId": turn})
    expect_equal("the end", client.wait_notification("turn/completed")["turn"]["status"], "interrupted")
    expect_equal("the next turn", bench.run_turn(client, thread)["status"], "completed")


@TURN_RULES.rule("turn-interrupt-answered")
def interrupt_answered_first(bench: AppServerBench) -> None:
    """turn/interrupt is answered before the turn's end is notified."""
    bench.model.hangs(saying="one moment ✓")
    client, thread = bench.begin_turn()
    turn = client.wait_notification("turn/started")["turn"]["id"]
    client.wait_notification("item/agentMessage/delta")
    request_id = client.send_request("turn/interrupt", {"threadId": thread, "turnId": turn})
    answer = client.read_until(
        lambda message: message.get("id") == request_id or message.get("method") == "turn/completed"
    )
    expect_equal("the answer", answer.get("result"), {})


@TURN_RULES.rule("turn-interrupt-nothing")
def interrupt_needs_a_turn(bench: AppServerBench) -> None:
    """turn/interrupt without a running turn is refused."""
    client = bench.start_initialized()
    params = {"threadId": bench.start_thread(client), "turnId": UNKNOWN_THREAD}
    expect_error(client.request("turn/interrupt", params), "no active turn to interrupt")


@TURN_RULES.rule("turn-interrupt-another")
def interrupt_names_the_turn(bench: AppServerBench) -> None:
    """turn/interrupt with the id of another turn is refused."""
    bench.model.hangs(saying="one moment ✓")
    client, thread = bench.begin_turn()
    client.wait_notification("item/agentMessage/delta")
    answer = client.request("turn/interrupt", {"threadId": thread, "turnId": UNKNOWN_THREAD})
    expect_error(answer, f"expected active turn id {UNKNOWN_THREAD} but found")


@TURN_RULES.rule("turn-busy", since="0.163.0")
def busy_turn(bench: AppServerBench) -> None:
    """A prompt sent during a running turn becomes part of that turn."""
    bench.model.hold()
    bench.model.answers("one ✓").answers("two ✓")
    client, thread = bench.open_thread()
    turn = client.request("turn/start", turn_params(thread, "one ✓"))["result"]["turn"]["id"]
    bench.model.wait_for_requests(1)
    joined = client.request("turn/start", turn_params(thread, "two ✓"))["result"]["turn"]["id"]
    bench.model.release()
    ended = client.wait_notification("turn/completed")["turn"]
    expect_equal("the turn", (joined, ended["id"], ended["status"]), (turn, turn, "completed"))
    expect_equal("the answer", [item["text"] for item in ended["items"]][-1:], ["two ✓"])


@TURN_RULES.rule("turn-too-long")
def too_long(bench: AppServerBench) -> None:
    """A prompt that is too long is refused, and the error has both lengths."""
    client = bench.start_initialized()
    answer = client.request(
        "turn/start", turn_params(bench.start_thread(client), "é" * (_MAX_PROMPT_LENGTH + 1))
    )
    expect_error(answer, "exceeds the maximum length", _INVALID_PARAMS)
    expect_equal("the length", answer["error"]["data"]["actual_chars"], _MAX_PROMPT_LENGTH + 1)


def _fails(kind: Any, info: object) -> Callable[[AppServerBench], None]:  # noqa: ANN401 - a FailureKind
    def rule(bench: AppServerBench) -> None:
        bench.model.fails(kind)
        client, _ = bench.begin_turn()
        error = client.wait_notification("error")
        turn = client.wait_notification("turn/completed")["turn"]
        expect_equal("the end", (turn["status"], error["willRetry"]), ("failed", False))
        expect_equal("the error", (turn["error"], turn["error"]["codexErrorInfo"]), (error["error"], info))

    rule.__doc__ = f"A turn whose model fails ({kind}) has the error info of that failure."
    return rule


TURN_RULES.rule("fails-rate-limited")(
    _fails("rate_limited", {"responseTooManyFailedAttempts": {"httpStatusCode": 429}})
)
TURN_RULES.rule("fails-overloaded")(_fails("overloaded", "internalServerError"))
TURN_RULES.rule("fails-context-overflow")(_fails("context_overflow", "contextWindowExceeded"))
TURN_RULES.rule("fails-quota-exceeded")(_fails("quota_exceeded", "usageLimitExceeded"))
TURN_RULES.rule("fails-refused-request")(_fails("refused_request", "other"))
TURN_RULES.rule("fails-unknown-model", since="0.169.0")(_fails("unknown_model", "modelNotFound"))
