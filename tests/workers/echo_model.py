"""A model service for many processes, which records their questions."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from yemot_ai_testing.doubles.model_service import responses as responses_api
from yemot_ai_testing.doubles.model_service.request import ModelRequest


@dataclass(eq=False)
class Question:
    """One question.

    Attributes:
        prompt: the utterance.
        worker: the id of the process that asked; it is the name of the model in its request.
        heard: whether the whole answer was sent.
    """

    prompt: str
    worker: int
    heard: bool = False


@dataclass
class EchoModel:
    """Answers ``<utterance> שיחה <conversation>`` after ``thinking`` seconds, as the Responses API does."""

    thinking: float = 0.3
    questions: list[Question] = field(default_factory=list)
    conversations: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    change: threading.Condition = field(default_factory=threading.Condition)

    def answer(self, request: ModelRequest) -> tuple[Question, dict[str, Any]]:
        question = Question(request.prompt, int(request.body["model"]))
        with self.change:
            number = len(self.questions)
            self.questions.append(question)
            self.change.notify_all()
            conversation = (request.session or f"resp_{next(self.conversations)}").split("_")[1]
        time.sleep(self.thinking)
        text = f"{request.prompt} שיחה {conversation}"
        said = [responses_api.message(text)]
        return question, responses_api.response_object(
            f"resp_{conversation}_{number}", said, request=request.body
        )

    def wait_for(self, worker: int, *, after: int) -> None:
        """Block until ``worker`` has an open question among those after the first ``after``."""

        def is_waiting() -> bool:
            later = self.questions[after:]
            return any(question.worker == worker and not question.heard for question in later)

        with self.change:
            assert self.change.wait_for(is_waiting, 30), "the worker asked nothing"

    def asked(self, prompt: str) -> list[Question]:
        return [question for question in self.questions if question.prompt == prompt]

    @contextmanager
    def serving(self) -> Iterator[str]:
        server = _Server(self)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, model: EchoModel) -> None:
        self.model = model
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore the error: the test kills clients."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        request = ModelRequest(self.path, {}, json.loads(raw), len(raw))
        question, answer = self.server.model.answer(request)
        body, kind = json.dumps(answer).encode(), "application/json"
        if request.body.get("stream"):
            written = (answer["output"][0]["content"][0]["text"],)
            events = responses_api.stream_events(answer, written)
            body, kind = b"".join(map(responses_api.encode_event, events)), "text/event-stream"
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        question.heard = True
