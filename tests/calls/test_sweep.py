"""A sweep ends every idle call that it can: what fails for one of them does not keep the others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field

import pytest

from tests.support.waiting import until
from yemot_ai import AIFlow, RequestLimits, YemotAI
from yemot_ai._calls.caller_memory import DAY
from yemot_ai._calls.hooks import CallSummary
from yemot_ai._calls.lifecycle import MAX_SWEEP_INTERVAL
from yemot_ai.errors import StoreError
from yemot_ai.providers.provider import Usage
from yemot_ai.sessions import MemoryStore, Session
from yemot_ai_testing import Caller, ScriptedProvider

PHONE, OTHER = "0501234567", "0527654321"
TTL = 600.0
IDS = ("c1", "c2", "c3")

ERRORS = [StoreError("away"), OSError("no space"), KeyError("x"), SystemExit(1)]


class FaultyStore(MemoryStore):
    """A store whose ``method`` raises ``error`` for one key, or, after a listing has begun, for all."""

    method = ""
    key = ""
    error: BaseException = StoreError("away")
    times = 1_000_000

    def _check(self, method: str, key: str) -> None:
        if method == self.method and key == self.key and self.times:
            self.times -= 1
            raise self.error

    async def load(self, call_id: str) -> Session | None:
        self._check("load", call_id)
        return await super().load(call_id)

    async def save(self, session: Session, *, ttl: float) -> Session:
        self._check("save", session.call_id)
        return await super().save(session, ttl=ttl)

    async def delete(self, call_id: str) -> None:
        self._check("delete", call_id)
        await super().delete(call_id)

    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        async for call_id in super().call_ids(idle=idle):
            yield call_id
        self._check("call_ids", "")

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        self._check("ended", "")
        return await super().ended(call_ids)


@dataclass
class Calls:
    """Calls that send no more requests, and the ids that the hook of their ends has got."""

    provider: ScriptedProvider
    store: FaultyStore
    ai: YemotAI
    flow: AIFlow
    ends: list[str] = field(default_factory=list)

    def open(self, *call_ids: str) -> None:
        for call_id in call_ids:
            self.flow.handle_request({"ApiCallId": call_id, "ApiExtension": "", "ApiPhone": PHONE})

    def fail(self, method: str, key: str, error: BaseException, *, times: int = 1_000_000) -> None:
        store = self.store
        store.method, store.key, store.error, store.times = method, key, error, times

    def sleep(self, seconds: float) -> None:
        self.ai.engine.run(asyncio.sleep(seconds))

    def ask(self, phone: str) -> None:
        """Make a call with one question, up to its hang-up."""
        self.provider.answers("תשובה")
        caller = Caller(self.flow, phone=phone)
        caller.dial()
        caller.says("שאלה")
        caller.hangs_up()


@pytest.fixture
def calls(provider: ScriptedProvider) -> Calls:
    store = FaultyStore(now=provider.engine.time)
    ai = YemotAI(provider=provider, store=store, session_ttl=TTL, remember="caller", memory_ttl=7 * DAY)
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    calls = Calls(provider, store, ai, flow)

    @ai.on_call_end
    def ended(summary: CallSummary, usage: Usage) -> None:
        calls.ends.append(summary.call_id)

    return calls


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("method", ["save", "load"])
@pytest.mark.parametrize("failing", IDS)
def test_a_call_that_cannot_be_ended_keeps_no_other_call_open(
    calls: Calls, caplog: pytest.LogCaptureFixture, method: str, failing: str, error: BaseException
) -> None:
    calls.open(*IDS)
    calls.fail(method, failing, error)
    calls.sleep(2 * TTL - 1)

    assert {*calls.ends} == {*IDS} - {failing}
    assert any(failing in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("method", ["call_ids", "ended"])
def test_the_sweep_after_one_that_could_list_no_calls_ends_them(
    calls: Calls, caplog: pytest.LogCaptureFixture, method: str, error: BaseException
) -> None:
    calls.open(*IDS)
    calls.fail(method, "", error, times=3)
    calls.sleep(2 * TTL - 1)

    assert {*calls.ends} == {*IDS}
    assert caplog.records


def test_calls_that_were_listed_before_the_listing_failed_are_ended(calls: Calls) -> None:
    calls.open(*IDS)
    calls.fail("call_ids", "", StoreError("one file cannot be read"))
    calls.sleep(2 * TTL - 1)

    assert {*calls.ends} == {*IDS}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("failing", [PHONE, OTHER])
def test_a_caller_memory_that_cannot_be_deleted_keeps_no_other_one(
    calls: Calls, failing: str, error: BaseException
) -> None:
    calls.ask(PHONE)
    calls.ask(OTHER)
    calls.fail("delete", f"caller:{failing}", error)
    calls.sleep(7 * DAY + 2 * MAX_SWEEP_INTERVAL)

    assert len(calls.provider.ended_sessions) == 2 - (failing == PHONE) - (failing == OTHER)


def test_memories_expire_although_no_call_can_be_ended(calls: Calls) -> None:
    calls.ask(PHONE)
    calls.fail("ended", "", StoreError("away"))
    calls.sleep(7 * DAY + 2 * MAX_SWEEP_INTERVAL)

    assert calls.provider.ended_sessions == ["scripted-1"]


@pytest.mark.parametrize("method", ["load", "save"])
def test_a_call_whose_memory_cannot_be_saved_yet_ends_and_is_remembered_later(
    calls: Calls, method: str
) -> None:
    calls.provider.answers("תשובה").answers("עוד תשובה")
    caller = Caller(calls.flow, phone=PHONE)
    caller.dial()
    caller.says("שאלה")
    calls.fail(method, f"caller:{PHONE}", StoreError("away"), times=3)
    caller.hangs_up()
    assert len(calls.ends) == 1
    calls.sleep(5)

    again = Caller(calls.flow, phone=PHONE)
    again.dial()
    assert again.says("ועוד") == "עוד תשובה"
    assert [request.session for request in calls.provider.requests] == [None, "scripted-1"]


@pytest.mark.parametrize("error", [ValueError("of a developer"), SystemExit(1)], ids=["error", "exit"])
def test_a_callback_that_raises_keeps_no_call_from_its_end(
    calls: Calls, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    later: list[str] = []

    def raises(call_id: str) -> None:
        raise error

    calls.ai.end_callbacks.insert(0, raises)
    calls.ai.end_callbacks.append(later.append)
    calls.open(*IDS)
    calls.flow.handle_request({"ApiCallId": "c1", "ApiExtension": "", "ApiPhone": PHONE, "hangup": "yes"})
    calls.sleep(2 * TTL - 1)

    assert {*calls.ends} == {*later} == {*IDS}
    assert "ERROR" in {record.levelname for record in caplog.records}


@pytest.mark.parametrize("method", ["load", "delete"])
@pytest.mark.parametrize("error", ERRORS[:2], ids=lambda error: type(error).__name__)
def test_a_call_that_cannot_be_dropped_is_named_and_ends_as_an_idle_one(
    provider: ScriptedProvider, caplog: pytest.LogCaptureFixture, method: str, error: BaseException
) -> None:
    caplog.set_level(logging.WARNING)
    store = FaultyStore(now=provider.engine.time)
    ai = YemotAI(provider=provider, store=store, session_ttl=TTL)
    flow = AIFlow(ai, request_limits=RequestLimits(unanswered_calls=1))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    calls = Calls(provider, store, ai, flow)
    ai.on_call_end(lambda summary, usage: calls.ends.append(summary.call_id))
    calls.open("c1")
    calls.fail(method, "c1", error, times=1)
    calls.open("c2")
    until(lambda: "call c1 could not be dropped" in caplog.text)
    calls.sleep(2 * TTL - 1)

    assert {*calls.ends} == {"c1", "c2"}
