"""One turn of the fake app-server: the model that plays a step, beside everything else.

Run inside the fake executable.
"""

from __future__ import annotations

import marshal
import os
import threading
import time
from typing import Any

from yemot_ai_testing.codex.fake.program.app_server_messages import RecordedMessages, exit_now, now_ms
from yemot_ai_testing.codex.fake.program.process import FakeProcess, write_text
from yemot_ai_testing.codex.fake.program.threads import ThreadFile, json_string, read_bytes, uuid7

__all__ = ["LoadedThread", "ServerTurn", "claim_server_step"]


class LoadedThread:
    """A thread that a server has at hand."""

    __slots__ = ("cwd", "file", "forked_from", "instructions", "policy", "preview", "turn")

    def __init__(self, file: ThreadFile, cwd: str, instructions: str | None) -> None:
        self.file = file
        self.cwd = cwd
        self.instructions = instructions
        self.forked_from: str | None = None
        self.policy: object = None
        self.preview = ""
        self.turn: ServerTurn | None = None


def claim_server_step(state: str, *kinds: str) -> tuple[str, dict[str, Any]] | None:
    """Take the next step, if it is of one of these kinds (any, if none is named)."""
    for name in sorted(os.listdir(f"{state}/steps")):  # noqa: PTH208 - pathlib is too slow to import here
        kind = name.partition("-")[2]
        if kinds and kind not in kinds:
            return None
        try:
            os.rename(f"{state}/steps/{name}", f"{state}/taken/{name}")  # noqa: PTH104 - as above
        except FileNotFoundError:
            continue
        return kind, marshal.loads(read_bytes(f"{state}/server_steps/{name}"))  # noqa: S302 - our own file
    return None


class ServerTurn:
    """A turn that runs: begun by ``begin``, ended by its model or by ``interrupt``."""

    __slots__ = (
        "_call_number",
        "_lock",
        "_marker",
        "_messages",
        "_pending_request",
        "_pieces_sent",
        "_started_at",
        "_state",
        "_thread",
        "ended",
        "id",
    )

    def __init__(self, state: str, messages: RecordedMessages, thread: LoadedThread) -> None:
        self.id = uuid7()
        self.ended = False
        self._state = state
        self._messages = messages
        self._thread = thread
        self._started_at = now_ms()
        self._lock = threading.RLock()
        self._call_number = 0
        self._pieces_sent: list[str] = []
        self._pending_request: tuple[int, str] | None = None
        self._marker = f"{state}/turns/{os.getpid()}-{self.id}"

    def as_message(self, status: str, **filled: object) -> dict[str, Any]:
        """The turn as messages show it."""
        return {
            **self._messages.result("answer", "turn")["turn"],
            "id": self.id,
            "rootTurnId": self.id,
            "status": status,
            **filled,
        }

    def begin(self) -> None:
        """Tell that it runs."""
        with open(self._marker, "wb"):  # noqa: PTH123 - as above
            pass
        self._notify_status({"type": "active", "activeFlags": []})
        turn = self.as_message("inProgress", startedAt=self._started_at // 1000)
        self._notify("answer", "turn/started", turn=turn)

    def cancel_model_call(self) -> bool:
        """Let go of the model that is being asked, for further words; False if the turn is over already."""
        with self._lock:
            self._call_number += 1
            return not self.ended

    def add_user_message(self, prompt: str, step: dict[str, Any]) -> None:
        """Take words of the user; the model that is being asked is asked anew."""
        at = now_ms()
        item = {
            "type": "userMessage",
            "id": uuid7(),
            "clientId": None,
            "content": [{"type": "text", "text": prompt, "text_elements": []}],
            "startedAtMs": at,
        }
        with self._lock:
            self._call_number += 1
            self._pieces_sent = []
            self._notify_item("item/started", {**item, "completedAtMs": None}, startedAtMs=at)
            self._notify_item("item/completed", {**item, "completedAtMs": at}, completedAtMs=at)
        self._thread.file.append(
            f'{{"type":"event_msg","payload":{{"type":"user_message","message":{json_string(prompt)}}}}}'
        )
        threading.Thread(target=self._run_step, args=(self._call_number, step), daemon=True).start()

    def interrupt(self, request_id: object) -> None:
        """End it, whatever its model does."""
        with self._lock:
            if self._pieces_sent:
                self._complete_message()
            self._messages.send({"id": request_id, "result": {}})
            self._complete_turn("idle", "interrupted")

    def _is_stale(self, call: int) -> bool:
        return self.ended or call != self._call_number

    def _run_step(self, call: int, step: dict[str, Any]) -> None:
        FakeProcess(self._state, []).wait_at_gate()
        time.sleep(float(step.get("after", 0.0)))
        with self._lock:
            if self._is_stale(call):
                return
            if "client_request" in step:
                self._ask_client(str(step["client_request"]))
                return
            if "exit_code" in step:
                write_text(2, str(step.get("stderr", "")))
                write_text(1, str(step.get("stdout", "")))
                exit_now(int(step["exit_code"]))
        ends = str(step["case"])
        if not self._stream_pieces(call, step["pieces"], ends, float(step.get("every", 0.0))):
            return
        with self._lock:
            if self._is_stale(call):
                return
            if ends in {"answer", "no_message"}:
                self._complete_answer(ends)
            elif ends:
                error = self._messages.params(ends, "error")["error"]
                self._notify_status({"type": "systemError"})
                self._notify(ends, "error", turnId=self.id, error=error)
                self._complete_turn("", "failed", error=error)

    def _ask_client(self, kind: str) -> None:
        """Ask the client; where nobody is to be asked, let the model go on."""
        if not self._may_ask(kind):
            self._run_next_step()
            return
        before, question, _ = _split_at_request(self._messages.request_sequence(f"{kind}_refused"))
        for one in before:
            self._notify_recorded(one)
        self._pending_request = (
            self._messages.send_request(question["method"], self._fill_in(question["params"])),
            kind,
        )

    def _may_ask(self, what: str) -> bool:
        """Return whether the client's approval policy allows this question."""
        return what != "approval" or self._thread.policy != "never"

    def handle_client_answer(self, message: dict[str, Any]) -> None:
        """Hear what the client says to a question."""
        with self._lock:
            if self.ended or self._pending_request is None or message["id"] != self._pending_request[0]:
                return
            _, what = self._pending_request
            self._pending_request = None
            if "error" not in message and message.get("result") != {"decision": "decline"}:
                write_text(2, "the fake Codex runs no command, and has no tool\n")
                exit_now(2)
            _, _, after = _split_at_request(self._messages.request_sequence(f"{what}_{_outcome(message)}"))
            for one in after:
                self._notify_recorded(one, requestId=message["id"])
            self._run_next_step()

    def _run_next_step(self) -> None:
        """The model takes its next step."""
        taken = claim_server_step(self._state)
        step: dict[str, Any] = taken[1] if taken else {"pieces": [], "case": "unscripted"}
        threading.Thread(target=self._run_step, args=(self._call_number, step), daemon=True).start()

    def _notify_recorded(self, message: dict[str, Any], **filled: object) -> None:
        params = self._fill_in(message["params"])
        known = {name: value for name, value in filled.items() if name in params}
        self._messages.send(
            {"method": message["method"], "params": {**params, **known}, "emittedAtMs": now_ms()}
        )

    def _fill_in(self, params: dict[str, Any]) -> dict[str, Any]:
        """Recorded parameters, as those of this turn."""
        at = now_ms()
        ours: dict[str, object] = {"threadId": self._thread.file.id, "turnId": self.id}
        ours |= {"cwd": self._thread.cwd, "startedAtMs": at, "completedAtMs": at}
        known = {name: value for name, value in ours.items() if params.get(name) is not None}
        item = params.get("item")
        return {**params, **known, **({"item": self._fill_in(item)} if isinstance(item, dict) else {})}

    def _stream_pieces(self, call: int, pieces: list[str], ends: str, every: float) -> bool:
        """Write the pieces; False if nobody wants them any more."""
        if pieces or ends == "no_message":
            at = now_ms()
            self._notify_item("item/started", self._agent_message("", None), startedAtMs=at)
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(every)
                FakeProcess(self._state, []).wait_at_gate()
            with self._lock:
                if self._is_stale(call):
                    return False
                self._pieces_sent.append(piece)
                self._notify("answer", "item/agentMessage/delta", turnId=self.id, itemId="msg_1", delta=piece)
        return True

    def _complete_answer(self, ends: str) -> None:
        text = "".join(self._pieces_sent)
        message = self._complete_message()
        kept = self._thread.file
        kept.turns += 1
        said = f'{{"type":"event_msg","payload":{{"type":"agent_message","message":{json_string(text)}}}}}'
        kept.append(said, '{"type":"event_msg","payload":{"type":"token_count","info":{}}}')
        self._notify(
            "answer",
            "thread/tokenUsage/updated",
            turnId=self.id,
            tokenUsage=token_usage(self._messages, kept),
        )
        self._messages.notify("answer", "account/rateLimits/updated")
        items: dict[str, Any] = {"items": [message], "itemsView": "summary"} if ends == "answer" else {}
        self._complete_turn("idle", "completed", **items)

    def _complete_message(self) -> dict[str, Any]:
        at = now_ms()
        message = self._agent_message("".join(self._pieces_sent), at)
        self._notify_item("item/completed", message, completedAtMs=at)
        return message

    def _agent_message(self, text: str, completed: int | None) -> dict[str, Any]:
        item = self._messages.params("answer", "item/completed")["item"]
        return {**item, "text": text, "startedAtMs": now_ms(), "completedAtMs": completed}

    def _complete_turn(self, status: str, turn_status: str, **filled: object) -> None:
        self.ended = True
        self._thread.turn = None
        if status:
            self._notify_status({"type": status})
        at = now_ms()
        times = {
            "startedAt": self._started_at // 1000,
            "completedAt": at // 1000,
            "durationMs": at - self._started_at,
        }
        # Taken away first: whoever hears of the end must not find the turn under way.
        os.unlink(self._marker)  # noqa: PTH108 - as above
        self._notify("answer", "turn/completed", turn=self.as_message(turn_status, **times, **filled))

    def _notify_status(self, status: dict[str, Any]) -> None:
        self._notify("answer", "thread/status/changed", status=status)

    def _notify_item(self, method: str, item: dict[str, Any], **filled: object) -> None:
        self._notify("answer", method, item=item, turnId=self.id, **filled)

    def _notify(self, case: str, method: str, **filled: object) -> None:
        self._messages.notify(case, method, threadId=self._thread.file.id, **filled)


def _split_at_request(
    messages: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, Any], list[dict[str, Any]]]:
    """Return the messages before a question, the question, and the messages after it."""
    place = next(n for n, one in enumerate(messages) if "id" in one)
    return messages[:place], messages[place], messages[place + 1 :]


def _outcome(message: dict[str, Any]) -> str:
    """Return what the client's response to a question amounts to, as recordings are named."""
    return "refused" if "error" in message else "declined"


def token_usage(messages: RecordedMessages, file: ThreadFile) -> dict[str, Any]:
    """What the real one counts: the tokens of the last turn, and of the whole thread."""
    counted = dict(messages.params("answer", "thread/tokenUsage/updated")["tokenUsage"])
    counted["total"] = {name: tokens * file.turns for name, tokens in counted["last"].items()}
    return counted
