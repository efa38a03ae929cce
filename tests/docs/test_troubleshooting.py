"""The table of what a caller hears of each error: it has all errors, and callers hear what it says."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from yemot_ai import AICall, AIFlow, DialogSettings, YemotAI, errors, tool
from yemot_ai.errors import (
    AnswerCutError,
    AnswerEmptyError,
    AuthenticationError,
    CodexNotFoundError,
    ConfigurationError,
    ContextOverflowError,
    EngineLoopError,
    InvalidValueError,
    LimitReachedError,
    MalformedStreamError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
    RefusedRequestError,
    ResponseSyntaxError,
    SessionBusyError,
    SessionLostError,
    UnknownModelError,
)
from yemot_ai.providers import Reply
from yemot_ai_testing import Caller, ScriptedProvider

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
_CODE = re.compile(r"`([^`]+)`")

OF_PROVIDERS: tuple[ProviderError, ...] = (
    CodexNotFoundError("codex"),
    AuthenticationError("wrong key"),
    QuotaExceededError("no credit"),
    UnknownModelError("no such model", model="m"),
    RateLimitedError("slow down"),
    OverloadedError("busy"),
    ProviderCrashError("the process ended"),
    MalformedStreamError("not JSON"),
    AnswerEmptyError("no text"),
    AnswerCutError(reason="length", text="x"),
    RefusedRequestError("refused"),
    ContextOverflowError("too long"),
    SessionLostError("lost", thread_id="t"),
    SessionBusyError("busy", thread_id="t"),
    ProviderTimeoutError(seconds=60),
    LimitReachedError(limit="turns", most=3),
)
"""One of each that a provider raises; ``provider`` and ``agent_function`` are made of other exceptions."""

OF_TOOLS = {"tool_failed", "tool_unknown", "tool_not_confirmed"}

OF_HANDLERS = (
    ConfigurationError("no such option"),
    InvalidValueError("text", "not allowed"),
    ResponseSyntaxError("no action", text="x"),
    EngineLoopError("await areply"),
)
each_of_providers = pytest.mark.parametrize("error", OF_PROVIDERS, ids=lambda error: error.kind)
each_of_handlers = pytest.mark.parametrize("error", OF_HANDLERS, ids=lambda error: type(error).__name__)


@dataclass(frozen=True)
class Row:
    """One row of the table; the cells as they are written."""

    kind: str
    agent: str
    handler: str
    log: str


def read_rows() -> dict[str, Row]:
    """Return the rows by the name of the error."""
    section = PAGE.read_text(encoding="utf-8").partition("## What a caller hears")[2].partition("\n## ")[0]
    rows: dict[str, Row] = {}
    for line in section.splitlines():
        if re.match(r"\| `\w+Error`", line):
            names, kind, agent, handler, log, _ = line.strip("| ").split(" | ")
            rows |= dict.fromkeys(_CODE.findall(names), Row(kind.strip("`"), agent, handler, log))
    return rows


ROWS = read_rows()


@dataclass
class FailingProvider:
    """A provider whose answers fail."""

    error: Exception
    name: str = "failing"
    streams: bool = False

    async def ask(self, prompt: str, **_: object) -> AsyncIterator[str | Reply]:
        if prompt:
            raise self.error
        yield Reply("", None)


def sentence(cell: str) -> str:
    """Return the sentence of the setting that a cell names."""
    (name, *_) = _CODE.findall(cell)
    found: str = getattr(DialogSettings(), name)
    return found


def heard_by_agent(provider: FailingProvider, function: Callable[[AICall, str], None]) -> tuple[str, bool]:
    """Return what a caller hears after an utterance, and whether the agent left."""
    flow = AIFlow(YemotAI(provider=provider, retries=0))
    flow.ai_agent("", greeting="שלום")(function)
    caller = Caller(flow)
    caller.dial()
    heard = caller.says("מה חדש?")
    left = caller.ended
    if not left:
        caller.hangs_up()
    return heard, left


def heard_by_handler(provider: FailingProvider, handler: Callable[[AICall], None]) -> str:
    flow = AIFlow(YemotAI(provider=provider, retries=0))
    flow.get("a")(handler)
    return Caller(flow, extension="a").dial()


def raising(error: Exception) -> Callable[..., None]:
    def function(*_: object) -> None:
        raise error

    return function


def test_each_error_has_a_row_with_its_kind() -> None:
    known = {name: getattr(errors, name) for name in errors.__all__ if name != "YemotAIError"}
    assert {name: row.kind for name, row in ROWS.items()} == {
        name: getattr(error, "kind", "–") for name, error in known.items()
    }


def test_each_kind_of_a_provider_is_played() -> None:
    played = {error.kind for error in OF_PROVIDERS} | {"provider", "agent_function"} | OF_TOOLS
    assert played == {row.kind for row in ROWS.values()} - {"–"}


def missing(number: int) -> str:
    """Return the status of an order."""
    raise KeyError(number)


@tool(timeout=1)
async def slow(number: int) -> str:
    """Return the status of an order."""
    await asyncio.sleep(2)
    return str(number)


@tool(confirm="לבטל את {number}?")
def cancel(number: int) -> str:
    """Cancel an order."""
    return str(number)


@pytest.mark.parametrize(
    ("name", "kind", "answer"),
    [
        ("missing", "tool_failed", "לא מצאתי"),
        ("slow", "tool_unknown", "לא מצאתי"),
        ("cancel", "tool_not_confirmed", ""),
    ],
)
def test_of_a_tool_a_caller_hears_the_model_or_its_question(
    name: str, kind: str, answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="yemot_ai")
    provider = ScriptedProvider().calls(name, {"number": 7}).answers("לא מצאתי")
    flow = AIFlow(YemotAI(provider=provider, tools=[missing, slow, cancel]))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    caller = Caller(flow)
    caller.dial()
    heard = caller.says("מה עם הזמנה 7?")
    caller.hangs_up()

    assert heard == (answer or "לבטל את 7?")
    assert f"turn ai_1.tool1: {name}: {kind} in" in caplog.text
    assert kind in {row.kind for row in ROWS.values()} & OF_TOOLS


@each_of_providers
def test_a_caller_of_an_agent_hears_what_the_table_says(
    error: ProviderError, caplog: pytest.LogCaptureFixture
) -> None:
    row = ROWS[type(error).__name__]
    heard, left = heard_by_agent(FailingProvider(error), lambda call, text: None)

    assert heard == sentence(row.agent)
    assert left == ("it leaves" in row.agent)
    assert f"turn ai_1 failed: {error}" in caplog.text
    if row.log.startswith("`"):
        assert _CODE.findall(row.log)[0] in caplog.text or "rebuilding" in row.log


@each_of_providers
def test_a_caller_of_a_handler_hears_what_the_table_says(error: ProviderError) -> None:
    heard = heard_by_handler(FailingProvider(error), lambda call: call.play_message(call.ask_ai("מה?")))

    assert heard.startswith(sentence(ROWS[type(error).__name__].handler))


def test_an_unknown_exception_of_a_provider_is_heard_as_the_table_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    row, provider = ROWS["ProviderError"], FailingProvider(RuntimeError("secret"))
    heard, _ = heard_by_agent(provider, lambda call, text: None)

    assert heard == sentence(row.agent)
    assert "failing raised RuntimeError" in caplog.text
    assert heard_by_handler(provider, lambda call: call.play_message(call.ask_ai("מה?"))).startswith(
        sentence(row.handler)
    )


@each_of_handlers
def test_an_error_in_the_code_of_the_developer_is_heard_as_the_table_says(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    row, provider = ROWS[type(error).__name__], FailingProvider(error)
    heard, _ = heard_by_agent(provider, raising(error))

    assert heard == sentence(row.agent) == sentence(ROWS["AgentFunctionError"].agent)
    assert "agent_function" in caplog.text
    assert heard_by_handler(provider, raising(error)).startswith(sentence(row.handler))
    assert str(error) in caplog.text
