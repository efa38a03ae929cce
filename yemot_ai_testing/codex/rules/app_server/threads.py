"""The rules of ``codex app-server``: what a client may rely on, read off the real binary (0.169.0).

Each rule is a function of a ``Stage`` whose docstring is the rule as a sentence; it raises
``AssertionError`` where the rule is broken.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.redact import UNKNOWN_THREAD
from yemot_ai_testing.codex.rules.app_server.bench import Stage, refused, said
from yemot_ai_testing.codex.rules.app_server.requests import REQUEST_RULES
from yemot_ai_testing.codex.rules.app_server.turns import TURN_RULES
from yemot_ai_testing.conformance.rule import Case, same, that

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


__all__ = ["CASES", "RULES"]

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
_LONGEST: Final = 1_048_576


def handshake_first(stage: Stage) -> None:
    """Nothing is answered before the handshake."""
    wire = stage.server()
    refused(wire.ask("thread/start", stage.setup()), "Not initialized")
    that("result" in wire.shake_hands(), "a handshake afterwards", "none")


def handshake_once(stage: Stage) -> None:
    """A second handshake is refused."""
    wire = stage.greeted()
    refused(wire.ask("initialize", {"clientInfo": {"name": "x", "version": "1"}}), "Already initialized")


def handshake_tells(stage: Stage) -> None:
    """The handshake tells the home and the version."""
    result = stage.server().shake_hands()["result"]
    same("the home", result["codexHome"], stage.env["CODEX_HOME"])
    that("yemot-ai/" in result["userAgent"], "the client's name", result["userAgent"])


def unknown_method(stage: Stage) -> None:
    """An unknown method is an invalid request, by its name."""
    refused(stage.greeted().ask("no/such"), "unknown variant `no/such`")


def missing_field(stage: Stage) -> None:
    """A missing parameter is named."""
    refused(stage.greeted().ask("thread/resume"), "missing field `threadId`")


def wrong_type(stage: Stage) -> None:
    """A parameter of the wrong type is refused."""
    refused(stage.greeted().ask("thread/start", {"cwd": 5}), "invalid type: integer `5`, expected a string")


def id_echoed(stage: Stage) -> None:
    """An answer bears the id of its question, also a word."""
    wire = stage.greeted()
    wire.write({"id": "one", "method": "thread/loaded/list", "params": {}})
    told = wire.until(lambda message: message.get("id") is not None)
    same("the id", told["id"], "one")


def no_message(stage: Stage) -> None:
    """A line that is no message is passed over."""
    wire = stage.greeted()
    for line in (b"not json", b"{}", b"[]", b""):
        wire.write_line(line)
    same("what is loaded", wire.ask("thread/loaded/list")["result"]["data"], [])


def answer_to_nothing(stage: Stage) -> None:
    """An answer to a question that was never asked is passed over."""
    wire = stage.greeted()
    wire.write({"id": 77, "error": {"code": -32601, "message": "nobody here can answer"}})
    same("what is loaded", wire.ask("thread/loaded/list")["result"]["data"], [])


def start_shape(stage: Stage) -> None:
    """A thread that is started is told with its id, folder and file."""
    result = stage.greeted().ask("thread/start", stage.setup())["result"]
    thread = result["thread"]
    same("the folder", (result["cwd"], thread["cwd"]), (str(stage.work), str(stage.work)))
    that(thread["id"] in Path(thread["path"]).name, "a file of that id", thread["path"])
    same("its turns", (thread["turns"], thread["status"]), ([], {"type": "idle"}))


def start_writes_nothing(stage: Stage) -> None:
    """A thread without a turn is not on disk."""
    thread = stage.greeted().ask("thread/start", stage.setup())["result"]["thread"]
    that(not Path(thread["path"]).exists(), "no file", thread["path"])


def resumed_after_restart(stage: Stage) -> None:
    """A thread is taken up by a later server."""
    stage.model.answers("א").answers("ב")
    first = stage.greeted()
    thread = stage.opened(first)
    stage.told(first, thread, "שמי דוד")
    first.leave()
    wire = stage.greeted()
    shown = wire.ask("thread/resume", stage.setup(threadId=thread, excludeTurns=True))["result"]["thread"]
    same("the thread", (shown["id"], shown["preview"]), (thread, "שמי דוד"))
    same("its turn", stage.told(wire, thread, "ב")["status"], "completed")


def resumed_after_unsubscribe(stage: Stage) -> None:
    """A thread that was let go is taken up again, and is let go once."""
    stage.model.answers("א")
    wire = stage.greeted()
    thread = stage.opened(wire)
    stage.told(wire, thread, "א")
    asked = {"threadId": thread}
    told = [wire.ask("thread/unsubscribe", asked)["result"]["status"] for _ in range(2)]
    same("the answers", told, ["unsubscribed", "notSubscribed"])
    again = wire.ask("thread/resume", stage.setup(threadId=thread, excludeTurns=True))
    same("the thread", again["result"]["thread"]["id"], thread)


def unknown_thread(stage: Stage) -> None:
    """What is asked about an unknown thread is refused, in words that tell it is lost."""
    wire, asked = stage.greeted(), {"threadId": UNKNOWN_THREAD}
    for method in ("thread/resume", "thread/fork", "thread/delete"):
        refused(wire.ask(method, asked), f"no rollout found for thread id {UNKNOWN_THREAD}")
    refused(wire.ask("turn/start", said(UNKNOWN_THREAD, "א")), f"thread not found: {UNKNOWN_THREAD}")
    same("letting go", wire.ask("thread/unsubscribe", asked)["result"]["status"], "notLoaded")


def no_thread_id(stage: Stage) -> None:
    """What is no id is told as such."""
    wire = stage.greeted()
    refused(wire.ask("turn/start", said("zzz", "א")), "invalid thread id: invalid character")
    refused(wire.ask("thread/resume", {"threadId": "zzz"}), "invalid session id: invalid character")


def second_writer(stage: Stage) -> None:
    """A thread that another server has loaded is busy, and can be forked."""
    stage.model.answers("א").answers("ב")
    first, second = stage.greeted(), stage.greeted()
    thread = stage.opened(first)
    stage.told(first, thread, "א")
    asked = stage.setup(threadId=thread, excludeTurns=True)
    refused(second.ask("thread/resume", asked), f"thread {thread} already has an active writer")
    fork = second.ask("thread/fork", asked)["result"]["thread"]
    that(fork["id"] != thread, "another id", fork["id"])
    same("what it comes from", fork["forkedFromId"], thread)
    same("its turn", stage.told(second, fork["id"], "ב")["status"], "completed")


def deleted(stage: Stage) -> None:
    """A thread that is deleted is gone from the disk, and unknown."""
    stage.model.answers("א")
    wire = stage.greeted()
    thread = wire.ask("thread/start", stage.setup())["result"]["thread"]
    stage.told(wire, thread["id"], "א")
    asked = {"threadId": thread["id"]}
    that(Path(thread["path"]).exists(), "a file before", "none")
    same("the answer", wire.ask("thread/delete", asked).get("result"), {})
    that(not Path(thread["path"]).exists(), "no file", thread["path"])
    refused(wire.ask("thread/resume", asked), "no rollout found")


def forked_stays(stage: Stage) -> None:
    """What a fork was made of cannot be deleted."""
    stage.model.answers("א")
    wire = stage.greeted()
    thread = stage.opened(wire)
    stage.told(wire, thread, "א")
    wire.ask("thread/fork", stage.setup(threadId=thread, excludeTurns=True))
    answer = wire.ask("thread/delete", {"threadId": thread})
    refused(answer, f"cannot delete thread {thread}: forked history still references it")


def stdin_closed(stage: Stage) -> None:
    """A server ends by itself when its standard input is closed."""
    wire = stage.greeted()
    stage.opened(wire)
    same("the exit code", wire.leave(), 0)


def not_utf8(stage: Stage) -> None:
    """Bytes that are no UTF-8 are the end of its standard input."""
    wire = stage.greeted()
    wire.write_line(b"\xff")
    same("the exit code", wire.ended(), 0)


def _title(rule: Callable[[Stage], None]) -> str:
    return (rule.__doc__ or "").strip().removesuffix(".")


RULES: Final[Mapping[str, Callable[[Stage], None]]] = {
    "handshake-first": handshake_first,
    "handshake-once": handshake_once,
    "handshake-tells": handshake_tells,
    "rpc-unknown-method": unknown_method,
    "rpc-missing-field": missing_field,
    "rpc-wrong-type": wrong_type,
    "rpc-id-echoed": id_echoed,
    "rpc-no-message": no_message,
    "rpc-answer-to-nothing": answer_to_nothing,
    "thread-start": start_shape,
    "thread-start-writes-nothing": start_writes_nothing,
    "thread-restart": resumed_after_restart,
    "thread-unsubscribe": resumed_after_unsubscribe,
    "thread-unknown": unknown_thread,
    "thread-no-id": no_thread_id,
    "thread-second-writer": second_writer,
    "thread-deleted": deleted,
    "thread-forked-stays": forked_stays,
    **TURN_RULES,
    **REQUEST_RULES,
    "stdin-closed": stdin_closed,
    "stdin-not-utf8": not_utf8,
}
"""All rules, by a stable name whose first word is the chapter."""

CASES: Final[tuple[Case[Stage], ...]] = tuple(
    Case(f"server-{name}", _title(rule), rule, since=_SINCE.get(name, ""), face="app-server")
    for name, rule in RULES.items()
)
"""The same, as the suite has them."""
