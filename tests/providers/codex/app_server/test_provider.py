"""``CodexAppServerProvider`` with the real Codex."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.asking import ask_provider
from tests.support.codex import run_async, thread_id_of
from yemot_ai import YemotAI
from yemot_ai.errors import (
    AnswerEmptyError,
    AuthenticationError,
    CodexNotFoundError,
    ContextOverflowError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitedError,
    SessionBusyError,
    SessionLostError,
)
from yemot_ai.providers.codex import CodexAppServerProvider
from yemot_ai.providers.codex.app_server.server import AppServer
from yemot_ai.providers.provider import Exchange, Usage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from yemot_ai.providers.provider import JSON, Reply
    from yemot_ai_testing.codex.real import RealCodex


@pytest.fixture
def codex(real: RealCodex) -> RealCodex:
    return real


@asynccontextmanager
async def open_provider(**options: Any) -> AsyncIterator[CodexAppServerProvider]:  # noqa: ANN401 - options of the provider
    provider = CodexAppServerProvider(**{"timeout": 20.0, **options})
    try:
        yield provider
    finally:
        await provider.aclose()


async def current_server(provider: CodexAppServerProvider) -> AppServer:
    """Return the only server; start it if there is none."""
    async with provider._pool().acquire() as server:
        return server


def is_running(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def rollouts() -> list[str]:
    sessions = Path(os.environ["YEMOT_AI_HOME"], "codex", "home", "sessions")
    return [path.name for path in sessions.glob("*/*/*/*.jsonl")]


def wait_exited(pid: int) -> None:
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline, f"process {pid} is still running"
        select.select([], [], [], 0.02)


def files_containing(text: str) -> list[str]:
    """Return the private files that contain this text."""
    folder = Path(os.environ["YEMOT_AI_HOME"])
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path.relative_to(folder)) for path in files if text.encode() in path.read_bytes()]


@pytest.mark.slow
def test_a_call_is_answered_and_remembered(codex: RealCodex) -> None:
    async def call() -> tuple[Reply, Reply]:
        async with open_provider() as provider:
            first = await ask_provider(provider, "שמי דוד")
            return first, await ask_provider(provider, "מה שמי?", session=first.session)

    codex.answers(["נעים ", "מאוד"]).answers("דוד")
    first, second = run_async(call())
    assert (first.text, second.text) == ("נעים מאוד", "דוד")
    assert thread_id_of(first.session) == thread_id_of(second.session)
    assert codex.model.requests[1].user_messages == ("שמי דוד", "מה שמי?")
    codex.assert_complete()


@pytest.mark.slow
def test_each_turn_has_its_own_usage(codex: RealCodex) -> None:
    async def call() -> list[Usage | None]:
        async with open_provider() as provider:
            first = await ask_provider(provider, "א")
            return [first.usage, (await ask_provider(provider, "ב", session=first.session)).usage]

    codex.answers("א").answers("ב")
    once = Usage(input_tokens=100, cached_input_tokens=10, output_tokens=7)
    assert run_async(call()) == [once, once]


@pytest.mark.slow
def test_many_calls_share_one_process_but_no_messages(codex: RealCodex) -> None:
    async def calls() -> tuple[set[str], set[int]]:
        async with open_provider() as provider:
            codex.hold()
            turns = [asyncio.create_task(ask_provider(provider, f"שיחה {n}")) for n in range(5)]
            await asyncio.to_thread(codex.wait_for_requests, 5)
            codex.release()
            replies = [await turn for turn in turns]
            pids = {(await current_server(provider)).pid}
            return {thread_id_of(reply.session) for reply in replies}, pids

    for _ in range(5):
        codex.answers("כן")
    threads, pids = run_async(calls())
    assert len(threads) == 5
    assert len(pids) == 1
    assert {len(request.user_messages) for request in codex.model.requests} == {1}


@pytest.mark.slow
def test_the_model_gets_only_the_instructions_and_no_tools(codex: RealCodex) -> None:
    async def call() -> None:
        async with open_provider() as provider:
            await ask_provider(provider, "שלום", instructions="ענה בקצרה")

    codex.answers("שלום")
    run_async(call())
    (request,) = codex.model.requests
    assert request.tools == ()
    assert request.instructions == "ענה בקצרה"
    assert request.user_messages == ("שלום",)
    assert request.size < 2500


@pytest.mark.slow
def test_new_instructions_apply_to_the_next_turn_and_the_history_stays(codex: RealCodex) -> None:
    async def call() -> None:
        async with open_provider() as provider:
            reply = await ask_provider(provider, "א", instructions="אחת")
            reply = await ask_provider(provider, "ב", session=reply.session, instructions="שתיים")
            await ask_provider(provider, "ג", session=reply.session, instructions="שתיים")

    codex.answers("1").answers("2").answers("3")
    run_async(call())
    assert [request.instructions for request in codex.model.requests] == ["אחת", "שתיים", "שתיים"]
    assert codex.model.requests[-1].user_messages == ("א", "ב", "ג")
    assert len({request.session for request in codex.model.requests}) == 1


@pytest.mark.slow
def test_the_history_precedes_the_prompt(codex: RealCodex) -> None:
    async def call() -> None:
        async with open_provider() as provider:
            await ask_provider(provider, "איך קוראים לי?", history=[Exchange("שמי דוד", "נעים מאוד")])

    codex.answers("דוד")
    run_async(call())
    prompt = codex.model.requests[0].prompt
    assert prompt.index("שמי דוד") < prompt.index("נעים מאוד") < prompt.index("איך קוראים לי?")


@pytest.mark.slow
def test_half_a_surrogate_pair_reaches_the_model_as_a_question_mark(codex: RealCodex) -> None:
    async def call() -> None:
        async with open_provider() as provider:
            await ask_provider(provider, "שלום \ud83d")

    codex.answers("כן")
    run_async(call())
    assert codex.model.requests[0].prompt == "שלום ?"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limited", RateLimitedError),
        ("unauthorized", AuthenticationError),
        ("overloaded", OverloadedError),
        ("context_overflow", ContextOverflowError),
    ],
)
def test_an_error_response_has_its_own_class(codex: RealCodex, kind: Any, error: type[ProviderError]) -> None:  # noqa: ANN401 - a literal
    async def call() -> None:
        async with open_provider() as provider:
            await ask_provider(provider, "הסוד שלי")

    codex.fails(kind)
    with pytest.raises(error) as caught:
        run_async(call())
    assert caught.value.provider == "codex-app-server"
    assert caught.value.thread_id
    assert files_containing("הסוד") == []


@pytest.mark.slow
def test_a_turn_without_text_is_an_error(codex: RealCodex) -> None:
    async def call() -> None:
        async with open_provider() as provider:
            await ask_provider(provider, "שלום")

    codex.model.emits()
    with pytest.raises(AnswerEmptyError):
        run_async(call())


@pytest.mark.slow
def test_a_cut_stream_fails_the_turn_and_the_call_continues(codex: RealCodex) -> None:
    async def call() -> str:
        async with open_provider() as provider:
            first = await ask_provider(provider, "א")
            with pytest.raises(ProviderCrashError):
                await ask_provider(provider, "ב", session=first.session)
            return (await ask_provider(provider, "ג", session=first.session)).text

    codex.answers("1").drops("חצי").answers("3")
    assert run_async(call()) == "3"


@pytest.mark.slow
def test_a_deadline_ends_the_turn_but_not_the_server(codex: RealCodex) -> None:
    async def call() -> tuple[bool, str]:
        async with open_provider(timeout=3.0) as provider:
            first = await ask_provider(provider, "א")
            before = await current_server(provider)
            with pytest.raises(ProviderTimeoutError) as caught:
                await ask_provider(provider, "ב", session=first.session)
            assert caught.value.seconds == 3.0
            again = await ask_provider(provider, "ג", session=first.session)
            return before is await current_server(provider), again.text

    codex.answers("1").hangs().answers("3")
    assert run_async(call()) == (True, "3")


@pytest.mark.slow
def test_a_cancelled_turn_has_ended_when_the_cancellation_returns(codex: RealCodex) -> None:
    async def call() -> str:
        async with open_provider() as provider:
            first = await ask_provider(provider, "א")
            turn = asyncio.create_task(ask_provider(provider, "ב", session=first.session))
            await asyncio.to_thread(codex.wait_for_requests, 2)
            server = await current_server(provider)
            turn.cancel()
            await asyncio.wait([turn])
            assert turn.cancelled()
            # If it were still running, the next prompt would silently become part of it.
            reply = await ask_provider(provider, "ג", session=first.session)
            assert server is await current_server(provider)
            return reply.text

    codex.answers("1").hangs().answers("3")
    assert run_async(call()) == "3"


@pytest.mark.slow
@pytest.mark.parametrize("steps", [0, 1, 2, 4, 8, 16, 64])
def test_a_turn_cancelled_before_the_model_is_called_takes_no_later_prompt(
    codex: RealCodex, steps: int
) -> None:
    async def call() -> str:
        async with open_provider() as provider:
            first = await ask_provider(provider, "א")
            server = await current_server(provider)
            codex.hold()
            turn = asyncio.create_task(ask_provider(provider, "ב", session=first.session))
            for _ in range(steps):
                await asyncio.sleep(0)
            turn.cancel()
            await asyncio.wait([turn])
            codex.release()
            reply = await ask_provider(provider, "ג", session=first.session)
            assert server is await current_server(provider)
            return reply.text

    # The cancelled turn may or may not have taken a step.
    codex.answers("1").answers("כן").answers("כן")
    assert run_async(call()) == "כן"
    assert codex.model.requests[-1].prompt == "ג"


@pytest.mark.slow
def test_a_second_turn_of_a_thread_is_refused(codex: RealCodex) -> None:
    async def call() -> None:
        async with open_provider() as provider:
            first = await ask_provider(provider, "א")
            slow = asyncio.create_task(ask_provider(provider, "ב", session=first.session))
            await asyncio.to_thread(codex.wait_for_requests, 2)
            with pytest.raises(SessionBusyError):
                await ask_provider(provider, "ג", session=first.session)
            slow.cancel()
            await asyncio.wait([slow])

    codex.answers("1").hangs()
    run_async(call())
    assert len(codex.model.requests) == 2


@pytest.mark.slow
def test_after_a_crash_the_call_continues_in_a_new_server(codex: RealCodex) -> None:
    async def call() -> tuple[str, bool]:
        async with open_provider() as provider:
            first = await ask_provider(provider, "שמי דוד", instructions="אחת")
            before = await current_server(provider)
            turn = asyncio.create_task(
                ask_provider(provider, "ספר", session=first.session, instructions="אחת")
            )
            await asyncio.to_thread(codex.wait_for_requests, 2)
            os.kill(before.pid, signal.SIGKILL)
            with pytest.raises(ProviderCrashError) as caught:
                await turn
            assert caught.value.exit_code == -9
            reply = await ask_provider(provider, "מה שמי?", session=first.session, instructions="שתיים")
            return reply.text, before is await current_server(provider)

    codex.answers("נעים").hangs().answers("דוד")
    assert run_async(call()) == ("דוד", False)
    assert "שמי דוד" in codex.model.requests[-1].user_messages
    assert codex.model.requests[-1].instructions == "שתיים"


@pytest.mark.slow
def test_a_call_that_alternates_between_two_servers_keeps_its_history(codex: RealCodex) -> None:
    async def call() -> JSON:
        async with open_provider() as one, open_provider() as other:
            reply = await ask_provider(one, "0")
            for turn in range(1, 7):
                reply = await ask_provider((other, one)[turn % 2], str(turn), session=reply.session)
            assert len(rollouts()) > 1
            await one.end_session(reply.session)
            assert rollouts() == []
            return reply.session

    for turn in range(7):
        codex.answers(f"תשובה {turn}")
    run_async(call())
    assert codex.model.requests[-1].user_messages == tuple(str(turn) for turn in range(7))


@pytest.mark.slow
def test_a_fork_whose_turn_failed_is_deleted_and_the_call_continues_in_its_thread(codex: RealCodex) -> None:
    async def call() -> None:
        async with open_provider() as one, open_provider() as other:
            first = await ask_provider(one, "א")
            with pytest.raises(OverloadedError):
                await ask_provider(other, "הסוד", session=first.session)
            (left,) = rollouts()
            assert thread_id_of(first.session) in left
            await ask_provider(one, "ג", session=first.session)

    codex.answers("1").fails("overloaded").answers("3")
    run_async(call())
    assert codex.model.requests[-1].user_messages == ("א", "ג")


@pytest.mark.slow
def test_an_unknown_thread_is_lost(codex: RealCodex) -> None:
    async def call() -> None:
        async with open_provider() as provider:
            await ask_provider(
                provider, "שלום", session={"thread_id": "01a2021e-e1f2-71a2-898b-4fcd956cbb54"}
            )

    with pytest.raises(SessionLostError) as caught:
        run_async(call())
    assert caught.value.thread_id == "01a2021e-e1f2-71a2-898b-4fcd956cbb54"


@pytest.mark.parametrize("session", [{"thread_id": "not-a-uuid"}, {"thread_id": "--last"}, {}, "x"])
def test_a_session_that_is_no_thread_is_lost_before_a_server_is_started(
    codex: RealCodex, session: object
) -> None:
    async def call() -> None:
        async with open_provider() as provider:
            with pytest.raises(SessionLostError):
                await ask_provider(provider, "שלום", session=session)  # type: ignore[arg-type]  # a store may return anything
            assert provider._pool().servers == ()

    run_async(call())


@pytest.mark.slow
def test_turns_wait_for_a_slot_and_more_than_max_waiting_are_refused(codex: RealCodex) -> None:
    async def calls() -> list[str]:
        async with open_provider(max_servers=1, max_turns=1, max_waiting=1) as provider:
            codex.hold()
            first = asyncio.create_task(ask_provider(provider, "א"))
            await asyncio.to_thread(codex.wait_for_requests, 1)
            second = asyncio.create_task(ask_provider(provider, "ב"))
            while not provider._pool().waiting:  # noqa: ASYNC110 - the queue has no event
                await asyncio.sleep(0)
            with pytest.raises(OverloadedError):
                await ask_provider(provider, "ג")
            assert len(codex.model.requests) == 1
            codex.release()
            return [(await first).text, (await second).text]

    codex.answers("1").answers("2")
    assert run_async(calls()) == ["1", "2"]


@pytest.mark.slow
def test_no_text_is_left_when_the_call_and_the_server_have_ended(codex: RealCodex) -> None:
    async def call() -> None:
        async with open_provider() as provider:
            first = await ask_provider(provider, "הסוד שלי")
            last = await ask_provider(provider, "ועוד הסוד", session=first.session)
            assert files_containing("הסוד")
            await provider.end_session(last.session)
            # The databases are shared by the calls of the server, until it ends.
            assert all("databases" in path for path in files_containing("הסוד"))

    codex.answers("הסוד נשמר").answers("כן")
    run_async(call())
    assert files_containing("הסוד") == []


@pytest.mark.slow
def test_closing_ends_the_process_and_a_later_turn_starts_another(codex: RealCodex) -> None:
    async def call() -> tuple[bool, str]:
        async with open_provider() as provider:
            first = await ask_provider(provider, "א")
            pid = (await current_server(provider)).pid
            await provider.aclose()
            exited = not is_running(pid)
            return exited, (await ask_provider(provider, "ב", session=first.session)).text

    codex.answers("1").answers("2")
    assert run_async(call()) == (True, "2")
    assert codex.model.requests[-1].user_messages == ("א", "ב")


@pytest.mark.slow
def test_a_server_ends_with_its_event_loop_and_the_next_loop_has_its_own(codex: RealCodex) -> None:
    provider = CodexAppServerProvider(timeout=20.0)

    async def first() -> tuple[JSON, int]:
        return (await ask_provider(provider, "א")).session, (await current_server(provider)).pid

    async def second(session: JSON) -> str:
        text = (await ask_provider(provider, "ב", session=session)).text
        await provider.aclose()
        return text

    codex.answers("1").answers("2")
    session, pid = run_async(first())
    assert not is_running(pid)
    assert run_async(second(session)) == "2"


def test_a_missing_executable_is_named() -> None:
    async def call() -> None:
        async with open_provider(executable="no-such-codex") as provider:
            await ask_provider(provider, "שלום")

    with pytest.raises(CodexNotFoundError, match="no-such-codex"):
        run_async(call())


_PARENT = """
import asyncio, os, sys
from yemot_ai.providers.codex import CodexAppServerProvider

async def main():
    provider = CodexAppServerProvider(sys.argv[1], timeout=20.0)
    await anext(provider.ask("הסוד שלי"))
    (server,) = provider._pool().servers
    child = os.fork()
    if child == 0:
        # Like a worker of a preloading web server: it has the parent's objects, and outlives it.
        print(server.pid, os.getpid(), flush=True)
        sys.stdin.read()
        os._exit(0)
    os.waitpid(child, 0)

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_killed_process_leaves_no_server_even_if_its_fork_lives(real: RealCodex) -> None:
    real.answers("שלום")
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(real.executable)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout
        server, fork = map(int, parent.stdout.readline().split())
        assert is_running(server)
        parent.kill()
        wait_exited(server)
        assert is_running(fork)
        (lock,) = Path(os.environ["YEMOT_AI_HOME"], "codex", "databases").glob("*/server.lock")
        assert parent.stdin
        parent.stdin.close()
        wait_exited(fork)

    async def start() -> None:
        async with open_provider() as provider:
            await current_server(provider)

    assert lock.exists()
    run_async(start())
    assert not lock.parent.exists()


@pytest.mark.slow
def test_a_server_that_ignores_an_interrupt_is_replaced(codex: RealCodex) -> None:
    async def call() -> str:
        async with open_provider() as provider:
            first = await ask_provider(provider, "א")
            turn = asyncio.create_task(ask_provider(provider, "ב", session=first.session))
            await asyncio.to_thread(codex.wait_for_requests, 2)
            server = await current_server(provider)
            os.kill(server.pid, signal.SIGSTOP)
            turn.cancel()
            await asyncio.wait([turn])
            assert turn.cancelled()
            reply = await ask_provider(provider, "ג", session=first.session)
            assert not is_running(server.pid)
            return reply.text

    codex.answers("1").hangs().answers("3")
    assert run_async(call()) == "3"


@pytest.mark.slow
def test_the_mode_uses_the_server_and_closing_ends_it(codex: RealCodex) -> None:
    codex.answers("שלום").answers("שוב")
    ai = YemotAI(mode="codex-app-server")
    try:
        assert isinstance(ai._runtime.provider, CodexAppServerProvider)
        assert [ai.reply("call-1", "א"), ai.reply("call-1", "ב")] == ["שלום", "שוב"]
        (server,) = ai._runtime.provider._pools[0].servers
        ai.end("call-1")
        assert rollouts() == []
    finally:
        ai.close()
    assert not is_running(server.pid)
    codex.assert_complete()


@pytest.mark.slow
def test_the_least_recently_used_threads_are_unloaded_and_loaded_again(codex: RealCodex) -> None:
    async def calls() -> None:
        async with open_provider(max_loaded=2) as provider:
            replies = [await ask_provider(provider, f"שיחה {n}") for n in range(4)]
            server = await current_server(provider)
            assert list(server._instructions) == [thread_id_of(reply.session) for reply in replies[2:]]
            for reply in replies:
                await ask_provider(provider, "עוד", session=reply.session)
            assert len(server._instructions) == 2

    for _ in range(8):
        codex.answers("כן")
    run_async(calls())
    assert [request.user_messages for request in codex.model.requests[4:]] == [
        (f"שיחה {n}", "עוד") for n in range(4)
    ]
    assert len({request.session for request in codex.model.requests}) == 4
