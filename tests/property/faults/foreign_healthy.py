"""Healthy agents of other authors, each in its own manner: no violation may be found in them."""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, ClassVar

import flask
import httpx2
import openai

from tests.property.faults.broken_agents import QUICK
from tests.property.faults.subject import healthy
from yemot_ai.errors import ProviderError
from yemot_ai.protocol import speakable
from yemot_ai.providers import Exchange
from yemot_ai_testing.doubles.steps import Answer, Failure, Step
from yemot_ai_testing.history import Budget
from yemot_ai_testing.property import CallMachine, EchoProvider
from yemot_ai_testing.property.model_steps import LONG_ANSWER, MARKDOWN_ANSWER

Pairs = Sequence[tuple[str, str]]


class Foreign(CallMachine):
    """Blocks while the model runs."""

    budget = Budget(hangup=60.0)
    model_steps: ClassVar[Sequence[Step | None]] = QUICK
    reset_key = ""


class Call:
    """What the notary of each call remembers."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.replies: dict[Pairs, str] = {}
        self.chat = ""
        self.heard = ""
        self.number = 0
        self.quiet = 0
        self.messages: list[dict[str, str]] = []


class Notary:
    """Has each utterance confirmed by a key before it asks the model."""

    goodbye = "id_list_message=t-תודה ולהתראות&go_to_folder=hangup"

    def __init__(self, model: EchoProvider) -> None:
        self.model = model
        self.calls: dict[str, Call] = {}
        self.finished: set[str] = set()

    def open_calls(self) -> int:
        return len(self.calls)

    def __call__(self, pairs: Pairs) -> str:
        values = dict(pairs)
        call_id = values["ApiCallId"]
        if "hangup" in values or call_id in self.finished:
            self.finished.add(call_id)
            self.calls.pop(call_id, None)
            return "go_to_folder=hangup"
        call = self.calls.setdefault(call_id, Call())
        with call.lock:
            key = tuple(pairs)
            if key not in call.replies:
                name, value = pairs[-1]
                call.replies[key] = self.reply(call, name, value)
            return "go_to_folder=hangup" if call_id in self.finished else call.replies[key]

    def reply(self, call: Call, name: str, value: str) -> str:
        if name.startswith("say"):
            return self.confirm(call, value) if value else self.nothing(call)
        if name.startswith("ok"):
            return self.decided(call, value)
        return self.ask(call, "ברוכים הבאים למשרד, אמרו את בקשתכם")

    def nothing(self, call: Call) -> str:
        call.quiet += 1
        return self.goodbye if call.quiet > 3 else self.ask(call, "לא נשמע דבר")

    def confirm(self, call: Call, words: str) -> str:
        call.quiet, call.heard = 0, words.removeprefix("Digits-")
        return self.key(call, f"{self.echo(call)}לאישור הקישו 1, לתיקון הקישו 2")

    def echo(self, call: Call) -> str:
        return ""

    def decided(self, call: Call, key: str) -> str:
        if key == "1":
            return self.ask(call, self.answer(call))
        if key == "2":
            return self.ask(call, "אמרו שוב בבקשה")
        call.quiet += 1
        return self.goodbye if call.quiet > 3 else self.key(call, "לאישור הקישו 1, לתיקון הקישו 2")

    def answer(self, call: Call) -> str:
        try:
            text, call.chat = self.model.ask_blocking(call.heard, call.chat)
        except ProviderError:
            return "יש תקלה, נסו שוב"
        return ".".join(map(str, speakable(text))).removeprefix("t-")

    def ask(self, call: Call, words: str) -> str:
        call.number += 1
        return f"read=t-{words}=say{call.number},no,voice"

    def key(self, call: Call, words: str) -> str:
        call.number += 1
        return f"read=t-{words}=ok{call.number},no,1,1,7,No,yes"


class EchoingNotary(Notary):
    def echo(self, call: Call) -> str:
        return f"אמרתם {call.heard}, "


@healthy("an agent that has each utterance confirmed by a key")
class NotaryLine(Foreign):
    def make_app(self, provider: EchoProvider) -> object:
        return Notary(provider)


@healthy("an agent that has each utterance confirmed by a key, and says so to the machine")
class ConfirmingLine(Foreign):
    confirmation_key = "1"

    def make_app(self, provider: EchoProvider) -> object:
        return EchoingNotary(provider)


ENDED = "go_to_folder=hangup"


def clinic(model: EchoProvider) -> Callable[[Pairs], str]:  # noqa: C901 - its author knows closures only
    """Return a function that asks for a number by keys first, and after each answer whether there is more."""
    files: dict[str, dict[str, Any]] = {}
    done: set[str] = set()
    one_at_a_time: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)

    def answer(pairs: Pairs) -> str:
        line = dict(pairs)
        patient = line["ApiCallId"]
        if line.get("hangup") == "yes":
            done.add(patient)
            files.pop(patient, None)
            return "OK"
        with one_at_a_time[patient]:
            if patient in done:
                return ENDED
            known = files.setdefault(patient, {"chat": "", "step": 0, "wrote": {}})
            key = "&".join(f"{name}={value}" for name, value in pairs)
            if key not in known["wrote"]:
                known["wrote"][key] = step(known, *pairs[-1])
            return ENDED if patient in done else str(known["wrote"][key])

    def step(known: dict[str, Any], name: str, value: str) -> str:
        known["step"] += 1
        number, kind = known["step"], re.sub(r"\d+$", "", name)
        if kind == "card":
            return f"read=t-Welcome to the clinic, ask anything=question{number},no,voice,he-IL,,9"
        if kind == "question" and re.search(r"\d", value):
            return f"read={reply(known, value)}.t-עוד משהו, הקישו 1, לסיום 2=more{number},yes,1,1,9,No,yes"
        if kind in {"question", "more"} and value != "2" and number < 40:
            return f"read=t-כן, אני מקשיבה=question{number},no,voice,he-IL,,9"
        if kind in {"question", "more"}:
            return "id_list_message=t-Goodbye&go_to_folder=hangup"
        return f"read=t-מספר כרטיס בבקשה=card{number},no,10,1,9,Digits"

    def reply(known: dict[str, Any], value: str) -> str:
        prompt = re.sub("^Digits-", "", value)
        try:
            text, known["chat"] = model.ask_blocking(prompt, known["chat"])
        except ProviderError:
            text = "אין תשובה כרגע"
        return ".".join(map(str, speakable(text)))

    return answer


@healthy("a function with regular expressions: a number by keys first, a question between answers")
class ClinicLine(Foreign):
    max_silences = 0

    def make_app(self, provider: EchoProvider) -> object:
        return clinic(provider)


def kiosk(model: EchoProvider) -> flask.Flask:  # noqa: C901 - its author knows closures only
    """Return a Flask application that answers in a thread of its own, and lets the line poll meanwhile."""
    app = flask.Flask("kiosk")
    guard = threading.RLock()
    rooms: dict[str, dict[str, Any]] = {}
    closed: set[str] = set()

    @app.route("/", methods=["GET", "POST"])
    def line() -> str:
        values = flask.request.values
        room_name = values["ApiCallId"]
        with guard:
            if values.get("hangup") == "yes" or room_name in closed:
                closed.add(room_name)
                rooms.pop(room_name, None)
                return ENDED
            new = {"n": 0, "quiet": 0, "chat": "", "work": None, "old": {}, "lock": threading.Lock()}
            room = rooms.setdefault(room_name, new)
        with room["lock"]:
            key = tuple((name, str(value)) for name, value in values.items(multi=True))
            if key not in room["old"]:
                room["old"][key] = turn(room, *key[-1])
            return str(room["old"][key])

    def turn(room: dict[str, Any], name: str, value: str) -> str:
        room["n"] += 1
        if name.startswith("wait"):
            return finished(room)
        if not name.startswith("told"):
            return listen(room, "הגעתם לקיוסק, דברו או הקישו, סולמית בסוף")
        room["quiet"] = 0 if value else room["quiet"] + 1
        if not value:
            return listen(room, "Say again") if room["quiet"] < 5 else "id_list_message=t-Bye&" + ENDED
        room["work"] = Future()
        threading.Thread(target=think, args=(room, value.replace("Digits-", "")), daemon=True).start()
        return finished(room)

    def think(room: dict[str, Any], words: str) -> None:
        try:
            text, room["chat"] = model.ask_blocking(words, room["chat"])
        except ProviderError:
            text = "תקלה"
        room["work"].set_result(text)

    def finished(room: dict[str, Any]) -> str:
        try:
            text = room["work"].result(0.05)
        except FutureTimeoutError:
            return f"read=t-עוד רגע=wait{room['n']},no,1,1,2,No,,,,,1,Ok,None,,no"
        return listen(room, ".".join(map(str, speakable(f"בבקשה, {text}"))).removeprefix("t-"))

    def listen(room: dict[str, Any], words: str) -> str:
        return f"read=t-{words}=told{room['n']},no,voice"

    return app


@healthy("a Flask application that thinks in threads and lets the line poll")
class KioskLine(Foreign):
    orders_tasks = False

    def make_app(self, provider: EchoProvider) -> object:
        return kiosk(provider).wsgi_app


class ChatService(httpx2.BaseTransport):
    """Chat Completions over the model of a machine."""

    def __init__(self, model: EchoProvider) -> None:
        self.model = model

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        *earlier, last = [message["content"] for message in json.loads(request.read())["messages"][1:]]
        exchanges = [Exchange(*pair) for pair in zip(earlier[::2], earlier[1::2], strict=True)]
        try:
            answer, _ = self.model.ask_blocking(last, history=exchanges)
        except ProviderError as error:
            return httpx2.Response(503, json={"error": {"message": error.kind}})
        message = {"role": "assistant", "content": answer}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        return httpx2.Response(200, json=body)


class Library(Notary):
    """Calls the OpenAI SDK itself with all messages; a caller says goodbye, or presses 9."""

    def __init__(self, model: EchoProvider) -> None:
        super().__init__(model)
        http = httpx2.Client(transport=ChatService(model))
        self.sdk = openai.OpenAI(api_key="none", base_url="http://127.0.0.1", http_client=http, max_retries=0)

    def confirm(self, call: Call, words: str) -> str:
        call.quiet, call.heard = 0, words.removeprefix("Digits-")
        if call.heard in {"ביי", "9"}:
            return self.goodbye
        if call.heard == "0":
            call.messages.clear()
            return self.ask(call, "מתחילים מהתחלה")
        return self.ask(call, f"{self.answer(call)}.t-אפשר לשאול עוד, או לומר ביי")

    def answer(self, call: Call) -> str:
        asked = {"role": "user", "content": call.heard}
        messages = [{"role": "system", "content": "ענה בקצרה"}, *call.messages, asked]
        try:
            completion = self.sdk.chat.completions.create(model="m", messages=messages)  # type: ignore[arg-type]
        except openai.APIStatusError:
            return "הספרן בהפסקה"
        text = completion.choices[0].message.content or ""
        call.messages += [asked, {"role": "assistant", "content": text}]
        return ".".join(map(str, speakable(text))).removeprefix("t-")


@healthy("an agent that uses the OpenAI SDK directly, with a list of messages for each call")
class LibraryLine(Foreign):
    reset_key = "0"
    model_steps = (*QUICK, Failure("overloaded"), Answer((LONG_ANSWER,)), Answer((MARKDOWN_ANSWER,)))

    def make_app(self, provider: EchoProvider) -> object:
        return Library(provider)
