"""A line without yemot-ai that asks a model; ``FAULT`` is what goes wrong in each fifth answer.

With ``own_model`` nothing does, and no model of a test is asked.

The port is ``PORT``, the model that of ``OPENAI_BASE_URL``.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

FAULT = os.environ.get("FAULT", "")
EACH = 5

numbers, first_answers = itertools.count(1), itertools.count(1)
lock = threading.Lock()
swapped: list[str] = []
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(text: str) -> str:
    request = urllib.request.Request(  # noqa: S310 - the model of the test
        f"{os.environ['OPENAI_BASE_URL']}/responses",
        json.dumps({"model": "m", "input": text}).encode(),
        {"Content-Type": "application/json", "Authorization": "Bearer none"},
    )
    with opener.open(request) as response:
        answer: str = json.load(response)["output"][0]["content"][0]["text"]
    return answer


def faulty_answer(said: str) -> str:
    if FAULT == "never_asked":
        return "מצטערים"
    answer = ask(said)
    match FAULT:
        case "asked_twice":
            ask(said)
        case "crossed":
            with lock:
                swapped.append(answer)
                answer = swapped[-2] if len(swapped) > 1 else answer
        case "unheard":
            return "מצטערים"
        case "invalid":
            return "10-12"
    return answer


def respond(pairs: list[tuple[str, str]]) -> str:
    said = [value for name, value in pairs if name.startswith("said_")]
    if ("hangup", "yes") in pairs:
        return "go_to_folder=hangup"
    if not said:
        return "read=t-שלום=said_1,no,voice"
    if FAULT == "own_model":
        return f"read=t-אנחנו פתוחים עד שמונה=said_{len(said) + 1},no,voice"
    answer = ask(said[-1]) if next(numbers) % EACH else faulty_answer(said[-1])
    return f"read=t-{answer}=said_{len(said) + 1},no,voice"


class Line(BaseHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        pairs = parse_qsl(urlsplit(self.path).query, keep_blank_values=True)
        text = respond(pairs).encode()
        failed = FAULT == "status" and b"said_2" in text and not next(first_answers) % EACH
        self.send_response(500 if failed else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class Server(ThreadingHTTPServer):
    request_queue_size = 128


if __name__ == "__main__":
    Server(("127.0.0.1", int(os.environ["PORT"])), Line).serve_forever()
