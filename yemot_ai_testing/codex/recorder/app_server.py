"""Records what a real ``codex app-server`` says, answered by a model service on this machine.

::

    python -m yemot_ai_testing.codex.recorder.app_server FOLDER
"""

from __future__ import annotations

import json
import re
import socket
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex.binary import locate
from yemot_ai_testing.codex.recorder.session import studio, version_of
from yemot_ai_testing.codex.redact import UNKNOWN_THREAD, UnpublishableError, problems
from yemot_ai_testing.codex.rules.app_server.wire import Said, Wire
from yemot_ai_testing.doubles.model_service import responses as api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from yemot_ai_testing.codex.recorder.session import Studio

__all__ = ["CASES", "record"]

_TIME: Final = re.compile(
    r'"((?:emitted|started|completed|created|updated|recency)At(?:Ms)?|durationMs)": \d+'
)
_LONGEST: Final = 4096
_REFUSALS: Final = (
    "rate_limited",
    "overloaded",
    "context_overflow",
    "unauthorized",
    "quota_exceeded",
    "unknown_model",
)


@dataclass(frozen=True, slots=True)
class _Set:
    """Where a case is played.

    Attributes:
        studio: the place, and the model.
        wire: a server that has just been started.
    """

    studio: Studio
    wire: Wire

    def setup(self, **further: object) -> dict[str, Any]:
        """How a thread is to be."""
        ours = {"approvalPolicy": "never", "sandbox": "read-only", "baseInstructions": "ענה בקצרה"}
        return {**ours, "cwd": str(self.studio.work), **further}

    def opened(self) -> str:
        """A new thread, after the handshake."""
        self.wire.shake_hands()
        return str(self.wire.ask("thread/start", self.setup())["result"]["thread"]["id"])

    def says(self, thread: str, words: str) -> None:
        """Take a turn to its end."""
        self.wire.send("turn/start", _words(thread, words))
        self.wire.told("turn/completed")


def _words(thread: str, words: str) -> dict[str, Any]:
    return {"threadId": thread, "input": [{"type": "text", "text": words}]}


def _handshake(stage: _Set) -> None:
    wire = stage.wire
    wire.ask("thread/start", {})
    client = wire.shake_hands()
    wire.ask("initialize", {"clientInfo": {"name": "yemot-ai", "version": "1"}})
    wire.ask("no/such", {})
    wire.ask("thread/start", {"cwd": 5})
    wire.ask("thread/resume", {})
    wire.write({"id": "one", "method": "thread/loaded/list", "params": {}})
    wire.until(lambda told: told.get("id") == "one")
    assert client["result"]  # noqa: S101 - a recording without it would be useless


def _answer(stage: _Set) -> None:
    thread = stage.opened()
    stage.studio.model.answers(["של", "ום"])
    stage.says(thread, "מי שם?")


def _resumed(stage: _Set) -> None:
    thread = stage.opened()
    stage.studio.model.answers("א")
    stage.says(thread, "א")
    stage.wire.ask("thread/unsubscribe", {"threadId": thread})
    stage.wire.ask("thread/unsubscribe", {"threadId": thread})
    stage.wire.ask("thread/resume", stage.setup(threadId=thread, excludeTurns=True))
    stage.studio.model.answers("ב")
    stage.says(thread, "ב")
    stage.wire.ask("thread/delete", {"threadId": thread})
    stage.wire.told("thread/deleted")


def _refused(kind: Any) -> Callable[[_Set], None]:  # noqa: ANN401 - one of a list of words
    def play(stage: _Set) -> None:
        thread = stage.opened()
        stage.studio.model.fails(kind)
        stage.says(thread, "מי שם?")

    return play


def _cut_stream(stage: _Set) -> None:
    thread = stage.opened()
    stage.studio.model.drops("חצי")
    stage.says(thread, "מי שם?")


def _unscripted(stage: _Set) -> None:
    stage.says(stage.opened(), "מי שם?")


def _no_message(stage: _Set) -> None:
    thread = stage.opened()
    stage.studio.model.answers("")
    stage.says(thread, "מי שם?")


def _interrupted(stage: _Set) -> None:
    thread, wire = stage.opened(), stage.wire
    stage.studio.model.hangs(saying="רגע")  # type: ignore[call-arg]  # the service knows it
    wire.send("turn/start", _words(thread, "מי שם?"))
    turn = wire.told("turn/started")["turn"]["id"]
    wire.told("item/agentMessage/delta")
    wire.ask("turn/interrupt", {"threadId": thread, "turnId": UNKNOWN_THREAD})
    wire.send("turn/interrupt", {"threadId": thread, "turnId": turn})
    wire.told("turn/completed")
    wire.ask("turn/interrupt", {"threadId": thread, "turnId": turn})


def _steered(stage: _Set) -> None:
    thread, wire, model = stage.opened(), stage.wire, stage.studio.model
    model.holds()  # type: ignore[attr-defined]  # the service knows it
    model.answers("א")
    model.answers("ב")
    wire.send("turn/start", _words(thread, "א"))
    model.wait_asked(1)
    wire.ask("turn/start", _words(thread, "ב"))
    model.releases()  # type: ignore[attr-defined]  # as above
    wire.told("turn/completed")


def _unknown_thread(stage: _Set) -> None:
    wire = stage.wire
    wire.shake_hands()
    for method in ("thread/resume", "thread/fork", "thread/unsubscribe", "thread/delete"):
        wire.ask(method, {"threadId": UNKNOWN_THREAD})
    wire.ask("turn/start", _words(UNKNOWN_THREAD, "א"))
    wire.ask("turn/interrupt", {"threadId": UNKNOWN_THREAD, "turnId": UNKNOWN_THREAD})
    wire.ask("turn/start", _words("zzz", "א"))
    wire.ask("thread/resume", {"threadId": "zzz"})


def _too_long(stage: _Set) -> None:
    stage.wire.ask("turn/start", _words(stage.opened(), "א" * 1_048_577))


def _busy_session(stage: _Set) -> None:
    thread = stage.opened()
    stage.studio.model.answers("א")
    stage.says(thread, "א")
    with _server(stage.studio) as second:
        rival = _Set(stage.studio, second)
        second.shake_hands()
        second.ask("thread/resume", rival.setup(threadId=thread, excludeTurns=True))
        fork = second.ask("thread/fork", rival.setup(threadId=thread, excludeTurns=True))
        stage.studio.model.answers("ב")
        rival.says(fork["result"]["thread"]["id"], "ב")
        stage.wire.said.extend(second.said)
    stage.wire.ask("thread/delete", {"threadId": thread})


def _asked(
    method: str, call: Mapping[str, Any], answer: Mapping[str, Any], **setup: object
) -> Callable[[_Set], None]:
    """A turn in which the server asks its client, and is given this answer."""

    def play(stage: _Set) -> None:
        wire, model = stage.wire, stage.studio.model
        wire.shake_hands(experimental=True)
        thread = wire.ask("thread/start", stage.setup(**setup))["result"]["thread"]["id"]
        model.emits(call)
        model.answers("סוף")
        wire.send("turn/start", _words(thread, "א"))
        asked = wire.asked(method)
        wire.write({"id": asked["id"], **answer})
        wire.told("turn/completed")

    return play


_APPROVAL: Final = "item/commandExecution/requestApproval"
_COMMAND: Final = api.function_call("exec_command", {"cmd": "touch made"})
_NOBODY: Final = {"error": {"code": -32601, "message": "nobody here can answer"}}
_CLOCK: Final = {
    "name": "clock",
    "description": "the time",
    "inputSchema": {"type": "object", "properties": {}},
}

CASES: Final[Mapping[str, Callable[[_Set], None]]] = {
    "handshake": _handshake,
    "answer": _answer,
    "resumed": _resumed,
    **{kind: _refused(kind) for kind in _REFUSALS},
    "cut_stream": _cut_stream,
    "unscripted": _unscripted,
    "no_message": _no_message,
    "interrupted": _interrupted,
    "steered": _steered,
    "unknown_thread": _unknown_thread,
    "too_long": _too_long,
    "busy_session": _busy_session,
    "approval_declined": _asked(
        _APPROVAL, _COMMAND, {"result": {"decision": "decline"}}, approvalPolicy="untrusted"
    ),
    "approval_refused": _asked(_APPROVAL, _COMMAND, _NOBODY, approvalPolicy="untrusted"),
    "tool_refused": _asked("item/tool/call", api.function_call("clock", {}), _NOBODY, dynamicTools=[_CLOCK]),
}


def record(executable: Path, case: str) -> str:
    """The JSON lines of one case.

    Raises:
        UnpublishableError: something of this machine is still in them.
    """
    with studio(executable) as place, _server(place) as wire:
        CASES[case](_Set(place, wire))
        lines = [_line(place, said) for said in wire.said]
    for line in lines:
        if found := problems(line):
            raise UnpublishableError(f"{case}: {found}")
    return "".join(f"{line}\n" for line in lines)


@contextmanager
def _server(place: Studio) -> Iterator[Wire]:
    command = [str(place.executable), "app-server", *place.settings]
    wire = Wire.open(command, env=place.environment, cwd=place.work)
    try:
        yield wire
    finally:
        wire.close()


def _line(place: Studio, said: Said) -> str:
    text = place.scrub(json.dumps({"by": said.by, "message": said.message}, ensure_ascii=False))
    text = _TIME.sub(r'"\1": 0', text).replace(f'"{socket.gethostname()}"', '"{host}"')
    text = re.sub(r" \([^()]*\) unknown", " ({system}) unknown", text)
    text = re.sub(r"sessions/[\d/]+/rollout-[\dT-]+?-\{", "sessions/{day}/rollout-{second}-{", text)
    return re.sub(rf"(.)\1{{{_LONGEST},}}", r"\1…", text)


def main(target: Path) -> None:
    """Record every case of the real binary under ``target``."""
    executable = locate("real")
    folder = target / version_of(executable)
    folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        (folder / f"{case}.jsonl").write_text(record(executable, case), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
