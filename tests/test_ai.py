from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from yemot_ai import YemotAI
from yemot_ai._runtime.engine import Engine, run_without_waiting
from yemot_ai._turns.transitions import claim
from yemot_ai.errors import (
    AuthenticationError,
    CallEndedError,
    ConfigurationError,
    EngineLoopError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
)
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai.sessions import MemoryStore, Session, Turn, TurnStatus, hold_key
from yemot_ai_testing import ScriptedProvider


def test_a_conversation_continues_from_turn_to_turn(ai: YemotAI, provider: ScriptedProvider) -> None:
    provider.answers("נעים מאוד").answers("דוד")

    assert [ai.reply("c1", text) for text in ("שמי דוד", "איך קוראים לי?")] == ["נעים מאוד", "דוד"]
    assert [request.session for request in provider.requests] == [None, "scripted-1"]


def test_calls_do_not_share_a_conversation(ai: YemotAI, provider: ScriptedProvider) -> None:
    provider.answers("א").answers("ב")
    ai.reply("c1", "שלום")
    ai.reply("c2", "שלום")

    assert [request.session for request in provider.requests] == [None, None]


def test_a_turn_asked_for_by_many_threads_at_once_is_asked_once(
    ai: YemotAI, provider: ScriptedProvider
) -> None:
    provider.answers("כן", after=5)
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: ai.reply("c1", "יש?", turn_id="t"), range(64)))

    assert answers == ["כן"] * 64
    assert len(provider.requests) == 1


def test_a_turn_asked_for_by_many_tasks_at_once_is_asked_once(
    ai: YemotAI, provider: ScriptedProvider
) -> None:
    provider.answers("כן", after=5)

    async def many() -> list[str]:
        return await asyncio.gather(*(ai.areply("c1", "יש?", turn_id="t") for _ in range(64)))

    assert asyncio.run(many()) == ["כן"] * 64
    assert len(provider.requests) == 1


def test_two_turns_of_one_conversation_are_asked_one_after_the_other(
    ai: YemotAI, provider: ScriptedProvider
) -> None:
    provider.answers("א", after=5).answers("ב", after=5)

    async def both() -> tuple[str, str]:
        first, second = await asyncio.gather(ai.areply("c1", "ראשון"), ai.areply("c1", "שני"))
        return first, second

    assert asyncio.run(both()) == ("א", "ב")
    assert [request.session for request in provider.requests] == [None, "scripted-1"]


def test_a_turn_has_its_usage_and_duration(ai: YemotAI, provider: ScriptedProvider) -> None:
    provider.answers("כן", after=3)
    turn = asyncio.run(ai.aask("c1", "יש?"))

    assert (turn.answer, turn.status, turn.session_id) == ("כן", TurnStatus.ANSWERED, "scripted-1")
    assert turn.usage is not None
    assert turn.duration == pytest.approx(3, abs=0.1)


def test_ending_a_call_cancels_its_turn_and_forgets_it() -> None:
    provider = ScriptedProvider(engine=Engine()).hangs()  # in virtual time the deadline would come first
    ai = YemotAI(provider=provider)
    raised: list[BaseException] = []

    def ask() -> None:
        try:
            ai.reply("c1", "יש?")
        except CallEndedError as error:
            raised.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    provider.wait_for_requests(1)
    ai.end("c1")
    asking.join(10)

    assert [str(error) for error in raised] == ["call c1 has ended; a new call brings a new ApiCallId"]
    assert provider.running == 0
    assert ai.open_calls() == 0


def test_the_providers_session_is_forgotten_with_the_call(ai: YemotAI, provider: ScriptedProvider) -> None:
    provider.answers("כן")
    ai.reply("c1", "יש?")
    ai.end("c1")
    asyncio.run(ai.aend("c1"))

    assert provider.ended_sessions == ["scripted-1"]


def test_a_call_that_has_ended_is_not_asked_about(ai: YemotAI) -> None:
    ai.end("c1")

    with pytest.raises(CallEndedError):
        ai.reply("c1", "יש?")


def test_a_provider_that_never_answers_is_cancelled_after_the_turns_time(provider: ScriptedProvider) -> None:
    provider.hangs()
    ai = YemotAI(provider=provider, turn_timeout=20)

    with pytest.raises(ProviderTimeoutError) as caught:
        ai.reply("c1", "יש?")
    assert caught.value.seconds == 20
    assert provider.engine.loop.time() == pytest.approx(20)


@pytest.mark.parametrize("retries", [0, 2])
def test_transient_failures_are_retried_as_often_as_configured(
    provider: ScriptedProvider, retries: int
) -> None:
    for _ in range(retries + 1):
        provider.fails("overloaded")
    ai = YemotAI(provider=provider, retries=retries)

    with pytest.raises(OverloadedError):
        ai.reply("c1", "יש?")


def test_a_failed_turn_fails_the_same_way_when_asked_again(ai: YemotAI, provider: ScriptedProvider) -> None:
    provider.fails("unauthorized")
    for _ in range(2):
        with pytest.raises(AuthenticationError):
            ai.reply("c1", "יש?", turn_id="t")

    assert len(provider.requests) == 1


def test_a_conversation_with_a_context_overflow_is_rebuilt_from_the_last_exchanges(
    ai: YemotAI, provider: ScriptedProvider
) -> None:
    for number in range(8):
        provider.answers(f"תשובה {number}")
    provider.fails("context_overflow").answers("הנה")
    for number in range(8):
        ai.reply("c1", f"שאלה {number}")

    assert ai.reply("c1", "עוד?") == "הנה"
    assert [old.prompt for old in provider.requests[-1].history] == [f"שאלה {n}" for n in range(2, 8)]


def test_the_threads_of_a_rebuilt_conversation_are_deleted_with_its_call(
    ai: YemotAI, provider: ScriptedProvider
) -> None:
    provider.answers("כן").fails("context_overflow").answers("הנה")
    ai.reply("c1", "אחת")
    ai.reply("c1", "שתיים")
    assert provider.ended_sessions == []

    ai.end("c1")

    assert sorted(provider.ended_sessions) == ["scripted-1", "scripted-2"]


def test_a_turn_may_have_the_name_of_the_conversation(ai: YemotAI, provider: ScriptedProvider) -> None:
    provider.answers("כן")

    assert ai.reply("c1", "יש?", turn_id="call") == "כן"


class Buggy:
    """A provider with a bug."""

    name = "buggy"

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        raise KeyError("choices")

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        raise AssertionError("never reached")


def test_a_providers_own_bug_is_a_providers_error_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ProviderError, match="buggy raised KeyError"):
        YemotAI(provider=Buggy()).reply("c1", "יש?")
    assert "Traceback" in caplog.text


def test_a_running_turn_whose_owner_is_dead_is_taken_over(provider: ScriptedProvider) -> None:
    provider.answers("כן")
    store = MemoryStore()
    left_behind = Turn("t", "יש?", owner="a dead worker")
    run_without_waiting(store.save(Session("c1", turns=(left_behind,)), ttl=60))

    assert YemotAI(provider=provider, store=store).reply("c1", "יש?", turn_id="t") == "כן"


def test_a_turn_that_has_killed_three_workers_kills_no_other(provider: ScriptedProvider) -> None:
    store, reported = MemoryStore(), list[Turn]()
    left_behind = Turn("t", "יש?", "call", owner="the third.1", lost=2)
    run_without_waiting(store.save(Session("c1", turns=(left_behind,)), ttl=60))
    ai = YemotAI(provider=provider, store=store)
    ai.on_turn(lambda _call_id, turn: reported.append(turn))
    for _ in range(2):
        with pytest.raises(ProviderCrashError, match="3 workers were lost"):
            ai.reply("c1", "יש?", turn_id="t")
    ai.end("c1")

    assert provider.requests == []
    assert [(turn.id, turn.lost) for turn in reported] == [("t", 3)]


def test_a_worker_that_claims_its_own_turn_again_was_not_lost() -> None:
    session = Session("c1", turns=(Turn("t", "יש?", owner="a.1", lost=2),))

    assert claim(session, Turn("t", "יש?", owner="a.2")).turns[0].lost == 2
    assert claim(session, Turn("t", "יש?", owner="b.1")).turns[0].status is TurnStatus.FAILED


def test_a_running_turn_whose_owner_lives_is_waited_for() -> None:
    provider = ScriptedProvider(engine=Engine())
    store = MemoryStore()
    running = Turn("t", "יש?", owner="another worker")
    saved = run_without_waiting(store.save(Session("c1", turns=(running,)), ttl=60))
    assert run_without_waiting(store.acquire(hold_key("turn", "c1", "t"), "another worker", 60))
    ai = YemotAI(provider=provider, store=store)
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(ai.reply, "c1", "יש?", turn_id="t")
        over = replace(running, status=TurnStatus.ANSWERED, answer="כן, אני", owner="")
        run_without_waiting(store.save(saved.with_turn(over), ttl=60))
        run_without_waiting(store.release(hold_key("turn", "c1", "t"), "another worker"))

        assert waiting.result(10) == "כן, אני"
    assert provider.requests == []


def test_the_blocking_methods_refuse_the_engines_own_loop(ai: YemotAI) -> None:
    async def on_the_engine() -> None:
        ai.reply("c1", "יש?")

    with pytest.raises(EngineLoopError):
        ai.engine.run(on_the_engine())


def test_the_log_says_which_turn_failed_and_why(
    ai: YemotAI, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    provider.fails("unauthorized")

    with pytest.raises(AuthenticationError):
        ai.reply("c1", "סוד", turn_id="t7")
    assert "call c1: turn t7 failed" in caplog.text
    assert "סוד" not in caplog.text


class Careless:
    """A provider that returns a given value."""

    name = "careless"

    def __init__(self, answer: object) -> None:
        self._answer = answer

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        if isinstance(self._answer, BaseException):
            raise self._answer
        return self._answer  # type: ignore[return-value]  # wrong on purpose

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        raise AssertionError("never reached")


@pytest.mark.parametrize("answer", ["כן", None], ids=["text", "none"])
def test_a_provider_that_returns_no_reply_is_an_error_at_once(answer: object) -> None:
    ai = YemotAI(provider=Careless(answer))
    for _ in range(2):
        with pytest.raises(ProviderError, match="instead of a Reply"):
            ai.reply("c1", "יש?", turn_id="t")


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError()], ids=repr)
def test_a_provider_cannot_end_the_engine(error: BaseException) -> None:
    ai = YemotAI(provider=Careless(error))
    with pytest.raises(ProviderError):
        ai.reply("c1", "יש?")
    ai.end("c1")


class OwnError(ProviderError):
    """A developer's error class, without a kind."""


def test_a_developers_own_error_comes_back_as_itself() -> None:
    ai = YemotAI(provider=Careless(OwnError("שלי")))
    for _ in range(2):
        with pytest.raises(OwnError, match="שלי"):
            ai.reply("c1", "יש?", turn_id="t")


def test_the_wait_for_an_earlier_turn_counts_as_the_turns_time(provider: ScriptedProvider) -> None:
    provider.answers("א", after=15).answers("ב", after=15)
    ai = YemotAI(provider=provider, turn_timeout=20)

    async def both() -> list[str | BaseException]:
        asked = (ai.areply("c1", text) for text in ("ראשון", "שני"))
        return await asyncio.gather(*asked, return_exceptions=True)

    # On the engine's own loop: from another one, virtual time might pass between the two questions.
    first, second = provider.engine.run(both())

    assert first == "א"
    assert isinstance(second, ProviderTimeoutError)
    assert provider.engine.loop.time() == pytest.approx(20)


class Stubborn(ScriptedProvider):
    """A provider that cannot delete a conversation."""

    async def end_session(self, session: JSON) -> None:
        await super().end_session(session)
        raise OSError("read-only")


def test_a_conversation_that_cannot_be_deleted_does_not_keep_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stubborn = Stubborn().answers("א").answers("ב")
    ai = YemotAI(provider=stubborn)
    other = ai._runtime.new_conversation("other")
    ai.reply("c1", "יש?")
    ai.engine.run(other.ask("c1", "t", "יש?"))

    ai.end("c1")

    assert sorted(stubborn.ended_sessions) == ["scripted-1", "scripted-2"]
    assert "could not delete" in caplog.text


@pytest.mark.parametrize(
    "arguments",
    [
        {"retries": -1},
        {"retries": 1.5},
        {"retries": "1"},
        {"turn_timeout": float("nan")},
        {"turn_timeout": "60"},
        {"session_ttl": True},
        {"lease": 0},
        {"lease": "x"},
        {"memory_ttl": None},
        {"limits": 7},
        {"limits": {"turns": 3}},
        {"store": 7},
        {"store": {}},
        {"instructions": ["ענה"]},
        {"interruption_note": 7},
        {"model": "m"},
        {"openai_api_key": "k"},
    ],
    ids=str,
)
def test_invalid_arguments_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        YemotAI(provider=ScriptedProvider(), **arguments)  # type: ignore[arg-type]  # wrong on purpose
