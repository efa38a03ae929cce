from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.support.asking import ask_provider
from tests.support.flow_line import Line
from yemot_ai import AIFlow, YemotAI
from yemot_ai.errors import (
    AnswerEmptyError,
    AuthenticationError,
    ConfigurationError,
    ContextOverflowError,
    OverloadedError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitedError,
    RefusedRequestError,
    SessionLostError,
)
from yemot_ai.providers import (
    JSON,
    AnswerPart,
    CodexCLIProvider,
    Exchange,
    FallbackProvider,
    OpenAIProvider,
    Provider,
    Reply,
)
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
from yemot_ai_testing.doubles.sdk_mocks import OpenAIMock
from yemot_ai_testing.doubles.steps import BusySession, UnknownSession

T = TypeVar("T")


class ManualClock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time


@pytest.fixture
def first() -> ScriptedProvider:
    return ScriptedProvider()


@pytest.fixture
def second(first: ScriptedProvider) -> ScriptedProvider:
    return ScriptedProvider(engine=first.engine)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def fallback(first: ScriptedProvider, second: ScriptedProvider, clock: ManualClock) -> FallbackProvider:
    return FallbackProvider([first, second], timeout=20.0, cooldown=30.0, now=clock.now)


def run(provider: FallbackProvider, turn: Coroutine[Any, Any, T]) -> T:
    """Run a turn in the virtual time of the doubles."""
    result: T = provider.engine.run(turn)
    return result


def ask(provider: FallbackProvider, prompt: str = "יש?", session: JSON = None) -> Reply:
    if session is None:
        return run(provider, ask_provider(provider, prompt, instructions="קצר"))
    return run(provider, ask_provider(provider, prompt, session=session, instructions="קצר"))


def prompts(provider: ScriptedProvider) -> list[str]:
    return [request.prompt for request in provider.requests]


def test_it_is_a_provider(fallback: FallbackProvider) -> None:
    assert isinstance(fallback, Provider)


def test_the_first_answers_while_it_can(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers("כן").answers("בטוח")
    reply = ask(fallback)

    assert ask(fallback, "בטוח?", reply.session).text == "בטוח"
    assert [request.session for request in first.requests] == [None, "scripted-1"]
    assert second.requests == []


@pytest.mark.parametrize(
    "kind", ["rate_limited", "overloaded", "unauthorized", "quota_exceeded", "unknown_model"]
)
def test_when_the_first_fails_the_second_answers_and_the_first_cools_down(
    fallback: FallbackProvider,
    first: ScriptedProvider,
    second: ScriptedProvider,
    kind: str,
    clock: ManualClock,
) -> None:
    first.fails(kind)  # type: ignore[arg-type]  # the parameters are literals
    second.answers("כן").answers("כן")
    ask(fallback, "אחת")
    ask(fallback, "שתיים")
    assert (prompts(first), prompts(second)) == (["אחת"], ["אחת", "שתיים"])

    clock.time += 30.0
    first.answers("שבתי")
    assert ask(fallback, "שלוש").text == "שבתי"


def test_a_missing_codex_cools_down(second: ScriptedProvider, clock: ManualClock, tmp_path: Path) -> None:
    second.answers("שני").answers("שני")
    codex = CodexCLIProvider(tmp_path / "codex")
    fallback = FallbackProvider([codex, second], timeout=20.0, cooldown=30.0, now=clock.now)
    assert ask(fallback, "אחת").text == "שני"
    with FakeCodex() as fake:
        (tmp_path / "codex").symlink_to(fake.executable)
        assert ask(fallback, "שתיים").text == "שני"
        assert fake.requests == []


def test_a_rate_limited_provider_cools_down_for_retry_after(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider, clock: ManualClock
) -> None:
    first.fails("rate_limited", retry_after=300)
    second.answers("כן").answers("כן")
    ask(fallback)
    clock.time += 299.0
    ask(fallback)
    clock.time += 1.0
    first.answers("שבתי")

    assert ask(fallback).text == "שבתי"


def test_a_silent_provider_is_cancelled_after_its_share_of_the_deadline(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.hangs()
    second.answers("כן", after=9.0)
    reply = ask(fallback)

    assert reply.text == "כן"
    assert fallback.engine.clock.now() == pytest.approx(19.0)
    assert first.running == 0


def test_the_last_provider_has_all_the_time_that_is_left(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.fails("overloaded", after=1.0)
    second.answers("כן", after=18.0)

    assert ask(fallback).text == "כן"


def test_when_all_fail_the_last_error_has_the_others_in_its_notes(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.fails("unauthorized")
    second.hangs()

    with pytest.raises(ProviderTimeoutError) as caught:
        ask(fallback)
    assert caught.value.__notes__ == ["before it, scripted failed (unauthorized): unauthorized"]


def test_the_notes_survive_the_ledger(first: ScriptedProvider, second: ScriptedProvider) -> None:
    first.fails("unauthorized")
    second.fails("quota_exceeded")
    ai = YemotAI(provider=FallbackProvider([first, second]))

    for _ in range(2):  # the second time from the ledger
        with pytest.raises(ProviderError) as caught:
            ai.reply("c1", "יש?", turn_id="t")
        assert caught.value.__notes__ == ["before it, scripted failed (unauthorized): unauthorized"]


def test_the_next_provider_gets_the_history(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers("באיזה גודל?").fails("overloaded")
    second.answers("רשמתי").answers("בבקשה")
    reply = ask(fallback, "פיצה")
    reply = ask(fallback, "גדולה", reply.session)
    assert second.requests[0].history == (Exchange("פיצה", "באיזה גודל?"),)
    assert second.requests[0].instructions == "קצר"

    ask(fallback, "תודה", reply.session)
    assert second.requests[1].session == "scripted-1"
    assert second.requests[1].history == ()


def test_a_call_stays_with_the_provider_that_has_its_thread(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider, clock: ManualClock
) -> None:
    first.fails("overloaded").answers("שיחה חדשה")
    second.answers("כן").answers("עדיין אני")
    reply = ask(fallback)
    clock.time += 3600.0

    assert ask(fallback, "מי זה?", reply.session).text == "עדיין אני"
    assert ask(fallback).text == "שיחה חדשה"


def test_the_session_survives_json_and_another_process(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.fails("overloaded")
    second.answers("כן").answers("בטוח")
    session = json.loads(json.dumps(ask(fallback).session))
    other = FallbackProvider([first, second])

    assert ask(other, "בטוח?", session).text == "בטוח"
    assert second.requests[1].session == "scripted-1"


def test_a_lost_thread_is_rebuilt_at_the_same_provider(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers("נעים מאוד").add(UnknownSession())
    first.answers("דוד")
    reply = ask(fallback, "שמי דוד")

    assert ask(fallback, "איך קוראים לי?", reply.session).text == "דוד"
    assert first.requests[-1].history == (Exchange("שמי דוד", "נעים מאוד"),)
    assert second.requests == []


def test_a_busy_thread_moves_to_the_next_provider_without_a_cooldown(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers("כן").add(BusySession())
    second.answers("אני כאן")
    reply = ask(fallback)
    ask(fallback, "הלו?", reply.session)
    first.answers("שיחה חדשה")

    assert ask(fallback).text == "שיחה חדשה"


class PolicyProvider:
    """Refuse prompts that contain a word; answer the others."""

    name = "policy"
    streams = False

    async def ask(self, prompt: str, **_: object) -> AsyncIterator[str | Reply]:
        if "אסור" in prompt:
            raise RefusedRequestError("flagged", provider=self.name)
        yield Reply("ראשון", "s")


def test_a_refused_request_starts_no_cooldown(second: ScriptedProvider) -> None:
    fallback = FallbackProvider([PolicyProvider(), second])
    second.answers("שני")

    assert ask(fallback, "אסור").text == "שני"
    assert ask(fallback, "מותר").text == "ראשון"


def test_refused_words_are_not_asked_again_if_the_others_fail(second: ScriptedProvider) -> None:
    policy = PolicyProvider()
    second.fails("overloaded").fails("overloaded")
    ai = YemotAI(provider=FallbackProvider([policy, second]))

    with pytest.raises(RefusedRequestError) as caught:
        ai.reply("c1", "אסור")
    assert len(second.requests) == 1
    assert caught.value.__notes__ == ["after it, scripted failed (overloaded): overloaded"]


def test_a_refused_request_is_not_asked_again(second: ScriptedProvider) -> None:
    ai = YemotAI(provider=PolicyProvider())

    with pytest.raises(RefusedRequestError):
        ai.reply("c1", "אסור", turn_id="t")
    assert ai.reply("c1", "מותר") == "ראשון"


def test_after_an_overflow_a_new_thread_starts_with_the_last_exchanges(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    session: JSON = None
    for number in range(8):
        first.answers(f"תשובה {number}")
        session = ask(fallback, f"שאלה {number}", session).session
    first.fails("context_overflow").answers("אני כאן")

    assert ask(fallback, "הלו?", session).text == "אני כאן"
    assert [exchange.prompt for exchange in first.requests[-1].history] == [f"שאלה {n}" for n in range(2, 8)]
    assert second.requests == []


def test_a_history_that_is_too_long_for_the_next_provider_is_shortened(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.fails("overloaded")
    second.fails("context_overflow").answers("אני כאן")
    history = [Exchange(f"שאלה {number}", "כן") for number in range(9)]

    assert run(fallback, ask_provider(fallback, "הלו?", history=history)).text == "אני כאן"
    assert [len(request.history) for request in second.requests] == [9, 6]


def test_a_prompt_that_overflows_without_history_is_an_overflow(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.fails("context_overflow")

    with pytest.raises(ContextOverflowError):
        ask(fallback)
    assert second.requests == []


def test_when_all_cool_down_the_one_that_is_ready_first_is_tried(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.fails("rate_limited", retry_after=90)
    second.fails("rate_limited", retry_after=20)
    with pytest.raises(RateLimitedError):
        ask(fallback, "אחת")
    second.answers("כן")

    assert ask(fallback, "שתיים").text == "כן"
    assert prompts(first) == ["אחת"]


def test_a_cooling_provider_is_tried_last_when_the_others_fail(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.fails("overloaded").answers("שבתי")
    second.answers("כן").fails("overloaded")
    ask(fallback, "אחת")

    assert ask(fallback, "שתיים").text == "שבתי"
    assert prompts(second) == ["אחת", "שתיים"]


def test_after_an_empty_answer_the_next_provider_is_tried(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers(" ")
    second.answers("")

    with pytest.raises(AnswerEmptyError) as caught:
        ask(fallback)
    assert len(caught.value.__notes__) == 1


class FailingProvider:
    """A provider with a bug."""

    name = "failing"

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        raise KeyError(prompt)

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        raise KeyError(prompt)

    async def end_session(self, session: JSON) -> None:
        raise OSError("the disk is full")

    async def aclose(self) -> None:
        raise OSError("the line is cut")


def test_after_an_unexpected_exception_the_next_provider_is_tried(second: ScriptedProvider) -> None:
    second.answers("כן")

    assert ask(FallbackProvider([FailingProvider(), second])).text == "כן"


class BreakingStreamProvider:
    """Fail after the first piece."""

    name = "breaks-off"

    async def start_session(self, prompt: str, **_: object) -> Reply:
        raise AssertionError(prompt)

    async def continue_session(self, session: JSON, prompt: str, **_: object) -> Reply:
        raise AssertionError(prompt)

    async def stream(self, session: JSON, prompt: str, **_: object) -> AsyncIterator[str | Reply]:
        yield "פתוח"
        raise OverloadedError("too much", provider=self.name)


def test_a_retry_after_a_break_in_the_first_sentence_asks_another_provider(
    second: ScriptedProvider,
) -> None:
    ai = YemotAI(provider=FallbackProvider([BreakingStreamProvider(), second]))
    flow = AIFlow(ai)
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    second.answers("סגור")
    line = Line(flow)
    line.enter("a")

    assert line.send(("ai_1", "מתי?")) == "read=t-סגור=ai_2,no,voice"


def test_at_the_end_every_provider_with_a_thread_ends_it(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers("כן").fails("overloaded")
    second.answers("כן")
    reply = ask(fallback)
    reply = ask(fallback, "בטוח?", reply.session)
    run(fallback, fallback.end_session(reply.session))

    assert (first.ended_sessions, second.ended_sessions) == (["scripted-1"], ["scripted-1"])


def test_a_failing_end_session_does_not_skip_the_others(second: ScriptedProvider) -> None:
    fallback = FallbackProvider([FailingProvider(), second])
    left: list[JSON] = [[0, "failing", "b"]]
    session: JSON = {"entry": 1, "name": "scripted", "session": "s", "history": [], "left": left}

    with pytest.raises(ExceptionGroup, match="not all providers"):
        run(fallback, fallback.end_session(session))
    assert second.ended_sessions == ["s"]


def test_a_thread_of_an_earlier_list_is_not_ended(second: ScriptedProvider) -> None:
    fallback = FallbackProvider([second])
    session: JSON = {"entry": 0, "name": "codex", "session": "s", "history": [], "left": [[7, "codex", "t"]]}
    run(fallback, fallback.end_session(session))

    assert second.ended_sessions == []


def test_a_thread_of_an_earlier_list_is_rebuilt(second: ScriptedProvider) -> None:
    second.answers("דוד")
    fallback = FallbackProvider([second])
    history: list[JSON] = [["שמי דוד", "נעים מאוד"]]
    session: JSON = {"entry": 0, "name": "codex", "session": "s", "history": history, "left": []}

    assert ask(fallback, "איך קוראים לי?", session).text == "דוד"
    assert second.requests[0].history == (Exchange("שמי דוד", "נעים מאוד"),)


@pytest.mark.parametrize(
    "session",
    [
        "x",
        {"thread_id": "x"},
        {"history": []},
        {"entry": 0, "name": "scripted", "session": "s", "history": [], "left": "x"},
        {"entry": 0, "name": "scripted", "session": "s", "history": [], "left": [[1]]},
    ],
    ids=["text", "codex", "half", "left", "left-half"],
)
def test_a_session_of_another_provider_is_lost(fallback: FallbackProvider, session: JSON) -> None:
    with pytest.raises(SessionLostError):
        ask(fallback, "יש?", session)


def test_closing_closes_each_provider_once() -> None:
    closed: list[str] = []

    class ClosingProvider(FailingProvider):
        async def aclose(self) -> None:
            closed.append(self.name)

    closing = ClosingProvider()
    with pytest.raises(ExceptionGroup):
        asyncio.run(FallbackProvider([FailingProvider(), closing, closing]).aclose())
    assert closed == ["failing"]


def test_a_cancelled_turn_does_not_count_as_a_failure(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers("כן")
    first.hold()

    async def hang_up() -> bool:
        turn = asyncio.create_task(ask_provider(fallback, "יש?"))
        while not first.running:  # noqa: ASYNC110 - only loop iterations, no time passes
            await asyncio.sleep(0)
        turn.cancel()
        await asyncio.wait([turn])
        return turn.cancelled()

    assert run(fallback, hang_up())
    assert (first.running, second.requests) == (0, [])


def test_several_keys_of_one_service_are_several_providers() -> None:
    with OpenAIMock() as openai:
        openai.fails("quota_exceeded").answers("כן")
        keys = [OpenAIProvider(api_key=key, store=False) for key in ("first", "second")]
        ai = YemotAI(provider=FallbackProvider(keys))

        assert ai.reply("c1", "יש?") == "כן"
    sent = [request.headers["authorization"] for request in openai.requests]
    assert sent == ["Bearer first", "Bearer second"]


def test_the_session_id_of_a_turn_is_that_of_the_provider_that_answered(first: ScriptedProvider) -> None:
    first.answers("כן")

    assert YemotAI(provider=FallbackProvider([first])).ask("c1", "יש?").session_id == "scripted-1"


def test_in_a_whole_call_no_prompt_is_sent_twice(first: ScriptedProvider, second: ScriptedProvider) -> None:
    first.answers("באיזה גודל?").fails("overloaded")
    second.answers("רשמתי")
    ai = YemotAI(provider=FallbackProvider([first, second]))

    assert [ai.reply("c1", text) for text in ("פיצה", "גדולה")] == ["באיזה גודל?", "רשמתי"]
    ai.end("c1")
    assert (first.ended_sessions, second.ended_sessions) == (["scripted-1"], ["scripted-1"])
    first.assert_complete()
    second.assert_complete()


@pytest.mark.parametrize("providers", [[], [object()], ["openai"]], ids=["empty", "object", "string"])
def test_a_list_without_valid_providers_is_refused(providers: list[Any]) -> None:
    with pytest.raises(ConfigurationError):
        FallbackProvider(providers)


def test_an_empty_answer_starts_no_cooldown(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers("").answers("הנה")
    second.answers("כן")
    ask(fallback)

    assert ask(fallback).text == "הנה"


@pytest.mark.parametrize("error", [OverloadedError, AuthenticationError])
def test_an_error_names_the_provider_that_raised_it(
    first: ScriptedProvider, error: type[ProviderError]
) -> None:
    first.fails(error.kind)  # type: ignore[arg-type]  # the parameters are literals

    with pytest.raises(error) as caught:
        ask(FallbackProvider([first]))
    assert caught.value.provider == "scripted"


def test_a_provider_without_sessions_leaves_no_threads() -> None:
    class Forgetful(ScriptedProvider):
        async def ask(self, prompt: str, **options: Any) -> AsyncIterator[AnswerPart]:  # noqa: ANN401 - of a provider
            async for part in super().ask(prompt, **options):
                yield replace(part, session=None) if isinstance(part, Reply) else part

    forgetful = Forgetful().answers("א").answers("ב")
    provider = FallbackProvider([forgetful])

    async def ask_twice() -> JSON:
        first = await ask_provider(provider, "אחת")
        return (await ask_provider(provider, "שתיים", session=first.session)).session

    session = forgetful.engine.run(ask_twice())

    assert isinstance(session, dict)
    assert session["left"] == []
