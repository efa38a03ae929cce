"""A model service mocked in this process by respx: no server, no key, no network.

openai ≥ 3 and anthropic ≥ 2 speak through httpx2, which plain respx does not intercept;
pytest-httpx2 teaches it to. ``OpenAIMock`` and ``AnthropicMock`` are such services.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable
from types import TracebackType
from typing import ClassVar, Self

import httpx
import httpx2
import pytest_httpx2  # noqa: F401 - registers the mocker that respx is asked for
import respx
from respx.mocks import Mocker

from yemot_ai_testing.doubles.model_service.api import ModelAPI
from yemot_ai_testing.doubles.model_service.request import ModelRequest
from yemot_ai_testing.doubles.pauses import PausePoint
from yemot_ai_testing.doubles.script import (
    Answer,
    Drop,
    Failure,
    FakeOnlyError,
    Hang,
    Script,
    ScriptableModel,
    Step,
)

__all__ = ["MockedService"]


class MockedService(ScriptableModel):
    """Answers the requests of an SDK from a script.

    A request that was not scripted gets an error that says so, and ``assert_complete`` fails.

    Attributes:
        service_name: the service's name, for messages.
        apis: the APIs that it speaks.
        supported_steps: what can happen to it.
        requests: what was asked so far.
    """

    service_name: ClassVar[str]
    apis: ClassVar[tuple[ModelAPI, ...]]
    supported_steps: ClassVar[tuple[type, ...]] = (Answer, Failure, Drop, Hang)

    def __init__(self) -> None:
        self.requests: list[ModelRequest] = []
        self._script = Script()
        self._answer_ids = itertools.count(1)
        self._router = respx.mock(using="httpcore2", assert_all_called=False)
        for dialect in self.apis:
            self._router.post(path=f"/v1{dialect.ENDPOINT}").mock(
                side_effect=_MockedRoute(self, dialect).respond
            )

    def __enter__(self) -> Self:
        self._router.start()
        # The one that was entered last answers: routers are asked in the order of this list.
        routers = Mocker.registry["httpcore2"].routers
        routers.insert(0, routers.pop(routers.index(self._router)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._router.stop(clear=False, quiet=True)

    def add(self, step: Step) -> None:
        """Append a step to the script.

        Raises:
            FakeOnlyError: it can happen to a Codex process only.
        """
        if not isinstance(step, self.supported_steps):
            raise FakeOnlyError(f"{step!r} cannot happen to {self.service_name}'s API")
        self._script.add(step)

    def hold(self) -> None:
        """Let every later request wait, after it has been recorded, until ``release``."""
        self._script.gate.hold()

    def release(self) -> None:
        """Let the waiting requests through."""
        self._script.gate.release()

    def pause_at(self, point: PausePoint) -> None:
        """Let every later request stand still before it is answered, until ``resume()``.

        Raises:
            ValueError: it is another point than ``asked``.
        """
        if point != "asked":
            raise ValueError(
                f"a mocked service pauses at 'asked', not at {point!r}: all pieces of a stream are handed "
                "over at once; a ModelServer pauses between them"
            )
        self.hold()

    def resume(self) -> None:
        """Let everything go on that stands there."""
        self.release()

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> None:
        """Block until ``count`` requests have come in; ``TimeoutError`` after ``timeout`` seconds."""
        self._script.wait_for_requests(count, timeout)

    def assert_complete(self) -> None:
        """Check that every step was used and every request was scripted.

        Raises:
            ScriptMismatchError: the message lists what was asked and what was scripted.
        """
        self._script.assert_complete()

    @property
    def held(self) -> bool:
        """Whether requests wait."""
        return self._script.gate.held

    def receive(self, request: ModelRequest) -> Step | None:
        """Record a request and take its step; None when there is none."""
        self.requests.append(request)
        step = self._script.take(request.prompt)
        played = request.matching_step(step)
        if step is not None and played is None:  # an answer for a recording, or the other way round
            self._script.record_unscripted(request.prompt)
        return played

    def next_answer_id(self) -> str:
        """Return the number of the next answer."""
        return str(next(self._answer_ids))

    def wait(self, seconds: float) -> None:
        """Let the calling thread wait: at the gate, and then ``seconds``."""
        self._script.gate.wait()
        time.sleep(seconds)

    async def wait_async(self, seconds: float) -> None:
        """Let the calling task wait: at the gate, and then ``seconds``."""
        loop, opened = asyncio.get_running_loop(), asyncio.Event()
        self._script.gate.when_open(lambda: loop.call_soon_threadsafe(opened.set))
        await opened.wait()
        await asyncio.sleep(seconds)


class _MockedRoute:
    """One API of a service."""

    def __init__(self, service: MockedService, api: ModelAPI) -> None:
        self._service = service
        self._api = api

    def respond(self, request: httpx.Request) -> httpx.Response | Awaitable[httpx.Response]:
        asked = ModelRequest.parse(request.url.path, dict(request.headers), request.content)
        step = self._service.receive(asked)
        # What is mocked comes in one piece, when all of it is written.
        seconds = step.duration if isinstance(step, Answer) else getattr(step, "after", 0.0)
        if seconds == 0.0 and not self._service.held:
            return self._respond_to_step(step, asked)
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # a synchronous client, in a thread of its own
            self._service.wait(seconds)
            return self._respond_to_step(step, asked)
        return self._respond_later(step, asked, seconds)

    async def _respond_later(
        self, step: Step | None, request: ModelRequest, seconds: float
    ) -> httpx.Response:
        await self._service.wait_async(seconds)
        return self._respond_to_step(step, request)

    def _respond_to_step(self, step: Step | None, request: ModelRequest) -> httpx.Response:
        match step:
            case Answer():
                number = self._service.next_answer_id()
                return self._answer_response(step, number, request)
            case Failure():
                refused = self._api.error_response(step)
                return httpx.Response(refused.status, headers=dict(refused.headers), json=dict(refused.body))
            case Drop():
                raise httpx2.RemoteProtocolError("the server closed the connection")
            case Hang():
                raise httpx2.ReadTimeout("no answer")
            case _:
                message = f"nothing is scripted for {request.prompt!r}"
                return httpx.Response(400, json={"error": {"message": message, "code": "unscripted"}})

    def _answer_response(self, step: Answer, number: str, request: ModelRequest) -> httpx.Response:
        whole = self._api.response_body(step, number, request=request.body)
        if not request.body.get("stream"):
            return httpx.Response(200, json=whole)
        events = [self._api.encode_event(event) for event in self._api.stream_events(whole, step.pieces)]
        content = b"".join([*events, self._api.STREAM_END])
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=content)
