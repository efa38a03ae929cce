"""OpenAI's Responses API, mocked in this process by respx: no server, no key, no network.

openai ≥ 3 speaks through httpx2, which plain respx does not intercept; pytest-httpx2 teaches it to.

>>> from yemot_ai import YemotAI
>>> with OpenAIMock() as openai:
...     _ = openai.answers("בשמונה")
...     YemotAI("openai", openai_api_key="test").reply("c1", "מתי פותחים?")
'בשמונה'
>>> openai.requests[0].prompt
'מתי פותחים?'
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx
import pytest_httpx2  # noqa: F401 - registers the mocker that respx is asked for
import respx

from yemot_ai_testing.doubles.script import (
    Answer,
    Drop,
    Failure,
    FakeOnlyError,
    Hang,
    Script,
    Step,
    Vocabulary,
)

__all__ = ["OpenAIMock", "OpenAIRequest"]


@dataclass(frozen=True, slots=True)
class OpenAIRequest:
    """One request to ``POST /v1/responses``.

    Attributes:
        body: the decoded JSON.
    """

    body: Mapping[str, Any] = field(repr=False)

    @property
    def prompt(self) -> str:
        """The newest words of the user."""
        sent = self.body["input"]
        return str(sent if isinstance(sent, str) else sent[-1]["content"])

    @property
    def instructions(self) -> str | None:
        """How the model was told to answer."""
        return self.body.get("instructions")

    @property
    def session(self) -> str | None:
        """The response that is continued; None for a new conversation."""
        return self.body.get("previous_response_id")


class OpenAIMock(Vocabulary):
    """Answers the SDK's requests from a script.

    Use it as a context manager, or ask for the fixture ``openai_mock``. A request that was not
    scripted gets an error that says so, and ``assert_complete`` fails.

    Attributes:
        requests: what was asked so far.
    """

    def __init__(self) -> None:
        self.requests: list[OpenAIRequest] = []
        self._script = Script()
        self._numbers = itertools.count(1)
        self._router = respx.mock(using="httpcore2", assert_all_called=False)
        self._router.post(path="/v1/responses").mock(side_effect=self._respond)

    def __enter__(self) -> Self:
        self._router.start()
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
        if not isinstance(step, Answer | Failure | Drop | Hang):
            raise FakeOnlyError(f"{step!r} cannot happen to OpenAI's API")
        self._script.add(step)

    def assert_complete(self) -> None:
        """Check that every step was used and every request was scripted.

        Raises:
            ScriptMismatchError: the message lists what was asked and what was scripted.
        """
        self._script.check()

    def _respond(self, request: httpx.Request) -> httpx.Response:
        asked = OpenAIRequest(json.loads(request.content))
        self.requests.append(asked)
        match self._script.take(asked.prompt):
            case Answer() as step:
                return httpx.Response(200, json=self._answer(step))
            case Failure() as step:
                return _failure(step)
            case Drop():
                raise httpx.RemoteProtocolError("the server closed the connection")
            case Hang():
                raise httpx.ReadTimeout("no answer")
            case _:
                message = f"nothing is scripted for {asked.prompt!r}"
                return httpx.Response(400, json={"error": {"message": message, "code": "unscripted"}})

    def _answer(self, step: Answer) -> dict[str, Any]:
        number = next(self._numbers)
        text = {"type": "output_text", "text": step.text, "annotations": []}
        message = {"id": f"msg_{number}", "type": "message", "role": "assistant", "status": "completed"}
        return {
            "id": f"resp_{number}",
            "object": "response",
            "created_at": 0,
            "model": "mock",
            "status": "completed",
            "output": [{**message, "content": [text]}],
            "parallel_tool_calls": False,
            "tool_choice": "auto",
            "tools": [],
            "usage": {
                "input_tokens": 10,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": 5,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 15,
            },
        }


_FAILURES: Mapping[str, tuple[int, str]] = {
    "rate_limited": (429, "rate_limit_exceeded"),
    "quota_exceeded": (429, "insufficient_quota"),
    "unauthorized": (401, "invalid_api_key"),
    "unknown_model": (404, "model_not_found"),
    "overloaded": (503, "server_is_overloaded"),
    "context_overflow": (400, "context_length_exceeded"),
}


def _failure(step: Failure) -> httpx.Response:
    status, code = _FAILURES[step.kind]
    wait = {} if step.retry_after is None else {"retry-after": f"{step.retry_after:g}"}
    return httpx.Response(
        status, headers=wait, json={"error": {"message": step.kind, "code": code, "type": code}}
    )
