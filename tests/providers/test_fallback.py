from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

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
    SessionLostError,
)
from yemot_ai.providers import (
    JSON,
    CodexCLIProvider,
    Exchange,
    FallbackProvider,
    OpenAIProvider,
    Provider,
    Reply,
)
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.doubles.openai import OpenAIMock
from yemot_ai_testing.doubles.script import BusySession, UnknownSession
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

T = TypeVar("T")


class Hands:
    """A clock that is set by hand."""

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
def clock() -> Hands:
    return Hands()


@pytest.fixture
def fallback(first: ScriptedProvider, second: ScriptedProvider, clock: Hands) -> FallbackProvider:
    return FallbackProvider([first, second], timeout=20.0, cooldown=30.0, now=clock.now)


def run(provider: FallbackProvider, turn: Coroutine[Any, Any, T]) -> T:
    """Run a turn in the virtual time of the doubles."""
    result: T = provider.engine.run(turn)
    return result


def asked(provider: FallbackProvider, prompt: str = "יש?", session: JSON = None) -> Reply:
    if session is None:
        return run(provider, provider.start_session(prompt, instructions="קצר"))
    return run(provider, provider.continue_session(session, prompt, instructions="קצר"))


def prompts(provider: ScriptedProvider) -> list[str]:
    return [request.prompt for request in provider.requests]


def test_it_is_a_provider(fallback: FallbackProvider) -> None:
    assert isinstance(fallback, Provider)


def test_the_first_answers_while_it_can(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers("כן").answers("בטוח")
    reply = asked(fallback)

    assert asked(fallback, "בטוח?", reply.session).text == "בטוח"
    assert [request.session for request in first.requests] == [None, "scripted-1"]
    assert second.requests == []


@pytest.mark.parametrize(
    "kind", ["rate_limited", "overloaded", "unauthorized", "quota_exceeded", "unknown_model"]
)
def test_when_the_first_fails_the_second_is_asked_and_the_first_cools_down(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider, kind: str, clock: Hands
) -> None:
    first.fails(kind)  # type: ignore[arg-type]  # the parameters are such words
    second.answers("כן").answers("כן")
    asked(fallback, "אחת")
    asked(fallback, "שתיים")
    assert (prompts(first), prompts(second)) == (["אחת"], ["אחת", "שתיים"])

    clock.time += 30.0
    first.answers("שבתי")
    assert asked(fallback, "שלוש").text == "שבתי"


def test_a_codex_that_is_not_there_cools_down(second: ScriptedProvider, clock: Hands, tmp_path: Path) -> None:
    second.answers("שני").answers("שני")
    codex = CodexCLIProvider(tmp_path / "codex")
    fallback = FallbackProvider([codex, second], timeout=20.0, cooldown=30.0, now=clock.now)
    assert asked(fallback, "אחת").text == "שני"
    with FakeCodex() as fake:
        (tmp_path / "codex").symlink_to(fake.executable)
        assert asked(fallback, "שתיים").text == "שני"
        assert fake.requests == []


def test_one_that_is_asked_to_wait_cools_down_for_as_long(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider, clock: Hands
) -> None:
    first.fails("rate_limited", retry_after=300)
    second.answers("כן").answers("כן")
    asked(fallback)
    clock.time += 299.0
    asked(fallback)
    clock.time += 1.0
    first.answers("שבתי")

    assert asked(fallback).text == "שבתי"


def test_silence_is_cut_after_a_share_of_the_deadline(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.hangs()
    second.answers("כן", after=9.0)
    reply = asked(fallback)

    assert reply.text == "כן"
    assert fallback.engine.clock.now() == pytest.approx(19.0)
    assert first.running == 0


def test_the_last_one_has_all_the_time_that_is_left(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.fails("overloaded", after=1.0)
    second.answers("כן", after=18.0)

    assert asked(fallback).text == "כן"


def test_when_nobody_answers_the_last_error_tells_of_the_others(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.fails("unauthorized")
    second.hangs()

    with pytest.raises(ProviderTimeoutError) as caught:
        asked(fallback)
    assert caught.value.__notes__ == ["before it, scripted failed (unauthorized): unauthorized"]


def test_the_notes_survive_the_ledger(first: ScriptedProvider, second: ScriptedProvider) -> None:
    first.fails("unauthorized")
    second.fails("quota_exceeded")
    ai = YemotAI(provider=FallbackProvider([first, second]))

    for _ in range(2):  # the second time it comes out of the ledger
        with pytest.raises(ProviderError) as caught:
            ai.reply("c1", "יש?", turn_id="t")
        assert caught.value.__notes__ == ["before it, scripted failed (unauthorized): unauthorized"]


def test_whoever_takes_over_is_told_what_was_said(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers("באיזה גודל?").fails("overloaded")
    second.answers("רשמתי").answers("בבקשה")
    reply = asked(fallback, "פיצה")
    reply = asked(fallback, "גדולה", reply.session)
    assert second.requests[0].history == (Exchange("פיצה", "באיזה גודל?"),)
    assert second.requests[0].instructions == "קצר"

    asked(fallback, "תודה", reply.session)
    assert second.requests[1].session == "scripted-1"
    assert second.requests[1].history == ()


def test_a_call_stays_with_whoever_has_its_thread(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider, clock: Hands
) -> None:
    first.fails("overloaded").answers("שיחה חדשה")
    second.answers("כן").answers("עדיין אני")
    reply = asked(fallback)
    clock.time += 3600.0

    assert asked(fallback, "מי זה?", reply.session).text == "עדיין אני"
    assert asked(fallback).text == "שיחה חדשה"


def test_the_session_survives_json_and_another_process(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.fails("overloaded")
    second.answers("כן").answers("בטוח")
    session = json.loads(json.dumps(asked(fallback).session))
    elsewhere = FallbackProvider([first, second])

    assert asked(elsewhere, "בטוח?", session).text == "בטוח"
    assert second.requests[1].session == "scripted-1"


def test_a_thread_that_was_lost_is_rebuilt_where_it_was(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers("נעים מאוד").add(UnknownSession())
    first.answers("דוד")
    reply = asked(fallback, "שמי דוד")

    assert asked(fallback, "איך קוראים לי?", reply.session).text == "דוד"
    assert first.requests[-1].history == (Exchange("שמי דוד", "נעים מאוד"),)
    assert second.requests == []


def test_a_thread_that_is_busy_is_taken_over_and_nobody_cools_down(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers("כן").add(BusySession())
    second.answers("אני כאן")
    reply = asked(fallback)
    asked(fallback, "הלו?", reply.session)
    first.answers("שיחה חדשה")

    assert asked(fallback).text == "שיחה חדשה"


def test_after_an_overflow_the_thread_begins_anew_with_its_last_exchanges(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    session: JSON = None
    for number in range(8):
        first.answers(f"תשובה {number}")
        session = asked(fallback, f"שאלה {number}", session).session
    first.fails("context_overflow").answers("אני כאן")

    assert asked(fallback, "הלו?", session).text == "אני כאן"
    assert [exchange.prompt for exchange in first.requests[-1].history] == [f"שאלה {n}" for n in range(2, 8)]
    assert second.requests == []


def test_a_history_that_is_too_long_for_whoever_takes_over_is_shortened(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.fails("overloaded")
    second.fails("context_overflow").answers("אני כאן")
    history = [Exchange(f"שאלה {number}", "כן") for number in range(9)]

    assert run(fallback, fallback.start_session("הלו?", history=history)).text == "אני כאן"
    assert [len(request.history) for request in second.requests] == [9, 6]


def test_a_question_that_overflows_by_itself_is_an_overflow(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.fails("context_overflow")

    with pytest.raises(ContextOverflowError):
        asked(fallback)
    assert second.requests == []


def test_when_all_cool_down_the_least_bad_is_tried(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.fails("rate_limited", retry_after=90)
    second.fails("rate_limited", retry_after=20)
    with pytest.raises(RateLimitedError):
        asked(fallback, "אחת")
    second.answers("כן")

    assert asked(fallback, "שתיים").text == "כן"
    assert prompts(first) == ["אחת"]


def test_one_that_cools_down_is_tried_at_last_when_the_others_fail(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.fails("overloaded").answers("שבתי")
    second.answers("כן").fails("overloaded")
    asked(fallback, "אחת")

    assert asked(fallback, "שתיים").text == "שבתי"
    assert prompts(second) == ["אחת", "שתיים"]


def test_an_empty_answer_is_asked_of_the_next(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers(" ")
    second.answers("")

    with pytest.raises(AnswerEmptyError) as caught:
        asked(fallback)
    assert len(caught.value.__notes__) == 1


class Broken:
    """A provider with a bug."""

    name = "broken"

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


def test_the_bug_of_one_is_what_the_others_are_there_for(second: ScriptedProvider) -> None:
    second.answers("כן")

    assert asked(FallbackProvider([Broken(), second])).text == "כן"


class BreaksOff:
    """Begins to answer, and is lost."""

    name = "breaks-off"

    async def start_session(self, prompt: str, **_: object) -> Reply:
        raise AssertionError(prompt)

    async def continue_session(self, session: JSON, prompt: str, **_: object) -> Reply:
        raise AssertionError(prompt)

    async def stream(self, session: JSON, prompt: str, **_: object) -> AsyncIterator[str | Reply]:
        yield "פתוח"
        raise OverloadedError("too much", provider=self.name)


def test_one_that_breaks_off_in_its_first_sentence_is_not_the_one_that_is_asked_once_more(
    second: ScriptedProvider,
) -> None:
    ai = YemotAI(provider=FallbackProvider([BreaksOff(), second]))
    flow = AIFlow(ai)
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    second.answers("סגור")
    line = Line(flow)
    line.enter("a")

    assert line.send(("ai_1", "מתי?")) == "read=t-סגור=ai_2,no,voice"


def test_at_the_end_all_who_had_a_thread_forget_it(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers("כן").fails("overloaded")
    second.answers("כן")
    reply = asked(fallback)
    reply = asked(fallback, "בטוח?", reply.session)
    run(fallback, fallback.end_session(reply.session))

    assert (first.ended_sessions, second.ended_sessions) == (["scripted-1"], ["scripted-1"])


def test_one_that_cannot_forget_keeps_nobody_from_forgetting(second: ScriptedProvider) -> None:
    fallback = FallbackProvider([Broken(), second])
    left: list[JSON] = [[0, "broken", "b"]]
    session: JSON = {"entry": 1, "name": "scripted", "session": "s", "history": [], "left": left}

    with pytest.raises(ExceptionGroup, match="not all providers"):
        run(fallback, fallback.end_session(session))
    assert second.ended_sessions == ["s"]


def test_nobody_is_asked_to_forget_a_thread_of_an_earlier_list(second: ScriptedProvider) -> None:
    fallback = FallbackProvider([second])
    session: JSON = {"entry": 0, "name": "codex", "session": "s", "history": [], "left": [[7, "codex", "t"]]}
    run(fallback, fallback.end_session(session))

    assert second.ended_sessions == []


def test_a_thread_of_an_earlier_list_is_begun_anew(second: ScriptedProvider) -> None:
    second.answers("דוד")
    fallback = FallbackProvider([second])
    history: list[JSON] = [["שמי דוד", "נעים מאוד"]]
    session: JSON = {"entry": 0, "name": "codex", "session": "s", "history": history, "left": []}

    assert asked(fallback, "איך קוראים לי?", session).text == "דוד"
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
def test_a_session_of_somebody_else_is_lost(fallback: FallbackProvider, session: JSON) -> None:
    with pytest.raises(SessionLostError):
        asked(fallback, "יש?", session)


def test_closing_closes_everybody_once() -> None:
    closed: list[str] = []

    class Shut(Broken):
        async def aclose(self) -> None:
            closed.append(self.name)

    shut = Shut()
    with pytest.raises(ExceptionGroup):
        asyncio.run(FallbackProvider([Broken(), shut, shut]).aclose())
    assert closed == ["broken"]


def test_a_cancelled_turn_is_not_taken_for_a_failure(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers("כן")
    first.hold()

    async def hang_up() -> bool:
        turn = asyncio.create_task(fallback.start_session("יש?"))
        while not first.running:  # noqa: ASYNC110 - one turn of the loop after the other, no time passes
            await asyncio.sleep(0)
        turn.cancel()
        await asyncio.wait([turn])
        return turn.cancelled()

    assert run(fallback, hang_up())
    assert (first.running, second.requests) == (0, [])


def test_several_keys_of_one_service_are_several_entries() -> None:
    with OpenAIMock() as openai:
        openai.fails("quota_exceeded").answers("כן")
        keys = [OpenAIProvider(api_key=key, store=False) for key in ("first", "second")]
        ai = YemotAI(provider=FallbackProvider(keys))

        assert ai.reply("c1", "יש?") == "כן"
    sent = [request.headers["authorization"] for request in openai.requests]
    assert sent == ["Bearer first", "Bearer second"]


def test_the_session_of_a_turn_is_the_thread_of_whoever_answered(first: ScriptedProvider) -> None:
    first.answers("כן")

    assert YemotAI(provider=FallbackProvider([first])).ask("c1", "יש?").session_id == "scripted-1"


def test_through_a_whole_call_nothing_is_asked_twice(
    first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers("באיזה גודל?").fails("overloaded")
    second.answers("רשמתי")
    ai = YemotAI(provider=FallbackProvider([first, second]))

    assert [ai.reply("c1", text) for text in ("פיצה", "גדולה")] == ["באיזה גודל?", "רשמתי"]
    ai.end("c1")
    assert (first.ended_sessions, second.ended_sessions) == (["scripted-1"], ["scripted-1"])
    first.assert_complete()
    second.assert_complete()


@pytest.mark.parametrize("providers", [[], [object()], ["openai"]], ids=["nobody", "object", "word"])
def test_a_list_that_cannot_answer_is_refused(providers: list[Any]) -> None:
    with pytest.raises(ConfigurationError):
        FallbackProvider(providers)


def test_errors_that_are_not_of_health_do_not_cool_down(
    fallback: FallbackProvider, first: ScriptedProvider, second: ScriptedProvider
) -> None:
    first.answers("").answers("הנה")
    second.answers("כן")
    asked(fallback)

    assert asked(fallback).text == "הנה"


@pytest.mark.parametrize("error", [OverloadedError, AuthenticationError])
def test_an_error_names_the_provider_that_raised_it(
    first: ScriptedProvider, error: type[ProviderError]
) -> None:
    first.fails(error.kind)  # type: ignore[arg-type]  # the parameters have such words

    with pytest.raises(error) as caught:
        asked(FallbackProvider([first]))
    assert caught.value.provider == "scripted"
