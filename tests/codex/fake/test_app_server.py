"""The fake Codex as app-server: scripted steps reach the provider."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.asking import ask_provider
from tests.support.codex import run_async, thread_id_of
from yemot_ai import YemotAI
from yemot_ai.errors import (
    MalformedStreamError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    RateLimitedError,
    SessionBusyError,
    SessionLostError,
)
from yemot_ai.providers.codex import CodexAppServerProvider
from yemot_ai.providers.provider import Usage
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.doubles.script import ScriptMismatchError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[CodexAppServerProvider]:  # noqa: ANN401 - arguments of the provider
    provider = CodexAppServerProvider(**{"timeout": 20.0, **options})
    try:
        yield provider
    finally:
        await provider.aclose()


def test_one_process_answers_the_turns_of_a_call_and_ends_on_close(fake: FakeCodex) -> None:
    fake.answers(["נעים ", "מאוד"]).answers("דוד")
    ai = YemotAI("codex-app-server", instructions="ענה בקצרה")
    answers = [ai.reply("c1", "שמי דוד"), ai.reply("c1", "מה שמי?")]
    running = fake.processes_alive()
    ai.close()

    assert answers == ["נעים מאוד", "דוד"]
    assert (running, fake.processes_alive()) == (1, 0)
    fake.assert_complete()


def test_the_turns_have_their_prompt_and_thread(fake: FakeCodex) -> None:
    async def calls() -> str:
        async with serving() as provider:
            first = await ask_provider(provider, "א", instructions="אחת")
            await ask_provider(provider, "ב", session=first.session, instructions="שתיים")
            return thread_id_of(first.session)

    fake.answers("1").answers("2")
    thread = run_async(calls())
    turns = [(run.prompt, run.instructions, run.session, run.thread_id) for run in fake.requests]
    assert turns == [("א", "אחת", None, thread), ("ב", "שתיים", thread, thread)]
    assert {run.argv[0] for run in fake.requests} == {"app-server"}
    assert len({run.pid for run in fake.requests}) == 1


def test_the_tokens_of_a_thread_are_counted_over_its_turns(fake: FakeCodex) -> None:
    async def call() -> list[Usage | None]:
        async with serving() as provider:
            first = await ask_provider(provider, "א")
            return [first.usage, (await ask_provider(provider, "ב", session=first.session)).usage]

    fake.answers("1").answers("2")
    once = Usage(input_tokens=100, cached_input_tokens=10, output_tokens=7)
    assert run_async(call()) == [once, once]


def test_a_thread_outlives_the_server(fake: FakeCodex) -> None:
    async def calls() -> list[str]:
        async with serving() as provider:
            first = await ask_provider(provider, "א")
        async with serving() as provider:
            again = await ask_provider(provider, "ב", session=first.session)
        return [thread_id_of(first.session), thread_id_of(again.session)]

    fake.answers("1").answers("2")
    before, after = run_async(calls())
    assert before == after == fake.requests[1].session
    assert len({run.pid for run in fake.requests}) == 2


def test_turns_of_several_calls_run_at_once(fake: FakeCodex) -> None:
    async def calls() -> int:
        async with serving() as provider:
            fake.hold()
            turns = [asyncio.create_task(ask_provider(provider, f"שיחה {n}")) for n in range(5)]
            await asyncio.to_thread(fake.wait_for_requests, 5)
            running = fake.turns_alive()
            fake.release()
            await asyncio.gather(*turns)
            return running

    for _ in range(5):
        fake.answers("כן")
    assert run_async(calls()) == 5
    assert fake.turns_alive() == 0


@pytest.mark.parametrize("saying", ["", "רגע"], ids=["silent", "after a word"])
def test_a_turn_that_hangs_is_interrupted_and_the_call_continues(fake: FakeCodex, saying: str) -> None:
    async def call() -> tuple[int, str]:
        async with serving() as provider:
            first = await ask_provider(provider, "א")
            turn = asyncio.create_task(ask_provider(provider, "ב", session=first.session))
            await asyncio.to_thread(fake.wait_for_requests, 2)
            turn.cancel()
            await asyncio.wait([turn])
            running = fake.turns_alive()
            return running, (await ask_provider(provider, "ג", session=first.session)).text

    fake.answers("1").hangs(saying=saying).answers("3")
    assert run_async(call()) == (0, "3")
    assert len({run.pid for run in fake.requests}) == 1


def fails_with(error: type[ProviderError]) -> ProviderError:
    """Run two turns of one call; return the error of the second one."""

    async def call() -> ProviderError:
        async with serving() as provider:
            first = await ask_provider(provider, "א")
            with pytest.raises(error) as caught:
                await ask_provider(provider, "ב", session=first.session)
            return caught.value

    return run_async(call())


def test_the_error_of_a_crash_has_its_exit_code_and_its_stderr(fake: FakeCodex) -> None:
    fake.answers("1").crashes(exit=101, stderr="panicked")
    error = fails_with(ProviderCrashError)
    assert (error.exit_code, error.stderr_tail) == (101, "panicked\n")


def test_malformed_output_raises_malformed_stream_error(fake: FakeCodex) -> None:
    fake.answers("1").malformed()
    fails_with(MalformedStreamError)


def test_a_stream_that_breaks_is_a_crash_of_the_turn_alone(fake: FakeCodex) -> None:
    fake.answers("1").drops("חצי")
    assert fails_with(ProviderCrashError).exit_code is None


@pytest.mark.parametrize(
    ("kind", "error"), [("rate_limited", RateLimitedError), ("overloaded", OverloadedError)]
)
def test_a_failure_raises_its_error(fake: FakeCodex, kind: Any, error: type[ProviderError]) -> None:  # noqa: ANN401 - a literal
    fake.answers("1").fails(kind)
    assert type(fails_with(error)) is error


def test_a_loaded_session_can_be_unknown(fake: FakeCodex) -> None:
    fake.answers("1").unknown_session()
    assert type(fails_with(SessionLostError)) is SessionLostError
    fake.assert_complete()


def test_a_loaded_session_can_be_busy(fake: FakeCodex) -> None:
    fake.answers("1").busy_session()
    assert type(fails_with(SessionBusyError)) is SessionBusyError
    fake.assert_complete()


def test_a_session_that_is_busy_when_it_is_resumed_is_forked(fake: FakeCodex) -> None:
    async def calls() -> tuple[str, str]:
        async with serving() as provider:
            first = await ask_provider(provider, "א")
        async with serving() as provider:
            again = await ask_provider(provider, "ב", session=first.session)
        return thread_id_of(first.session), thread_id_of(again.session)

    fake.answers("1").busy_session().answers("2")
    before, after = run_async(calls())
    assert before != after == fake.requests[1].thread_id


def test_a_turn_without_a_step_fails_and_is_reported_at_the_end(fake: FakeCodex) -> None:
    fake.answers("1")
    fails_with(ProviderError)
    with pytest.raises(ScriptMismatchError) as caught:
        fake.assert_complete()
    assert caught.value.unscripted == ("ב",)


def test_the_error_names_a_version_without_a_recorded_server() -> None:
    async def call() -> None:
        async with serving() as provider:
            await ask_provider(provider, "א")

    with FakeCodex("0.142.0"), pytest.raises(ProviderCrashError) as caught:
        run_async(call())
    assert "no recording of an app-server of codex-cli 0.142.0" in caught.value.stderr_tail
