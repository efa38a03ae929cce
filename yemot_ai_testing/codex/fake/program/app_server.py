"""The fake Codex as ``codex app-server``: JSON-RPC over standard input and output, one message a line.

Run inside the fake executable. Its messages are recordings of a real server; a method that is not recorded
is answered with an error.
"""

from __future__ import annotations

import json
import os
from typing import Any

from yemot_ai_testing.codex.fake.program.app_server_messages import RecordedMessages, RequestError, now_ms
from yemot_ai_testing.codex.fake.program.app_server_steps import claim_model_step, claim_server_step
from yemot_ai_testing.codex.fake.program.app_server_turn import (
    LoadedThread,
    ServerTurn,
    token_usage,
)
from yemot_ai_testing.codex.fake.program.checks import MAX_PROMPT_LENGTH
from yemot_ai_testing.codex.fake.program.process import FakeProcess, write_text
from yemot_ai_testing.codex.fake.program.threads import (
    ThreadFile,
    delete_rollout,
    find_rollout,
    is_forked,
    is_uuid,
    new_rollout_path,
    read_bytes,
    uuid7,
)

__all__ = ["run_app_server"]

_UUID_CHARACTERS = "0123456789abcdefABCDEF-"
_INVALID_PARAMS = -32602
_METHOD_NOT_FOUND = -32601


def run_app_server(process: FakeProcess) -> int:
    """Answer requests until standard input ends; return the exit code."""
    messages = RecordedMessages(process.state)
    if not messages:
        version = process.recorded_output("version")[1].strip()
        write_text(2, f"the fake Codex has no recording of an app-server of {version}\n")
        return 2
    server = _AppServer(process, messages)
    with open(0, "rb", closefd=False) as lines:
        for line in lines:
            try:
                text = line.decode()
            except UnicodeDecodeError:
                # The real one treats this as the end of its input.
                break
            server.handle_line(text)
    server.remove_turn_markers()
    return 0


class _AppServer:
    """The state of the server between two messages."""

    def __init__(self, process: FakeProcess, messages: RecordedMessages) -> None:
        self._process = process
        self._messages = messages
        self._initialized = False
        self._threads: dict[str, LoadedThread] = {}
        self._unsubscribed: set[str] = set()
        self._handlers = {
            "thread/start": self._start_thread,
            "thread/resume": self._resume_thread,
            "thread/fork": self._fork_thread,
            "thread/unsubscribe": self._unsubscribe_thread,
            "thread/delete": self._delete_thread,
            "thread/loaded/list": self._list_loaded,
            "turn/start": self._start_turn,
            "turn/interrupt": self._interrupt_turn,
        }

    def handle_line(self, line: str) -> None:
        """Handle one line; ignore lines that are not messages, as the real one does."""
        try:
            message = json.loads(line)
        except ValueError:
            return
        if not isinstance(message, dict) or "id" not in message:
            return
        if "method" not in message:
            for thread in self._threads.values():
                if thread.turn is not None:
                    thread.turn.handle_client_answer(message)
            return
        try:
            self._dispatch(message["id"], message["method"], message.get("params") or {})
        except RequestError as error:
            self._messages.send({"error": error.error, "id": message["id"]})

    def remove_turn_markers(self) -> None:
        """Remove the markers of the turns that end with the server."""
        for name in os.listdir(f"{self._process.state}/turns"):  # noqa: PTH208 - as above
            if name.startswith(f"{os.getpid()}-"):
                os.unlink(f"{self._process.state}/turns/{name}")  # noqa: PTH108 - as above

    def _dispatch(self, request_id: object, method: str, params: dict[str, Any]) -> None:
        if method == "initialize":
            self._initialize(request_id, params)
            return
        self._require_handshake()
        if method not in self._handlers:
            unknown = self._messages.recorded_error("handshake", "unknown variant")
            if f"`{method}`" in str(unknown).partition("expected one of")[2]:
                raise RequestError(f"the fake Codex does not implement `{method}`", _METHOD_NOT_FOUND)
            raise RequestError(str(unknown).replace("no/such", method, 1))
        for name, value in params.items():
            if name in {"threadId", "cwd", "baseInstructions", "turnId"} and not isinstance(
                value, str | None
            ):
                found = f"integer `{value}`" if type(value) is int else type(value).__name__
                raise RequestError(f"Invalid request: invalid type: {found}, expected a string")
        self._handlers[method](request_id, params)

    def _require_handshake(self) -> None:
        if not self._initialized:
            raise self._messages.recorded_error("handshake", "Not initialized")

    def _respond(self, request_id: object, result: dict[str, object]) -> None:
        self._messages.send({"id": request_id, "result": result})

    def _initialize(self, request_id: object, params: dict[str, Any]) -> None:
        if self._initialized:
            raise self._messages.recorded_error("handshake", "Already initialized")
        client = params.get("clientInfo")
        if not isinstance(client, dict):
            raise RequestError("Invalid request: missing field `clientInfo`")
        self._initialized = True
        self._respond(
            request_id, {**self._messages.result("answer", "userAgent"), "codexHome": self._process.home}
        )

    def _start_thread(self, request_id: object, params: dict[str, Any]) -> None:
        thread_id = uuid7()
        path = new_rollout_path(self._process.home, thread_id)
        file = ThreadFile(self._process.home, thread_id, path, resumed=False)
        file.acquire_lock()
        thread = self._load_thread(file, params)
        result = self._thread_result(thread, params)
        self._respond(request_id, result)
        self._messages.notify("answer", "thread/started", thread=result["thread"])

    def _load_thread(self, file: ThreadFile, params: dict[str, Any]) -> LoadedThread:
        cwd = params.get("cwd") or str(self._process.run_record["cwd"])
        thread = self._threads[file.id] = LoadedThread(file, cwd, params.get("baseInstructions"))
        thread.policy = params.get("approvalPolicy")
        self._unsubscribed.discard(file.id)
        return thread

    def _thread_result(self, thread: LoadedThread, params: dict[str, Any]) -> dict[str, Any]:
        """Return the result of the request that opens a thread."""
        recorded: dict[str, Any] = self._messages.result("answer", "thread")
        now, model = now_ms() // 1000, params.get("model") or recorded["model"]
        folders = {"cwd": thread.cwd, "runtimeWorkspaceRoots": [thread.cwd]}
        thread_data = {
            **recorded["thread"],
            "id": thread.file.id,
            "sessionId": thread.file.id,
            "environments": [{"environmentId": "local", **folders}],
            "forkedFromId": thread.forked_from,
            "preview": thread.preview,
            "model": model,
            "createdAt": now,
            "updatedAt": now,
            "recencyAt": now,
            "path": thread.file.path,
            "cwd": thread.cwd,
        }
        return {**recorded, **folders, "thread": thread_data, "model": model}

    def _resume_thread(self, request_id: object, params: dict[str, Any]) -> None:
        thread_id = self._thread_id_param(params, "session")
        if thread_id in self._threads:
            self._respond(request_id, self._thread_result(self._threads[thread_id], params))
            return
        scripted = claim_server_step(self._process.state, "unknown_session", "busy_session")
        path = self._rollout_path(thread_id)
        if scripted and scripted[0] == "unknown_session":
            delete_rollout(path)
            raise self._thread_not_found(thread_id)
        file = ThreadFile(self._process.home, thread_id, path, resumed=True)
        if scripted or not file.acquire_lock():
            file.release_lock()
            raise self._messages.recorded_error("busy_session", "active writer", thread_id=thread_id)
        thread = self._load_thread(file, params)
        thread.preview = _first_user_message(path)
        self._respond(request_id, self._thread_result(thread, params))
        self._notify_usage(file)

    def _notify_usage(self, file: ThreadFile) -> None:
        if file.turns:
            usage = token_usage(self._messages, file)
            params: dict[str, object] = {"threadId": file.id, "turnId": uuid7(), "tokenUsage": usage}
            self._messages.notify("answer", "thread/tokenUsage/updated", **params)

    def _fork_thread(self, request_id: object, params: dict[str, Any]) -> None:
        original_id = self._thread_id_param(params, "session")
        path = self._rollout_path(original_id)
        thread_id = uuid7()
        file = ThreadFile(self._process.home, thread_id, path.replace(original_id, thread_id), resumed=False)
        file.acquire_lock()
        meta = f'{{"type":"session_meta","payload":{{"id":"{thread_id}","forked_from_id":"{original_id}"}}}}'
        file.append(meta, *read_bytes(path).decode("utf-8", "replace").splitlines()[1:])
        file.turns = read_bytes(file.path).count(b'"type":"token_count"')
        thread = self._load_thread(file, params)
        thread.forked_from, thread.preview = original_id, _first_user_message(path)
        result = self._thread_result(thread, params)
        self._respond(request_id, result)
        self._messages.notify("answer", "thread/started", thread=result["thread"])
        self._notify_usage(file)

    def _unsubscribe_thread(self, request_id: object, params: dict[str, Any]) -> None:
        thread_id = self._thread_id_param(params, "thread")
        thread = self._threads.pop(thread_id, None)
        if thread is not None:
            thread.file.release_lock()
            self._unsubscribed.add(thread_id)
            self._respond(request_id, {"status": "unsubscribed"})
            return
        self._respond(
            request_id, {"status": "notSubscribed" if thread_id in self._unsubscribed else "notLoaded"}
        )

    def _delete_thread(self, request_id: object, params: dict[str, Any]) -> None:
        thread_id = self._thread_id_param(params, "thread")
        thread = self._threads.pop(thread_id, None)
        if thread is not None:
            thread.file.release_lock()
            self._messages.notify(
                "answer", "thread/status/changed", threadId=thread_id, status={"type": "notLoaded"}
            )
        path = self._rollout_path(thread_id)
        if is_forked(self._process.home, thread_id):
            raise self._messages.recorded_error("busy_session", "cannot delete", thread_id=thread_id)
        delete_rollout(path)
        self._respond(request_id, {})
        self._messages.notify("resumed", "thread/deleted", threadId=thread_id)

    def _list_loaded(self, request_id: object, _params: dict[str, Any]) -> None:
        self._respond(request_id, {"data": list(self._threads), "nextCursor": None})

    def _start_turn(self, request_id: object, params: dict[str, Any]) -> None:
        thread = self._loaded_thread(params)
        prompt = _prompt_of(params)
        if len(prompt) > MAX_PROMPT_LENGTH:
            data = {"input_error_code": "input_too_large", "max_chars": MAX_PROMPT_LENGTH}
            message = f"Input exceeds the maximum length of {MAX_PROMPT_LENGTH} characters."
            raise RequestError(message, _INVALID_PARAMS, {**data, "actual_chars": len(prompt)})
        self._apply_session_step(thread)
        step = claim_model_step(self._process.state)
        thread.create_file()
        turn = thread.turn
        if turn is None or not turn.cancel_model_call():
            turn = thread.turn = ServerTurn(self._process.state, self._messages, thread)
            self._respond(request_id, {"turn": turn.as_message("inProgress")})
            turn.begin()
        else:
            self._respond(request_id, {"turn": turn.as_message("inProgress")})
        # The test may see the run record only when the turn is running.
        self._write_run_record(thread, prompt, step)
        thread.preview = thread.preview or prompt
        turn.add_user_message(prompt, step)

    def _apply_session_step(self, thread: LoadedThread) -> None:
        """Apply the next session step of the script to a thread that the client has already loaded."""
        scripted = claim_server_step(self._process.state, "unknown_session", "busy_session")
        thread_id = thread.file.id
        if scripted and scripted[0] == "busy_session":
            raise self._messages.recorded_error("busy_session", "active writer", thread_id=thread_id)
        if scripted:
            del self._threads[thread_id]
            thread.file.release_lock()
            raise self._messages.recorded_error(
                "unknown_thread", "thread not found", unknown_thread_id=thread_id
            )

    def _write_run_record(self, thread: LoadedThread, prompt: str, step: dict[str, Any]) -> None:
        run = FakeProcess(self._process.state, self._process.argv)
        run.run_record.update(
            prompt=prompt.encode("utf-8", "replace"),
            cwd=thread.cwd,
            thread=thread.file.id,
            resumed_thread=thread.file.id if thread.file.turns or thread.preview else "",
            instructions=thread.instructions,
            called_model=True,
            unscripted="unscripted" in step,
            step=step.get("name", ""),
        )
        run.write_run_record()

    def _interrupt_turn(self, request_id: object, params: dict[str, Any]) -> None:
        thread = self._loaded_thread(params)
        turn, turn_id = thread.turn, str(params.get("turnId", ""))
        if turn is None:
            raise self._messages.recorded_error("interrupted", "no active turn")
        if turn_id != turn.id:
            ids = {"unknown_thread_id": turn_id, "thread_id": turn.id}
            raise self._messages.recorded_error("interrupted", "expected active", **ids)
        turn.interrupt(request_id)

    def _loaded_thread(self, params: dict[str, Any]) -> LoadedThread:
        thread_id = self._thread_id_param(params, "thread")
        if thread_id not in self._threads:
            raise self._messages.recorded_error(
                "unknown_thread", "thread not found", unknown_thread_id=thread_id
            )
        return self._threads[thread_id]

    def _thread_id_param(self, params: dict[str, Any], label: str) -> str:
        thread_id = params.get("threadId")
        if thread_id is None:
            raise self._messages.recorded_error("handshake", "missing field `threadId`")
        invalid = next((index for index, one in enumerate(thread_id) if one not in _UUID_CHARACTERS), None)
        if invalid is not None or not is_uuid(thread_id):
            index = invalid or 0
            expected = "expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-]"
            found = f"found `{thread_id[index : index + 1]}` at {index + 1}"
            raise RequestError(f"invalid {label} id: invalid character: {expected}, {found}")
        return str(thread_id).lower()

    def _rollout_path(self, thread_id: str) -> str:
        path = find_rollout(self._process.home, thread_id)
        if not path:
            raise self._thread_not_found(thread_id)
        return path

    def _thread_not_found(self, thread_id: str) -> RequestError:
        return self._messages.recorded_error("unknown_thread", "no rollout", unknown_thread_id=thread_id)


def _prompt_of(params: dict[str, Any]) -> str:
    return "\n".join(str(one.get("text", "")) for one in params.get("input", []) if one.get("type") == "text")


def _first_user_message(path: str) -> str:
    for line in read_bytes(path).split(b"\n"):
        if b'"type":"user_message"' in line:
            return str(json.loads(line)["payload"]["message"])
    return ""
