"""The HTTP APIs of OpenAI and Anthropic, mocked in this process by respx: no server, no key, no network.

>>> from yemot_ai import YemotAI
>>> with OpenAIMock() as openai:
...     _ = openai.answers("בשמונה")
...     YemotAI("openai", openai_api_key="test").reply("c1", "מתי פותחים?")
'בשמונה'
>>> openai.requests[0].prompt
'מתי פותחים?'

The script is checked when the ``with`` block ends without an exception:

>>> with AnthropicMock() as anthropic:
...     _ = anthropic.answers("בשמונה")
Traceback (most recent call last):
yemot_ai_testing.doubles.script.ScriptMismatchError: the model calls do not match the script
  unused step: Answer(pieces=('בשמונה',), after=0.0)
  calls in all (0): none

openai ≥ 3 and anthropic ≥ 2 send requests with httpx2, which plain respx does not intercept;
pytest-httpx2 adds it to respx.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import time
from collections.abc import Awaitable
from typing import ClassVar, Self

import httpx
import httpx2
import pytest_httpx2  # noqa: F401 - registers the mocker "httpcore2" of respx
import respx
from respx.mocks import Mocker

from yemot_ai_testing.doubles.model_service.issued_calls import IssuedCalls
from yemot_ai_testing.doubles.model_service.request import ModelRequest
from yemot_ai_testing.doubles.model_service.served import ServedAnswer, ServedAPI
from yemot_ai_testing.doubles.model_service.servers.registry import find_server
from yemot_ai_testing.doubles.model_service.validation import MalformedRequestError, malformed_response
from yemot_ai_testing.doubles.pauses import PausePoint, wait_until_open
from yemot_ai_testing.doubles.script import FakeOnlyError
from yemot_ai_testing.doubles.scriptable import ScriptableAPI, ScriptableService
from yemot_ai_testing.doubles.scripted_double import CheckedContext, ScriptedDouble
from yemot_ai_testing.doubles.steps import (
    API_STEPS,
    SERVICE_STEPS,
    Answer,
    Calls,
    Cut,
    Drop,
    Failure,
    Hang,
    Step,
    UnknownSession,
)

__all__ = ["AnthropicMock", "MockedService", "OpenAIMock"]


class MockedService(ScriptedDouble, ScriptableAPI, CheckedContext):
    """Answer the requests of an SDK from a script.

    A request without a step gets an error that says so, and ``assert_complete`` fails.

    Args:
        quirks: the server whose shapes the answers have; see ``ModelServer``. Its end of a stream is not
            imitated.

    Attributes:
        service_name: the service's name, for messages.
        endpoints: the ends of the paths that it serves.
        supported_steps: the kinds of steps that it can run.
        quirks: the table of the server.
        requests: the requests so far.
    """

    service_name: ClassVar[str]
    endpoints: ClassVar[tuple[str, ...]]
    supported_steps: ClassVar[tuple[type, ...]] = API_STEPS

    def __init__(self, *, quirks: str = "openai") -> None:
        super().__init__()
        self.requests: list[ModelRequest] = []
        self._answer_ids = itertools.count(1)
        self._issued_calls = IssuedCalls()
        self._router = respx.mock(using="httpcore2", assert_all_called=False)
        self.quirks = find_server(quirks)
        for api in self.quirks.apis:
            if api.api.ENDPOINT not in self.endpoints:
                continue
            self._router.post(path=f"/v1{api.api.ENDPOINT}").mock(
                side_effect=functools.partial(self._respond, api)
            )

    def __enter__(self) -> Self:
        self._router.start()
        # The mock that was entered last has to answer: respx tries routers in the order of this list.
        routers = Mocker.registry["httpcore2"].routers
        routers.insert(0, routers.pop(routers.index(self._router)))
        return self

    def close(self) -> None:
        """Intercept no more requests; does not check the script."""
        self._router.stop(clear=False, quiet=True)

    def add(self, step: Step) -> None:
        """Append a step to the script.

        Raises:
            FakeOnlyError: only a Codex process can run this step, or the server keeps no conversations.
        """
        if not isinstance(step, self.supported_steps):
            raise FakeOnlyError(f"{step!r} cannot happen to {self.service_name}'s API")
        if isinstance(step, UnknownSession) and not self.quirks.keeps_conversations:
            raise FakeOnlyError(f"{self.quirks.name} keeps no conversations: none can be unknown")
        super().add(step)

    def pause_at(self, point: PausePoint) -> None:
        """Let every later request wait before it is answered until ``resume()``.

        Raises:
            ValueError: the point is not ``asked``.
        """
        if point != "asked":
            raise ValueError(
                f"a mocked service pauses at 'asked', not at {point!r}: all pieces of a stream are sent "
                "at once; a ModelServer pauses between them"
            )
        self.hold()

    def resume(self) -> None:
        """Let the waiting requests through."""
        self.release()

    def _respond(self, api: ServedAPI, request: httpx.Request) -> httpx.Response | Awaitable[httpx.Response]:
        endpoint, path = api.api.ENDPOINT, request.url.path
        try:
            model_request = ModelRequest.parse(endpoint, path, dict(request.headers), request.content)
            self._issued_calls.check(model_request.body)
        except MalformedRequestError as error:
            self.script.record_refused(f"POST {path}: {error}")
            refusal = malformed_response(api.api, error)
            return httpx.Response(refusal.status, json=refusal.body)
        step = self._receive(model_request)
        # respx sends the whole response at once: the pauses between pieces come first.
        seconds = step.duration if isinstance(step, Answer) else getattr(step, "after", 0.0)
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # a synchronous client in its own thread
            self.gate.wait()
            time.sleep(seconds)
            return self._response(api, step, model_request)
        if seconds == 0.0 and not self.gate.held:
            return self._response(api, step, model_request)
        return self._respond_later(api, step, model_request, seconds)

    async def _respond_later(
        self, api: ServedAPI, step: Step | None, request: ModelRequest, seconds: float
    ) -> httpx.Response:
        await wait_until_open(self.gate)
        await asyncio.sleep(seconds)
        return self._response(api, step, request)

    def _receive(self, request: ModelRequest) -> Step | None:
        """Record a request and take its step; None if there is none."""
        self.requests.append(request)
        step = self.script.take(request.prompt)
        matching = request.matching_step(step)
        if (
            step is not None and matching is None
        ):  # such as a transcription for a prompt, or calls without tools
            self.script.record_unscripted(request.prompt_for_mismatch(step))
        return matching

    def _response(self, api: ServedAPI, step: Step | None, request: ModelRequest) -> httpx.Response:
        match step:
            case Answer() | Calls() | Cut():
                answer = api.answer(step, str(next(self._answer_ids)), request=request.body)
                self._issued_calls.note(answer.body)
                return self._answer_response(api, answer, request)
            case Failure() | UnknownSession():
                return self._error_response(api, step, request)
            case Drop():
                raise httpx2.RemoteProtocolError("the server closed the connection")
            case Hang():
                raise httpx2.ReadTimeout("no answer")
            case _:
                message = f"nothing is scripted for {request.prompt!r}"
                return httpx.Response(400, json={"error": {"message": message, "code": "unscripted"}})

    def _error_response(
        self, api: ServedAPI, step: Failure | UnknownSession, request: ModelRequest
    ) -> httpx.Response:
        failed = api.failed_stream(step, str(next(self._answer_ids)), request=request.body)
        if request.body.get("stream") and failed.events:
            return self._answer_response(api, failed, request)
        error = api.error(step, request=request.body)
        return httpx.Response(error.status, headers=dict(error.headers), json=error.body)

    def _answer_response(self, api: ServedAPI, answer: ServedAnswer, request: ModelRequest) -> httpx.Response:
        if not request.body.get("stream"):
            return httpx.Response(answer.status, json=answer.body)
        content = b"".join([*map(api.encode, answer.events), answer.end])
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=content)


class OpenAIMock(MockedService, ScriptableService):
    """Answers the requests of OpenAI's SDK, and of services compatible with it.

    Use it as a context manager, or request the fixture ``openai_mock``.
    """

    service_name = "OpenAI"
    endpoints = ("/responses", "/chat/completions", "/audio/transcriptions")
    supported_steps: ClassVar[tuple[type, ...]] = SERVICE_STEPS


class AnthropicMock(MockedService):
    """Answers the requests of Anthropic's SDK.

    Use it as a context manager, or request the fixture ``anthropic_mock``.
    """

    service_name = "Anthropic"
    endpoints = ("/messages",)
