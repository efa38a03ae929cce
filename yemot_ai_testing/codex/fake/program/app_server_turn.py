"""One turn of the fake app-server; the model's steps run in threads.

Run inside the fake executable.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from yemot_ai_testing.codex.fake.program.app_server_messages import RecordedMessages, exit_now, now_ms
from yemot_ai_testing.codex.fake.program.app_server_steps import claim_model_step
from yemot_ai_testing.codex.fake.program.process import FakeProcess, write_text
from yemot_ai_testing.codex.fake.program.threads import ThreadFile, json_string, uuid7

__all__ = ["LoadedThread", "ServerTurn"]


class LoadedThread:
    """A thread that the server has loaded."""

    __slots__ = ("cwd", "file", "forked_from", "instructions", "policy", "preview", "turn")

    def __init__(self, file: ThreadFile, cwd: str, instructions: str | None) -> None:
        self.file = file
        self.cwd = cwd
        self.instructions = instructions
        self.forked_from: str | None = None
        self.policy: object = None
        self.preview = ""
        self.turn: ServerTurn | None = None

    def create_file(self) -> None:
        """Create the file of the thread at its first turn, not earlier (measured)."""
        if not os.path.exists(self.file.path):  # noqa: PTH110 - pathlib is too slow to import here
            os.makedirs(os.path.dirname(self.file.path), exist_ok=True)  # noqa: PTH103, PTH120 - as above
            meta = f'"id":"{self.file.id}","cwd":{json_string(self.cwd)}'
            self.file.append(f'{{"type":"session_meta","payload":{{{meta}}}}}')


class ServerTurn:
    """A running turn: started by ``begin``, ended by the model or by ``interrupt``."""

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
        """Return the turn as messages contain it."""
        return {
            **self._messages.result("answer", "turn")["turn"],
            "id": self.id,
            "rootTurnId": self.id,
            "status": status,
            **filled,
        }

    def begin(self) -> None:
        """Start the turn, and notify the client."""
        with open(self._marker, "wb"):  # noqa: PTH123 - as above
            pass
        self._notify_status({"type": "active", "activeFlags": []})
        turn = self.as_message("inProgress", startedAt=self._started_at // 1000)
        self._notify("answer", "turn/started", turn=turn)

    def cancel_model_call(self) -> bool:
        """Cancel the running model call for another prompt; return False if the turn has ended."""
        with self._lock:
            self._call_number += 1
            return not self.ended

    def add_user_message(self, prompt: str, step: dict[str, Any]) -> None:
        """Add a prompt of the user, and start a model call with the next step."""
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
        self._thread.file.append_message("user_message", prompt)
        threading.Thread(target=self._run_step, args=(self._call_number, step), daemon=True).start()

    def interrupt(self, request_id: object) -> None:
        """End the turn at once."""
        with self._lock:
            if self._pieces_sent:
                self._complete_message()
            self._messages.send({"id": request_id, "result": {}})
            self._complete_turn("idle", "interrupted")

    def _is_stale(self, call: int) -> bool:
        return self.ended or call != self._call_number

    def _run_step(self, call: int, step: dict[str, Any]) -> None:
        FakeProcess(self._state, []).wait_at_gate()
        if not self._retry_streams(call, step["broken"]):
            return
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
        if not self._say(call, str(step.get("saying", ""))):
            return
        case = str(step["case"])
        if not self._stream_pieces(call, step["pieces"], case, float(step.get("every", 0.0))):
            return
        with self._lock:
            if self._is_stale(call):
                return
            if case in {"answer", "no_message"}:
                self._complete_answer(case)
            elif case:
                self._fail(case, ends_message=bool(step.get("ends_message")))

    def _retry_streams(self, call: int, broken: list[list[str]]) -> bool:
        """Write the streams that break off, each with its notification; return False if cancelled."""
        for number, pieces in enumerate(broken, start=1):
            if not self._stream_pieces(call, pieces, "reconnected", 0.0):
                return False
            with self._lock:
                if self._is_stale(call):
                    return False
                self._pieces_sent = []
                error = dict(self._messages.params("reconnected", "error")["error"])
                error["message"] = error["message"].replace("1/1", f"{number}/{len(broken)}")
                self._notify("reconnected", "error", turnId=self.id, error=error)
        return True

    def _say(self, call: int, text: str) -> bool:
        """Write a complete message before the answer, if there is one; return False if cancelled."""
        if not text:
            return True
        if not self._stream_pieces(call, [text], "answer", 0.0, item_id="msg_0"):
            return False
        with self._lock:
            if self._is_stale(call):
                return False
            self._store_message(item_id="msg_0")
            self._pieces_sent = []
        return True

    def _fail(self, case: str, *, ends_message: bool) -> None:
        """End the turn with the error of a recorded case."""
        if ends_message:
            self._store_message()
        if self._messages.has_notification(case, "thread/tokenUsage/updated"):
            self._count_tokens(case)
        error = self._messages.params(case, "error")["error"]
        self._notify_status({"type": "systemError"})
        self._notify(case, "error", turnId=self.id, error=error)
        self._complete_turn("", "failed", error=error)

    def _ask_client(self, kind: str) -> None:
        """Send the client a request; if its policy forbids that, run the model's next step."""
        if not self._may_ask(kind):
            self._run_next_step()
            return
        before, request, _ = _split_at_request(self._messages.request_sequence(f"{kind}_refused"))
        for message in before:
            self._notify_recorded(message)
        request_id = self._messages.send_request(request["method"], self._fill_in(request["params"]))
        self._pending_request = (request_id, kind)

    def _may_ask(self, kind: str) -> bool:
        """Return whether the client's approval policy allows this request."""
        return kind != "approval" or self._thread.policy != "never"

    def handle_client_answer(self, message: dict[str, Any]) -> None:
        """Handle the client's answer to a request."""
        with self._lock:
            if self.ended or self._pending_request is None or message["id"] != self._pending_request[0]:
                return
            _, kind = self._pending_request
            self._pending_request = None
            if "error" not in message and message.get("result") != {"decision": "decline"}:
                write_text(2, "the fake Codex runs no command, and has no tool\n")
                exit_now(2)
            _, _, after = _split_at_request(self._messages.request_sequence(f"{kind}_{_outcome(message)}"))
            for recorded in after:
                self._notify_recorded(recorded, requestId=message["id"])
            self._run_next_step()

    def _run_next_step(self) -> None:
        """Run the model's next step."""
        step = claim_model_step(self._state)
        threading.Thread(target=self._run_step, args=(self._call_number, step), daemon=True).start()

    def _notify_recorded(self, message: dict[str, Any], **filled: object) -> None:
        params = self._fill_in(message["params"])
        values = {name: value for name, value in filled.items() if name in params}
        self._messages.send(
            {"method": message["method"], "params": {**params, **values}, "emittedAtMs": now_ms()}
        )

    def _fill_in(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return recorded parameters with the values of this turn."""
        at = now_ms()
        own: dict[str, object] = {"threadId": self._thread.file.id, "turnId": self.id}
        own |= {"cwd": self._thread.cwd, "startedAtMs": at, "completedAtMs": at}
        values = {name: value for name, value in own.items() if params.get(name) is not None}
        item = params.get("item")
        return {**params, **values, **({"item": self._fill_in(item)} if isinstance(item, dict) else {})}

    def _stream_pieces(
        self, call: int, pieces: list[str], case: str, every: float, *, item_id: str = "msg_1"
    ) -> bool:
        """Write the pieces of a message; return False if the call was cancelled."""
        if pieces or case in {"no_message", "cut_length", "cut_content_filter"}:
            at = now_ms()
            self._notify_item("item/started", self._agent_message(item_id, "", None), startedAtMs=at)
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(every)
                FakeProcess(self._state, []).wait_at_gate()
            with self._lock:
                if self._is_stale(call):
                    return False
                self._pieces_sent.append(piece)
                self._notify("answer", "item/agentMessage/delta", turnId=self.id, itemId=item_id, delta=piece)
        return True

    def _complete_answer(self, case: str) -> None:
        message = self._store_message()
        self._count_tokens("answer")
        self._messages.notify("answer", "account/rateLimits/updated")
        items: dict[str, Any] = {"items": [message], "itemsView": "summary"} if case == "answer" else {}
        self._complete_turn("idle", "completed", **items)

    def _store_message(self, *, item_id: str = "msg_1") -> dict[str, Any]:
        message = self._complete_message(item_id=item_id)
        self._thread.file.append_message("agent_message", message["text"])
        return message

    def _count_tokens(self, case: str) -> None:
        """Add the tokens of the turn to those of the thread, and notify the client."""
        file = self._thread.file
        file.turns += 1
        file.append('{"type":"event_msg","payload":{"type":"token_count","info":{}}}')
        usage = token_usage(self._messages, file)
        usage["last"] = self._messages.params(case, "thread/tokenUsage/updated")["tokenUsage"]["last"]
        self._notify("answer", "thread/tokenUsage/updated", turnId=self.id, tokenUsage=usage)

    def _complete_message(self, *, item_id: str = "msg_1") -> dict[str, Any]:
        at = now_ms()
        message = self._agent_message(item_id, "".join(self._pieces_sent), at)
        self._notify_item("item/completed", message, completedAtMs=at)
        return message

    def _agent_message(self, item_id: str, text: str, completed: int | None) -> dict[str, Any]:
        item = self._messages.params("answer", "item/completed")["item"]
        return {**item, "id": item_id, "text": text, "startedAtMs": now_ms(), "completedAtMs": completed}

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
        # Removed first: after the notification the test must not count this turn as running.
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
    """Return the messages before a request, the request, and the messages after it."""
    index = next(index for index, message in enumerate(messages) if "id" in message)
    return messages[:index], messages[index], messages[index + 1 :]


def _outcome(message: dict[str, Any]) -> str:
    """Return the client's decision, as in the names of the recordings."""
    return "refused" if "error" in message else "declined"


def token_usage(messages: RecordedMessages, file: ThreadFile) -> dict[str, Any]:
    """Return the usage as the real one counts it: the tokens of the last turn and of the whole thread."""
    usage = dict(messages.params("answer", "thread/tokenUsage/updated")["tokenUsage"])
    usage["total"] = {name: tokens * file.turns for name, tokens in usage["last"].items()}
    return usage
