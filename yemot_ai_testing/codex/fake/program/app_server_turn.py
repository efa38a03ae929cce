"""One turn of the fake app-server: the model that plays a step, beside everything else.

Run inside the fake executable.
"""

from __future__ import annotations

import marshal
import os
import threading
import time
from typing import Any

from yemot_ai_testing.codex.fake.program.app_server_words import Words, die, now_ms
from yemot_ai_testing.codex.fake.program.process import Process, say
from yemot_ai_testing.codex.fake.program.threads import Thread, quoted, read, uuid7

__all__ = ["Loaded", "Turn", "claimed"]


class Loaded:
    """A thread that a server has at hand."""

    __slots__ = ("cwd", "forked_from", "instructions", "kept", "policy", "preview", "turn")

    def __init__(self, kept: Thread, cwd: str, instructions: str | None) -> None:
        self.kept = kept
        self.cwd = cwd
        self.instructions = instructions
        self.forked_from: str | None = None
        self.policy: object = None
        self.preview = ""
        self.turn: Turn | None = None


def claimed(state: str, *kinds: str) -> tuple[str, dict[str, Any]] | None:
    """Take the next step, if it is of one of these kinds (any, if none is named)."""
    for name in sorted(os.listdir(f"{state}/steps")):  # noqa: PTH208 - pathlib is too slow to import here
        kind = name.partition("-")[2]
        if kinds and kind not in kinds:
            return None
        try:
            os.rename(f"{state}/steps/{name}", f"{state}/taken/{name}")  # noqa: PTH104 - as above
        except FileNotFoundError:
            continue
        return kind, marshal.loads(read(f"{state}/played/{name}"))  # noqa: S302 - our own file
    return None


class Turn:
    """A turn that runs: begun by ``begin``, ended by its model or by ``interrupt``."""

    __slots__ = (
        "_asked",
        "_began",
        "_call",
        "_lock",
        "_mark",
        "_said",
        "_state",
        "_thread",
        "_words",
        "id",
        "over",
    )

    def __init__(self, state: str, words: Words, thread: Loaded) -> None:
        self.id = uuid7()
        self.over = False
        self._state = state
        self._words = words
        self._thread = thread
        self._began = now_ms()
        self._lock = threading.RLock()
        self._call = 0
        self._said: list[str] = []
        self._asked: tuple[int, str] | None = None
        self._mark = f"{state}/turns/{os.getpid()}-{self.id}"

    def shown(self, status: str, **filled: object) -> dict[str, Any]:
        """The turn as messages show it."""
        return {
            **self._words.result("answer", "turn")["turn"],
            "id": self.id,
            "rootTurnId": self.id,
            "status": status,
            **filled,
        }

    def begin(self) -> None:
        """Tell that it runs."""
        with open(self._mark, "wb"):  # noqa: PTH123 - as above
            pass
        self._status({"type": "active", "activeFlags": []})
        turn = self.shown("inProgress", startedAt=self._began // 1000)
        self._notify("answer", "turn/started", turn=turn)

    def stops_asking(self) -> bool:
        """Let go of the model that is being asked, for further words; False if the turn is over already."""
        with self._lock:
            self._call += 1
            return not self.over

    def hear(self, prompt: str, step: dict[str, Any]) -> None:
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
            self._call += 1
            self._said = []
            self._item("item/started", {**item, "completedAtMs": None}, startedAtMs=at)
            self._item("item/completed", {**item, "completedAtMs": at}, completedAtMs=at)
        self._thread.kept.append(
            f'{{"type":"event_msg","payload":{{"type":"user_message","message":{quoted(prompt)}}}}}'
        )
        threading.Thread(target=self._play, args=(self._call, step), daemon=True).start()

    def interrupt(self, number: object) -> None:
        """End it, whatever its model does."""
        with self._lock:
            if self._said:
                self._complete_message()
            self._words.say({"id": number, "result": {}})
            self._conclude("idle", "interrupted")

    def _is_stale(self, call: int) -> bool:
        return self.over or call != self._call

    def _play(self, call: int, step: dict[str, Any]) -> None:
        Process(self._state, []).wait_at_gate()
        time.sleep(float(step.get("after", 0.0)))
        with self._lock:
            if self._is_stale(call):
                return
            if "asks" in step:
                self._ask(str(step["asks"]))
                return
            if "dies" in step:
                say(2, str(step.get("stderr", "")))
                say(1, str(step.get("stdout", "")))
                die(int(step["dies"]))
        ends = str(step["ends"])
        if not self._write(call, step["pieces"], ends, float(step.get("every", 0.0))):
            return
        with self._lock:
            if self._is_stale(call):
                return
            if ends in {"answer", "no_message"}:
                self._answered(ends)
            elif ends:
                error = self._words.params(ends, "error")["error"]
                self._status({"type": "systemError"})
                self._notify(ends, "error", turnId=self.id, error=error)
                self._conclude("", "failed", error=error)

    def _ask(self, what: str) -> None:
        """Ask the client; where nobody is to be asked, let the model go on."""
        if not self._may_ask(what):
            self._go_on()
            return
        before, question, _ = _around_question(self._words.passage(f"{what}_refused"))
        for one in before:
            self._notice(one)
        self._asked = self._words.ask(question["method"], self._filled(question["params"])), what

    def _may_ask(self, what: str) -> bool:
        """Return whether the client's approval policy allows this question."""
        return what != "approval" or self._thread.policy != "never"

    def answered(self, message: dict[str, Any]) -> None:
        """Hear what the client says to a question."""
        with self._lock:
            if self.over or self._asked is None or message["id"] != self._asked[0]:
                return
            _, what = self._asked
            self._asked = None
            if "error" not in message and message.get("result") != {"decision": "decline"}:
                say(2, "the fake Codex runs no command, and has no tool\n")
                die(2)
            _, _, after = _around_question(self._words.passage(f"{what}_{_outcome(message)}"))
            for one in after:
                self._notice(one, requestId=message["id"])
            self._go_on()

    def _go_on(self) -> None:
        """The model takes its next step."""
        taken = claimed(self._state)
        step: dict[str, Any] = taken[1] if taken else {"pieces": [], "ends": "unscripted"}
        threading.Thread(target=self._play, args=(self._call, step), daemon=True).start()

    def _notice(self, told: dict[str, Any], **filled: object) -> None:
        params = self._filled(told["params"])
        known = {name: value for name, value in filled.items() if name in params}
        self._words.say({"method": told["method"], "params": {**params, **known}, "emittedAtMs": now_ms()})

    def _filled(self, params: dict[str, Any]) -> dict[str, Any]:
        """Recorded parameters, as those of this turn."""
        at = now_ms()
        ours: dict[str, object] = {"threadId": self._thread.kept.id, "turnId": self.id}
        ours |= {"cwd": self._thread.cwd, "startedAtMs": at, "completedAtMs": at}
        known = {name: value for name, value in ours.items() if params.get(name) is not None}
        item = params.get("item")
        return {**params, **known, **({"item": self._filled(item)} if isinstance(item, dict) else {})}

    def _write(self, call: int, pieces: list[str], ends: str, every: float) -> bool:
        """Write the pieces; False if nobody wants them any more."""
        if pieces or ends == "no_message":
            at = now_ms()
            self._item("item/started", self._message("", None), startedAtMs=at)
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(every)
                Process(self._state, []).wait_at_gate()
            with self._lock:
                if self._is_stale(call):
                    return False
                self._said.append(piece)
                self._notify("answer", "item/agentMessage/delta", turnId=self.id, itemId="msg_1", delta=piece)
        return True

    def _answered(self, ends: str) -> None:
        text = "".join(self._said)
        message = self._complete_message()
        kept = self._thread.kept
        kept.turns += 1
        said = f'{{"type":"event_msg","payload":{{"type":"agent_message","message":{quoted(text)}}}}}'
        kept.append(said, '{"type":"event_msg","payload":{"type":"token_count","info":{}}}')
        self._notify(
            "answer", "thread/tokenUsage/updated", turnId=self.id, tokenUsage=usage(self._words, kept)
        )
        self._words.notify("answer", "account/rateLimits/updated")
        items: dict[str, Any] = {"items": [message], "itemsView": "summary"} if ends == "answer" else {}
        self._conclude("idle", "completed", **items)

    def _complete_message(self) -> dict[str, Any]:
        at = now_ms()
        message = self._message("".join(self._said), at)
        self._item("item/completed", message, completedAtMs=at)
        return message

    def _message(self, text: str, completed: int | None) -> dict[str, Any]:
        item = self._words.params("answer", "item/completed")["item"]
        return {**item, "text": text, "startedAtMs": now_ms(), "completedAtMs": completed}

    def _conclude(self, status: str, how: str, **filled: object) -> None:
        self.over = True
        self._thread.turn = None
        if status:
            self._status({"type": status})
        at = now_ms()
        times = {"startedAt": self._began // 1000, "completedAt": at // 1000, "durationMs": at - self._began}
        # Taken away first: whoever hears of the end must not find the turn under way.
        os.unlink(self._mark)  # noqa: PTH108 - as above
        self._notify("answer", "turn/completed", turn=self.shown(how, **times, **filled))

    def _status(self, status: dict[str, Any]) -> None:
        self._notify("answer", "thread/status/changed", status=status)

    def _item(self, method: str, item: dict[str, Any], **filled: object) -> None:
        self._notify("answer", method, item=item, turnId=self.id, **filled)

    def _notify(self, case: str, method: str, **filled: object) -> None:
        self._words.notify(case, method, threadId=self._thread.kept.id, **filled)


def _around_question(
    messages: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, Any], list[dict[str, Any]]]:
    """Return the messages before a question, the question, and the messages after it."""
    place = next(n for n, one in enumerate(messages) if "id" in one)
    return messages[:place], messages[place], messages[place + 1 :]


def _outcome(message: dict[str, Any]) -> str:
    """Return what the client's response to a question amounts to, as recordings are named."""
    return "refused" if "error" in message else "declined"


def usage(words: Words, kept: Thread) -> dict[str, Any]:
    """What the real one counts: the tokens of the last turn, and of the whole thread."""
    counted = dict(words.params("answer", "thread/tokenUsage/updated")["tokenUsage"])
    counted["total"] = {name: tokens * kept.turns for name, tokens in counted["last"].items()}
    return counted
