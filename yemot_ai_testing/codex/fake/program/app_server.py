"""The fake Codex as ``codex app-server``: JSON-RPC, a line a message, over standard input and output.

Run inside the fake executable. What it says was recorded from a real server; what was not recorded, it
refuses in words of its own.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from yemot_ai_testing.codex.fake.program.app_server_turn import Loaded, Turn, claimed, usage
from yemot_ai_testing.codex.fake.program.app_server_words import RefusalError, Words, now_ms
from yemot_ai_testing.codex.fake.program.checks import LONGEST_PROMPT
from yemot_ai_testing.codex.fake.program.process import Process, say
from yemot_ai_testing.codex.fake.program.threads import Thread, is_uuid, quoted, read, rollout, uuid7

__all__ = ["serve"]

_HEXADECIMAL = "0123456789abcdefABCDEF-"
_INVALID_PARAMS = -32602
_NOT_PLAYED = -32601


def serve(process: Process) -> int:
    """Answer until standard input ends; returns the exit code."""
    words = Words(process.state)
    if not words:
        version = process.reply("version")[1].strip()
        say(2, f"the fake Codex has no recording of an app-server of {version}\n")
        return 2
    server = _Server(process, words)
    with open(0, "rb", closefd=False) as lines:
        for line in lines:
            try:
                text = line.decode()
            except UnicodeDecodeError:
                # The real one takes it for the end of its input.
                break
            server.hear(text)
    server.leave()
    return 0


class _Server:
    """What it knows between two lines."""

    def __init__(self, process: Process, words: Words) -> None:
        self._process = process
        self._words = words
        self._greeted = False
        self._threads: dict[str, Loaded] = {}
        self._let_go: set[str] = set()
        self._methods = {
            "thread/start": self._start,
            "thread/resume": self._resume,
            "thread/fork": self._fork,
            "thread/unsubscribe": self._unsubscribe,
            "thread/delete": self._delete,
            "thread/loaded/list": self._list,
            "turn/start": self._turn,
            "turn/interrupt": self._interrupt,
        }

    def hear(self, line: str) -> None:
        """Read one line; the real one passes over what is no message."""
        try:
            message = json.loads(line)
        except ValueError:
            return
        if not isinstance(message, dict) or "id" not in message:
            return
        if "method" not in message:
            for thread in self._threads.values():
                if thread.turn is not None:
                    thread.turn.answered(message)
            return
        try:
            self._answer(message["id"], message["method"], message.get("params") or {})
        except RefusalError as refusal:
            self._words.say({"error": refusal.error, "id": message["id"]})

    def leave(self) -> None:
        """Forget the marks of turns that end with it."""
        for name in os.listdir(f"{self._process.state}/turns"):  # noqa: PTH208 - as above
            if name.startswith(f"{os.getpid()}-"):
                os.unlink(f"{self._process.state}/turns/{name}")  # noqa: PTH108 - as above

    def _answer(self, number: object, method: str, params: dict[str, Any]) -> None:
        if method == "initialize":
            self._initialize(number, params)
            return
        self._require_handshake()
        if method not in self._methods:
            unknown = self._words.refusal("handshake", "unknown variant")
            if f"`{method}`" in str(unknown).partition("expected one of")[2]:
                raise RefusalError(f"the fake Codex plays no `{method}`", _NOT_PLAYED)
            raise RefusalError(str(unknown).replace("no/such", method, 1))
        for name, value in params.items():
            if name in {"threadId", "cwd", "baseInstructions", "turnId"} and not isinstance(
                value, str | None
            ):
                shown = f"integer `{value}`" if type(value) is int else type(value).__name__
                raise RefusalError(f"Invalid request: invalid type: {shown}, expected a string")
        self._methods[method](number, params)

    def _require_handshake(self) -> None:
        if not self._greeted:
            raise self._words.refusal("handshake", "Not initialized")

    def _say(self, number: object, result: dict[str, object]) -> None:
        self._words.say({"id": number, "result": result})

    def _initialize(self, number: object, params: dict[str, Any]) -> None:
        if self._greeted:
            raise self._words.refusal("handshake", "Already initialized")
        client = params.get("clientInfo")
        if not isinstance(client, dict):
            raise RefusalError("Invalid request: missing field `clientInfo`")
        self._greeted = True
        self._say(number, {**self._words.result("answer", "userAgent"), "codexHome": self._process.home})

    def _start(self, number: object, params: dict[str, Any]) -> None:
        thread_id = uuid7()
        now = time.gmtime()
        folder = f"{self._process.home}/sessions/{time.strftime('%Y/%m/%d', now)}"
        path = f"{folder}/rollout-{time.strftime('%Y-%m-%dT%H-%M-%S', now)}-{thread_id}.jsonl"
        kept = Thread(self._process.home, thread_id, path, resumed=False)
        kept.claim()
        thread = self._load(kept, params)
        shown = self._shown(thread, params)
        self._say(number, shown)
        self._words.notify("answer", "thread/started", thread=shown["thread"])

    def _load(self, kept: Thread, params: dict[str, Any]) -> Loaded:
        cwd = params.get("cwd") or str(self._process.note["cwd"])
        thread = self._threads[kept.id] = Loaded(kept, cwd, params.get("baseInstructions"))
        thread.policy = params.get("approvalPolicy")
        self._let_go.discard(kept.id)
        return thread

    def _shown(self, thread: Loaded, params: dict[str, Any]) -> dict[str, Any]:
        """A thread, as the answer that opens it shows it."""
        told: dict[str, Any] = self._words.result("answer", "thread")
        now, model = now_ms() // 1000, params.get("model") or told["model"]
        places = {"cwd": thread.cwd, "runtimeWorkspaceRoots": [thread.cwd]}
        inner = {
            **told["thread"],
            "id": thread.kept.id,
            "sessionId": thread.kept.id,
            "environments": [{"environmentId": "local", **places}],
            "forkedFromId": thread.forked_from,
            "preview": thread.preview,
            "model": model,
            "createdAt": now,
            "updatedAt": now,
            "recencyAt": now,
            "path": thread.kept.path,
            "cwd": thread.cwd,
        }
        return {**told, **places, "thread": inner, "model": model}

    def _resume(self, number: object, params: dict[str, Any]) -> None:
        thread_id = self._named(params, "session")
        if thread_id in self._threads:
            self._say(number, self._shown(self._threads[thread_id], params))
            return
        scripted = claimed(self._process.state, "unknown_session", "busy_session")
        path = self._rollout(thread_id)
        if scripted and scripted[0] == "unknown_session":
            _delete_rollout(path)
            raise self._lost(thread_id)
        kept = Thread(self._process.home, thread_id, path, resumed=True)
        if scripted or not kept.claim():
            kept.release()
            raise self._words.refusal("busy_session", "active writer", thread_id=thread_id)
        thread = self._load(kept, params)
        thread.preview = _first_words(path)
        self._say(number, self._shown(thread, params))
        self._tell_usage(kept)

    def _tell_usage(self, kept: Thread) -> None:
        if kept.turns:
            counted = usage(self._words, kept)
            told: dict[str, object] = {"threadId": kept.id, "turnId": uuid7(), "tokenUsage": counted}
            self._words.notify("answer", "thread/tokenUsage/updated", **told)

    def _fork(self, number: object, params: dict[str, Any]) -> None:
        older = self._named(params, "session")
        path = self._rollout(older)
        thread_id = uuid7()
        kept = Thread(self._process.home, thread_id, path.replace(older, thread_id), resumed=False)
        kept.claim()
        begun = f'{{"type":"session_meta","payload":{{"id":"{thread_id}","forked_from_id":"{older}"}}}}'
        kept.append(begun, *read(path).decode("utf-8", "replace").splitlines()[1:])
        kept.turns = read(kept.path).count(b'"type":"token_count"')
        thread = self._load(kept, params)
        thread.forked_from, thread.preview = older, _first_words(path)
        shown = self._shown(thread, params)
        self._say(number, shown)
        self._words.notify("answer", "thread/started", thread=shown["thread"])
        self._tell_usage(kept)

    def _unsubscribe(self, number: object, params: dict[str, Any]) -> None:
        thread_id = self._named(params, "thread")
        thread = self._threads.pop(thread_id, None)
        if thread is not None:
            thread.kept.release()
            self._let_go.add(thread_id)
            self._say(number, {"status": "unsubscribed"})
            return
        self._say(number, {"status": "notSubscribed" if thread_id in self._let_go else "notLoaded"})

    def _delete(self, number: object, params: dict[str, Any]) -> None:
        thread_id = self._named(params, "thread")
        thread = self._threads.pop(thread_id, None)
        if thread is not None:
            thread.kept.release()
            self._words.notify(
                "answer", "thread/status/changed", threadId=thread_id, status={"type": "notLoaded"}
            )
        path = self._rollout(thread_id)
        if _forked(self._process.home, thread_id):
            raise self._words.refusal("busy_session", "cannot delete", thread_id=thread_id)
        _delete_rollout(path)
        self._say(number, {})
        self._words.notify("resumed", "thread/deleted", threadId=thread_id)

    def _list(self, number: object, _params: dict[str, Any]) -> None:
        self._say(number, {"data": list(self._threads), "nextCursor": None})

    def _turn(self, number: object, params: dict[str, Any]) -> None:
        thread = self._loaded(params)
        prompt = _prompt(params)
        if len(prompt) > LONGEST_PROMPT:
            told = {"input_error_code": "input_too_large", "max_chars": LONGEST_PROMPT}
            said = f"Input exceeds the maximum length of {LONGEST_PROMPT} characters."
            raise RefusalError(said, _INVALID_PARAMS, {**told, "actual_chars": len(prompt)})
        self._refuse_as_scripted(thread)
        taken = claimed(self._process.state)
        step: dict[str, object] = taken[1] if taken else {"pieces": [], "ends": "unscripted"}
        self._begin(thread)
        turn = thread.turn
        if turn is None or not turn.stops_asking():
            turn = thread.turn = Turn(self._process.state, self._words, thread)
            self._say(number, {"turn": turn.shown("inProgress")})
            turn.begin()
        else:
            self._say(number, {"turn": turn.shown("inProgress")})
        # Once it is noted that the model was asked, the turn is under way.
        self._note(thread, prompt, unscripted=taken is None)
        thread.preview = thread.preview or prompt
        turn.hear(prompt, step)

    def _refuse_as_scripted(self, thread: Loaded) -> None:
        """Play what the script says of the session, for a client that has no need to resume it."""
        scripted = claimed(self._process.state, "unknown_session", "busy_session")
        thread_id = thread.kept.id
        if scripted and scripted[0] == "busy_session":
            raise self._words.refusal("busy_session", "active writer", thread_id=thread_id)
        if scripted:
            del self._threads[thread_id]
            thread.kept.release()
            raise self._words.refusal("unknown_thread", "thread not found", unknown_thread_id=thread_id)

    def _begin(self, thread: Loaded) -> None:
        """A thread is written down with its first words, not before (measured)."""
        kept = thread.kept
        if not os.path.exists(kept.path):  # noqa: PTH110 - as above
            os.makedirs(os.path.dirname(kept.path), exist_ok=True)  # noqa: PTH103, PTH120 - as above
            meta = f'"id":"{kept.id}","cwd":{quoted(thread.cwd)}'
            kept.append(f'{{"type":"session_meta","payload":{{{meta}}}}}')

    def _note(self, thread: Loaded, prompt: str, *, unscripted: bool) -> None:
        note = Process(self._process.state, self._process.argv)
        resumes = thread.kept.id if thread.kept.turns or thread.preview else ""
        note.note.update(
            prompt=prompt.encode("utf-8", "replace"),
            cwd=thread.cwd,
            thread=thread.kept.id,
            resumes=resumes,
            instructions=thread.instructions,
            asked=True,
            unscripted=unscripted,
        )
        note.jot()

    def _interrupt(self, number: object, params: dict[str, Any]) -> None:
        thread = self._loaded(params)
        turn, wanted = thread.turn, str(params.get("turnId", ""))
        if turn is None:
            raise self._words.refusal("interrupted", "no active turn")
        if wanted != turn.id:
            places = {"unknown_thread_id": wanted, "thread_id": turn.id}
            raise self._words.refusal("interrupted", "expected active", **places)
        turn.interrupt(number)

    def _loaded(self, params: dict[str, Any]) -> Loaded:
        thread_id = self._named(params, "thread")
        if thread_id not in self._threads:
            raise self._words.refusal("unknown_thread", "thread not found", unknown_thread_id=thread_id)
        return self._threads[thread_id]

    def _named(self, params: dict[str, Any], what: str) -> str:
        thread_id = params.get("threadId")
        if thread_id is None:
            raise self._words.refusal("handshake", "missing field `threadId`")
        odd = next((place for place, one in enumerate(thread_id) if one not in _HEXADECIMAL), None)
        if odd is not None or not is_uuid(thread_id):
            place = odd or 0
            expected = "expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-]"
            found = f"found `{thread_id[place : place + 1]}` at {place + 1}"
            raise RefusalError(f"invalid {what} id: invalid character: {expected}, {found}")
        return str(thread_id).lower()

    def _rollout(self, thread_id: str) -> str:
        path = rollout(self._process.home, thread_id)
        if not path:
            raise self._lost(thread_id)
        return path

    def _lost(self, thread_id: str) -> RefusalError:
        return self._words.refusal("unknown_thread", "no rollout", unknown_thread_id=thread_id)


def _prompt(params: dict[str, Any]) -> str:
    return "\n".join(str(one.get("text", "")) for one in params.get("input", []) if one.get("type") == "text")


def _first_words(path: str) -> str:
    for line in read(path).split(b"\n"):
        if b'"type":"user_message"' in line:
            return str(json.loads(line)["payload"]["message"])
    return ""


def _delete_rollout(path: str) -> None:
    os.unlink(path)  # noqa: PTH108 - as above


def _forked(home: str, thread_id: str) -> bool:
    mark = f'"forked_from_id":"{thread_id}"'.encode()
    files = (f"{folder}/{name}" for folder, _, names in os.walk(f"{home}/sessions") for name in names)
    return any(mark in read(path).partition(b"\n")[0] for path in files)
