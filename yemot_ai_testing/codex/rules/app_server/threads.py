"""The rules of ``codex app-server``: what a client may rely on, read off the real binary (0.169.0).

Each rule is a function of a ``Stage`` whose docstring is the rule as a sentence; it raises
``AssertionError`` where the rule is broken.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.redact import UNKNOWN_THREAD
from yemot_ai_testing.codex.rules.app_server.bench import AppServerBench, expect_error, turn_params
from yemot_ai_testing.codex.rules.app_server.requests import REQUEST_CHECKS
from yemot_ai_testing.codex.rules.app_server.turns import TURN_CHECKS
from yemot_ai_testing.conformance.rule import Rule, expect_equal, expect_true

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


__all__ = ["SERVER_CHECKS", "SERVER_RULES"]

_SINCE: Final[Mapping[str, str]] = {
    "thread-restart": "0.163.0",
    "thread-unsubscribe": "0.163.0",
    "thread-second-writer": "0.163.0",
    "thread-forked-stays": "0.163.0",
    "turn-deltas": "0.163.0",
    "turn-busy": "0.163.0",
    "fails-unknown-model": "0.169.0",
}
"""What 0.142.0, or 0.163.0, does otherwise (measured); the other rules hold for them, too."""
_INVALID_PARAMS: Final = -32602
_MAX_PROMPT_LENGTH: Final = 1_048_576


def handshake_first(bench: AppServerBench) -> None:
    """Nothing is answered before the handshake."""
    wire = bench.start_server()
    expect_error(wire.request("thread/start", bench.thread_params()), "Not initialized")
    expect_true("result" in wire.initialize(), "a handshake afterwards", "none")


def handshake_once(bench: AppServerBench) -> None:
    """A second handshake is refused."""
    wire = bench.start_initialized()
    expect_error(
        wire.request("initialize", {"clientInfo": {"name": "x", "version": "1"}}), "Already initialized"
    )


def handshake_result(bench: AppServerBench) -> None:
    """The handshake tells the home and the version."""
    result = bench.start_server().initialize()["result"]
    expect_equal("the home", result["codexHome"], bench.env["CODEX_HOME"])
    expect_true("yemot-ai/" in result["userAgent"], "the client's name", result["userAgent"])


def unknown_method(bench: AppServerBench) -> None:
    """An unknown method is an invalid request, by its name."""
    expect_error(bench.start_initialized().request("no/such"), "unknown variant `no/such`")


def missing_field(bench: AppServerBench) -> None:
    """A missing parameter is named."""
    expect_error(bench.start_initialized().request("thread/resume"), "missing field `threadId`")


def wrong_type(bench: AppServerBench) -> None:
    """A parameter of the wrong type is refused."""
    expect_error(
        bench.start_initialized().request("thread/start", {"cwd": 5}),
        "invalid type: integer `5`, expected a string",
    )


def id_echoed(bench: AppServerBench) -> None:
    """An answer bears the id of its question, also a word."""
    wire = bench.start_initialized()
    wire.send_message({"id": "one", "method": "thread/loaded/list", "params": {}})
    told = wire.read_until(lambda message: message.get("id") is not None)
    expect_equal("the id", told["id"], "one")


def invalid_message_ignored(bench: AppServerBench) -> None:
    """A line that is no message is passed over."""
    wire = bench.start_initialized()
    for line in (b"not json", b"{}", b"[]", b""):
        wire.send_line(line)
    expect_equal("what is loaded", wire.request("thread/loaded/list")["result"]["data"], [])


def unsolicited_answer_ignored(bench: AppServerBench) -> None:
    """An answer to a question that was never asked is passed over."""
    wire = bench.start_initialized()
    wire.send_message({"id": 77, "error": {"code": -32601, "message": "nobody here can answer"}})
    expect_equal("what is loaded", wire.request("thread/loaded/list")["result"]["data"], [])


def start_shape(bench: AppServerBench) -> None:
    """A thread that is started is told with its id, folder and file."""
    result = bench.start_initialized().request("thread/start", bench.thread_params())["result"]
    thread = result["thread"]
    expect_equal("the folder", (result["cwd"], thread["cwd"]), (str(bench.work), str(bench.work)))
    expect_true(thread["id"] in Path(thread["path"]).name, "a file of that id", thread["path"])
    expect_equal("its turns", (thread["turns"], thread["status"]), ([], {"type": "idle"}))


def start_writes_nothing(bench: AppServerBench) -> None:
    """A thread without a turn is not on disk."""
    thread = bench.start_initialized().request("thread/start", bench.thread_params())["result"]["thread"]
    expect_true(not Path(thread["path"]).exists(), "no file", thread["path"])


def resumed_after_restart(bench: AppServerBench) -> None:
    """A thread is taken up by a later server."""
    bench.model.answers("א").answers("ב")
    first = bench.start_initialized()
    thread = bench.start_thread(first)
    bench.run_turn(first, thread, "שמי דוד")
    first.shut_down()
    wire = bench.start_initialized()
    shown = wire.request("thread/resume", bench.thread_params(threadId=thread, excludeTurns=True))["result"][
        "thread"
    ]
    expect_equal("the thread", (shown["id"], shown["preview"]), (thread, "שמי דוד"))
    expect_equal("its turn", bench.run_turn(wire, thread, "ב")["status"], "completed")


def resumed_after_unsubscribe(bench: AppServerBench) -> None:
    """A thread that was let go is taken up again, and is let go once."""
    bench.model.answers("א")
    wire = bench.start_initialized()
    thread = bench.start_thread(wire)
    bench.run_turn(wire, thread, "א")
    asked = {"threadId": thread}
    told = [wire.request("thread/unsubscribe", asked)["result"]["status"] for _ in range(2)]
    expect_equal("the answers", told, ["unsubscribed", "notSubscribed"])
    again = wire.request("thread/resume", bench.thread_params(threadId=thread, excludeTurns=True))
    expect_equal("the thread", again["result"]["thread"]["id"], thread)


def unknown_thread(bench: AppServerBench) -> None:
    """What is asked about an unknown thread is refused, in words that tell it is lost."""
    wire, asked = bench.start_initialized(), {"threadId": UNKNOWN_THREAD}
    for method in ("thread/resume", "thread/fork", "thread/delete"):
        expect_error(wire.request(method, asked), f"no rollout found for thread id {UNKNOWN_THREAD}")
    expect_error(
        wire.request("turn/start", turn_params(UNKNOWN_THREAD, "א")), f"thread not found: {UNKNOWN_THREAD}"
    )
    expect_equal("letting go", wire.request("thread/unsubscribe", asked)["result"]["status"], "notLoaded")


def invalid_thread_id(bench: AppServerBench) -> None:
    """What is no id is told as such."""
    wire = bench.start_initialized()
    expect_error(wire.request("turn/start", turn_params("zzz", "א")), "invalid thread id: invalid character")
    expect_error(wire.request("thread/resume", {"threadId": "zzz"}), "invalid session id: invalid character")


def second_writer(bench: AppServerBench) -> None:
    """A thread that another server has loaded is busy, and can be forked."""
    bench.model.answers("א").answers("ב")
    first, second = bench.start_initialized(), bench.start_initialized()
    thread = bench.start_thread(first)
    bench.run_turn(first, thread, "א")
    asked = bench.thread_params(threadId=thread, excludeTurns=True)
    expect_error(second.request("thread/resume", asked), f"thread {thread} already has an active writer")
    fork = second.request("thread/fork", asked)["result"]["thread"]
    expect_true(fork["id"] != thread, "another id", fork["id"])
    expect_equal("what it comes from", fork["forkedFromId"], thread)
    expect_equal("its turn", bench.run_turn(second, fork["id"], "ב")["status"], "completed")


def deleted(bench: AppServerBench) -> None:
    """A thread that is deleted is gone from the disk, and unknown."""
    bench.model.answers("א")
    wire = bench.start_initialized()
    thread = wire.request("thread/start", bench.thread_params())["result"]["thread"]
    bench.run_turn(wire, thread["id"], "א")
    asked = {"threadId": thread["id"]}
    expect_true(Path(thread["path"]).exists(), "a file before", "none")
    expect_equal("the answer", wire.request("thread/delete", asked).get("result"), {})
    expect_true(not Path(thread["path"]).exists(), "no file", thread["path"])
    expect_error(wire.request("thread/resume", asked), "no rollout found")


def forked_thread_kept(bench: AppServerBench) -> None:
    """What a fork was made of cannot be deleted."""
    bench.model.answers("א")
    wire = bench.start_initialized()
    thread = bench.start_thread(wire)
    bench.run_turn(wire, thread, "א")
    wire.request("thread/fork", bench.thread_params(threadId=thread, excludeTurns=True))
    answer = wire.request("thread/delete", {"threadId": thread})
    expect_error(answer, f"cannot delete thread {thread}: forked history still references it")


def stdin_closed(bench: AppServerBench) -> None:
    """A server ends by itself when its standard input is closed."""
    wire = bench.start_initialized()
    bench.start_thread(wire)
    expect_equal("the exit code", wire.shut_down(), 0)


def not_utf8(bench: AppServerBench) -> None:
    """Bytes that are no UTF-8 are the end of its standard input."""
    wire = bench.start_initialized()
    wire.send_line(b"\xff")
    expect_equal("the exit code", wire.wait_exit(), 0)


def _title(rule: Callable[[AppServerBench], None]) -> str:
    return (rule.__doc__ or "").strip().removesuffix(".")


SERVER_CHECKS: Final[Mapping[str, Callable[[AppServerBench], None]]] = {
    "handshake-first": handshake_first,
    "handshake-once": handshake_once,
    "handshake-tells": handshake_result,
    "rpc-unknown-method": unknown_method,
    "rpc-missing-field": missing_field,
    "rpc-wrong-type": wrong_type,
    "rpc-id-echoed": id_echoed,
    "rpc-no-message": invalid_message_ignored,
    "rpc-answer-to-nothing": unsolicited_answer_ignored,
    "thread-start": start_shape,
    "thread-start-writes-nothing": start_writes_nothing,
    "thread-restart": resumed_after_restart,
    "thread-unsubscribe": resumed_after_unsubscribe,
    "thread-unknown": unknown_thread,
    "thread-no-id": invalid_thread_id,
    "thread-second-writer": second_writer,
    "thread-deleted": deleted,
    "thread-forked-stays": forked_thread_kept,
    **TURN_CHECKS,
    **REQUEST_CHECKS,
    "stdin-closed": stdin_closed,
    "stdin-not-utf8": not_utf8,
}
"""All rules, by a stable name whose first word is the chapter."""

SERVER_RULES: Final[tuple[Rule[AppServerBench], ...]] = tuple(
    Rule(f"server-{name}", _title(rule), rule, since=_SINCE.get(name, ""), interface="app-server")
    for name, rule in SERVER_CHECKS.items()
)
"""The same, as the suite has them."""
