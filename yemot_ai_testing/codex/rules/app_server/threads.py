"""The rules of ``codex app-server``, measured with the real binary (0.169.0).

Each rule is a function of a bench; its docstring is the title of the rule, and it raises ``Breach`` if the
rule is broken.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from yemot_ai_testing.codex.redact import UNKNOWN_THREAD
from yemot_ai_testing.codex.rules.app_server.bench import AppServerBench, expect_error, turn_params
from yemot_ai_testing.conformance.rule import MEASURED, RuleGroup, expect_equal, expect_true

__all__ = ["THREAD_RULES"]

THREAD_RULES: Final[RuleGroup[AppServerBench]] = RuleGroup("server", source=MEASURED, interface="app-server")


@THREAD_RULES.rule("handshake-first")
def handshake_first(bench: AppServerBench) -> None:
    """Before the handshake every request is refused."""
    client = bench.start_server()
    expect_error(client.request("thread/start", bench.thread_params()), "Not initialized")
    expect_true("result" in client.initialize(), "a handshake after it", "none")


@THREAD_RULES.rule("handshake-once")
def handshake_once(bench: AppServerBench) -> None:
    """A second handshake is refused."""
    client = bench.start_initialized()
    expect_error(
        client.request("initialize", {"clientInfo": {"name": "x", "version": "1"}}), "Already initialized"
    )


@THREAD_RULES.rule("handshake-result")
def handshake_result(bench: AppServerBench) -> None:
    """The answer to the handshake has the home and the version."""
    result = bench.start_server().initialize()["result"]
    expect_equal("the home", result["codexHome"], str(bench.home.home))
    expect_true("yemot-ai/" in result["userAgent"], "the client's name", result["userAgent"])


@THREAD_RULES.rule("rpc-unknown-method")
def unknown_method(bench: AppServerBench) -> None:
    """An unknown method is an invalid request, and the error names it."""
    expect_error(bench.start_initialized().request("no/such"), "unknown variant `no/such`")


@THREAD_RULES.rule("rpc-missing-field")
def missing_field(bench: AppServerBench) -> None:
    """The error for a missing parameter names it."""
    expect_error(bench.start_initialized().request("thread/resume"), "missing field `threadId`")


@THREAD_RULES.rule("rpc-wrong-type")
def wrong_type(bench: AppServerBench) -> None:
    """A parameter of the wrong type is refused."""
    expect_error(
        bench.start_initialized().request("thread/start", {"cwd": 5}),
        "invalid type: integer `5`, expected a string",
    )


@THREAD_RULES.rule("rpc-id-echoed")
def id_echoed(bench: AppServerBench) -> None:
    """An answer has the id of its request, also if that is a string."""
    client = bench.start_initialized()
    client.send_message({"id": "one", "method": "thread/loaded/list", "params": {}})
    answer = client.read_until(lambda message: message.get("id") is not None)
    expect_equal("the id", answer["id"], "one")


@THREAD_RULES.rule("rpc-no-message")
def invalid_message_ignored(bench: AppServerBench) -> None:
    """A line that is not a message is ignored."""
    client = bench.start_initialized()
    for line in (b"not json", b"{}", b"[]", b""):
        client.send_line(line)
    expect_equal("the loaded threads", client.request("thread/loaded/list")["result"]["data"], [])


@THREAD_RULES.rule("rpc-answer-to-nothing")
def unsolicited_answer_ignored(bench: AppServerBench) -> None:
    """An answer to a request that the server never sent is ignored."""
    client = bench.start_initialized()
    client.send_message({"id": 77, "error": {"code": -32601, "message": "method not found"}})
    expect_equal("the loaded threads", client.request("thread/loaded/list")["result"]["data"], [])


@THREAD_RULES.rule("thread-start")
def start_shape(bench: AppServerBench) -> None:
    """The answer to thread/start has the thread's id, folder and file."""
    result = bench.start_initialized().request("thread/start", bench.thread_params())["result"]
    thread = result["thread"]
    expect_equal("the folder", (result["cwd"], thread["cwd"]), (str(bench.home.work), str(bench.home.work)))
    expect_true(thread["id"] in Path(thread["path"]).name, "a file of that id", thread["path"])
    expect_equal("its turns", (thread["turns"], thread["status"]), ([], {"type": "idle"}))


@THREAD_RULES.rule("thread-start-writes-nothing")
def start_writes_nothing(bench: AppServerBench) -> None:
    """A thread without a turn has no file."""
    thread = bench.start_initialized().request("thread/start", bench.thread_params())["result"]["thread"]
    expect_true(not Path(thread["path"]).exists(), "no file", thread["path"])


@THREAD_RULES.rule("thread-restart", since="0.163.0")
def resumed_after_restart(bench: AppServerBench) -> None:
    """A thread can be resumed by a later server."""
    bench.model.answers("one ✓").answers("two ✓")
    first = bench.start_initialized()
    thread = bench.start_thread(first)
    bench.run_turn(first, thread, "my name is Zoë")
    first.shut_down()
    client = bench.start_initialized()
    params = bench.resume_params(thread)
    resumed = client.request("thread/resume", params)["result"]["thread"]
    expect_equal("the thread", (resumed["id"], resumed["preview"]), (thread, "my name is Zoë"))
    expect_equal("its turn", bench.run_turn(client, thread)["status"], "completed")


@THREAD_RULES.rule("thread-unsubscribe", since="0.163.0")
def resumed_after_unsubscribe(bench: AppServerBench) -> None:
    """An unsubscribed thread can be resumed, and a second unsubscribe says notSubscribed."""
    bench.model.answers("one ✓")
    client, thread = bench.open_thread()
    bench.run_turn(client, thread)
    params = {"threadId": thread}
    statuses = [client.request("thread/unsubscribe", params)["result"]["status"] for _ in range(2)]
    expect_equal("the answers", statuses, ["unsubscribed", "notSubscribed"])
    resumed = client.request("thread/resume", bench.resume_params(thread))
    expect_equal("the thread", resumed["result"]["thread"]["id"], thread)


@THREAD_RULES.rule("thread-unknown")
def unknown_thread(bench: AppServerBench) -> None:
    """Requests for an unknown thread are refused, and the error says that it does not exist."""
    client, params = bench.start_initialized(), {"threadId": UNKNOWN_THREAD}
    for method in ("thread/resume", "thread/fork", "thread/delete"):
        expect_error(client.request(method, params), f"no rollout found for thread id {UNKNOWN_THREAD}")
    expect_error(
        client.request("turn/start", turn_params(UNKNOWN_THREAD, "one ✓")),
        f"thread not found: {UNKNOWN_THREAD}",
    )
    expect_equal("the status", client.request("thread/unsubscribe", params)["result"]["status"], "notLoaded")


@THREAD_RULES.rule("thread-no-id")
def invalid_thread_id(bench: AppServerBench) -> None:
    """An invalid thread id is refused as invalid."""
    client = bench.start_initialized()
    expect_error(
        client.request("turn/start", turn_params("zzz", "one ✓")), "invalid thread id: invalid character"
    )
    expect_error(
        client.request("thread/resume", {"threadId": "zzz"}), "invalid session id: invalid character"
    )


@THREAD_RULES.rule("thread-second-writer", since="0.163.0")
def second_writer(bench: AppServerBench) -> None:
    """A thread that another server has loaded is busy, and can be forked."""
    bench.model.answers("one ✓").answers("two ✓")
    first, second = bench.start_initialized(), bench.start_initialized()
    thread = bench.start_thread(first)
    bench.run_turn(first, thread)
    params = bench.resume_params(thread)
    expect_error(second.request("thread/resume", params), f"thread {thread} already has an active writer")
    fork = second.request("thread/fork", params)["result"]["thread"]
    expect_true(fork["id"] != thread, "another id", fork["id"])
    expect_equal("the original thread", fork["forkedFromId"], thread)
    expect_equal("its turn", bench.run_turn(second, fork["id"])["status"], "completed")


@THREAD_RULES.rule("thread-deleted")
def deleted(bench: AppServerBench) -> None:
    """The file of a deleted thread is removed, and the thread is unknown."""
    bench.model.answers("one ✓")
    client = bench.start_initialized()
    thread = client.request("thread/start", bench.thread_params())["result"]["thread"]
    bench.run_turn(client, thread["id"])
    params = {"threadId": thread["id"]}
    expect_true(Path(thread["path"]).exists(), "a file before", "none")
    expect_equal("the answer", client.request("thread/delete", params).get("result"), {})
    expect_true(not Path(thread["path"]).exists(), "no file", thread["path"])
    expect_error(client.request("thread/resume", params), "no rollout found")


@THREAD_RULES.rule("thread-forked-stays", since="0.163.0")
def forked_thread_kept(bench: AppServerBench) -> None:
    """A thread that was forked cannot be deleted."""
    bench.model.answers("one ✓")
    client, thread = bench.open_thread()
    bench.run_turn(client, thread)
    client.request("thread/fork", bench.resume_params(thread))
    answer = client.request("thread/delete", {"threadId": thread})
    expect_error(answer, f"cannot delete thread {thread}: forked history still references it")


@THREAD_RULES.rule("stdin-closed")
def stdin_closed(bench: AppServerBench) -> None:
    """A server ends when its standard input is closed."""
    client = bench.start_initialized()
    bench.start_thread(client)
    expect_equal("the exit code", client.shut_down(), 0)


@THREAD_RULES.rule("stdin-not-utf8")
def not_utf8(bench: AppServerBench) -> None:
    """A server ends at input that is not UTF-8."""
    client = bench.start_initialized()
    client.send_line(b"\xff")
    expect_equal("the exit code", client.wait_exit(), 0)
