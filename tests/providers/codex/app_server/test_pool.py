"""The pool of servers, with the fake and the real Codex."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.providers.codex.app_server.test_provider import is_running, open_provider, wait_exited
from tests.support.asking import ask_provider
from tests.support.codex import Codex, run_async, thread_id_of
from yemot_ai.errors import OverloadedError, ProviderCrashError, SessionBusyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from yemot_ai.providers.codex import CodexAppServerProvider
    from yemot_ai.providers.codex.app_server.server import AppServer
    from yemot_ai.providers.provider import Reply

pytestmark = pytest.mark.usefixtures("codex")


@asynccontextmanager
async def two_calls(
    codex: Codex,
    **options: Any,  # noqa: ANN401 - options of the provider
) -> AsyncIterator[tuple[CodexAppServerProvider, Reply, Reply]]:
    """Run two calls at once with one turn per server: each has its own server."""
    codex.answers("1").answers("1")
    async with open_provider(**{"max_servers": 2, "max_turns": 1, **options}) as provider:
        codex.hold()
        turns = []
        for number in range(2):  # the first one gets the server that is started first
            turns.append(asyncio.create_task(ask_provider(provider, f"שיחה {number}")))
            await asyncio.to_thread(codex.wait_for_requests, number + 1)
        codex.release()
        yield provider, await turns[0], await turns[1]


def server_of(provider: CodexAppServerProvider, reply: Reply) -> AppServer:
    (server,) = (
        server for server in provider._pool().servers if server.has_thread(thread_id_of(reply.session))
    )
    return server


def earlier_threads(reply: Reply) -> object:
    assert isinstance(reply.session, dict)
    return reply.session["threads"]


async def wait_until_queued(provider: CodexAppServerProvider, count: int) -> None:
    while provider._pool().waiting < count:  # noqa: ASYNC110 - the queue has no event
        await asyncio.sleep(0)


@pytest.mark.slow
def test_a_second_server_is_started_when_the_first_is_full(codex: Codex) -> None:
    async def calls() -> list[int]:
        async with two_calls(codex) as (provider, *replies):
            assert len({server_of(provider, reply).pid for reply in replies}) == 2
            return [server.pid for server in provider._pool().servers]

    assert len(set(run_async(calls()))) == 2
    codex.assert_complete()


@pytest.mark.slow
def test_no_second_server_is_started_while_the_first_has_a_free_slot(codex: Codex) -> None:
    async def calls() -> int:
        async with open_provider(max_servers=2, max_turns=2) as provider:
            for _ in range(3):
                await ask_provider(provider, "שלום")
            return len(provider._pool().servers)

    codex.answers("1").answers("2").answers("3")
    assert run_async(calls()) == 1


@pytest.mark.slow
def test_a_thread_stays_with_its_server(codex: Codex) -> None:
    async def calls() -> list[object]:
        async with two_calls(codex) as (provider, first, second):
            before = [server_of(provider, reply) for reply in (first, second)]
            codex.answers("2").answers("2")
            again = [await ask_provider(provider, "עוד", session=reply.session) for reply in (second, first)]
            assert [server_of(provider, reply) for reply in reversed(again)] == before
            return [earlier_threads(reply) for reply in again]

    assert run_async(calls()) == [[], []]


@pytest.mark.slow
def test_a_thread_waits_for_its_server_even_if_another_has_a_free_slot(codex: Codex) -> None:
    async def calls() -> object:
        async with two_calls(codex) as (provider, first, _second):
            codex.hold()
            codex.answers("חדש").answers("2")
            # A new call goes to the server that was started first.
            oldest = provider._pool().servers[0]
            assert oldest is server_of(provider, first)
            new = asyncio.create_task(ask_provider(provider, "חדש"))
            await asyncio.to_thread(codex.wait_for_requests, 3)
            waiting = asyncio.create_task(ask_provider(provider, "עוד", session=first.session))
            await wait_until_queued(provider, 1)
            codex.release()
            await new
            return earlier_threads(await waiting)

    assert run_async(calls()) == []
    codex.assert_complete()


@pytest.mark.slow
def test_a_waiting_turn_takes_the_first_free_slot_of_any_server(codex: Codex) -> None:
    async def calls() -> str:
        async with two_calls(codex) as (provider, first, second):
            codex.hangs().answers("2").answers("3")
            slow = asyncio.create_task(ask_provider(provider, "לאט", session=first.session))
            await asyncio.to_thread(codex.wait_for_requests, 3)
            codex.hold()
            quick = asyncio.create_task(ask_provider(provider, "מהר", session=second.session))
            await asyncio.to_thread(codex.wait_for_requests, 4)
            waiting = asyncio.create_task(ask_provider(provider, "חדש"))
            await wait_until_queued(provider, 1)
            codex.release()
            await quick
            reply = await waiting
            assert server_of(provider, reply) is server_of(provider, second)
            slow.cancel()
            await asyncio.wait([slow])
            return reply.text

    assert run_async(calls()) == "3"


@pytest.mark.slow
def test_more_than_max_waiting_turns_over_all_servers_are_refused(codex: Codex) -> None:
    async def calls() -> list[str]:
        async with two_calls(codex, max_waiting=1) as (provider, *replies):
            codex.hold()
            codex.answers("2").answers("2").answers("2")
            turns = [
                asyncio.create_task(ask_provider(provider, "עוד", session=reply.session)) for reply in replies
            ]
            await asyncio.to_thread(codex.wait_for_requests, 4)
            turns.append(asyncio.create_task(ask_provider(provider, "חדש")))
            await wait_until_queued(provider, 1)
            with pytest.raises(OverloadedError, match="2 turns run and 1 wait"):
                await ask_provider(provider, "עוד אחד")
            codex.release()
            return [(await turn).text for turn in turns]

    assert run_async(calls()) == ["2", "2", "2"]


@pytest.mark.slow
def test_a_cancelled_turn_leaves_the_queue(codex: Codex) -> None:
    async def calls() -> str:
        async with open_provider(max_servers=1, max_turns=1, max_waiting=1) as provider:
            codex.hold()
            codex.answers("1").answers("3")
            first = asyncio.create_task(ask_provider(provider, "א"))
            await asyncio.to_thread(codex.wait_for_requests, 1)
            cancelled = asyncio.create_task(ask_provider(provider, "ב"))
            await wait_until_queued(provider, 1)
            cancelled.cancel()
            await asyncio.wait([cancelled])
            third = asyncio.create_task(ask_provider(provider, "ג"))
            await wait_until_queued(provider, 1)
            codex.release()
            await first
            return (await third).text

    assert run_async(calls()) == "3"
    codex.assert_complete()


@pytest.mark.slow
def test_a_turn_that_is_cancelled_when_it_gets_a_slot_releases_it(codex: Codex) -> None:
    async def calls() -> str:
        async with open_provider(max_servers=1, max_turns=1) as provider:
            codex.hold()
            codex.answers("1").answers("3")
            first = asyncio.create_task(ask_provider(provider, "א"))
            await asyncio.to_thread(codex.wait_for_requests, 1)
            cancelled = asyncio.create_task(ask_provider(provider, "ב"))
            await wait_until_queued(provider, 1)
            first.add_done_callback(lambda _: cancelled.cancel())
            codex.release()
            await first
            await asyncio.wait([cancelled])
            return (await ask_provider(provider, "ג")).text

    assert run_async(calls()) == "3"


@pytest.mark.slow
def test_a_second_turn_of_a_waiting_thread_is_refused(codex: Codex) -> None:
    async def calls() -> None:
        async with open_provider(max_servers=1, max_turns=1) as provider:
            codex.answers("1").answers("2").answers("3")
            own = await ask_provider(provider, "א")
            codex.hold()
            other = asyncio.create_task(ask_provider(provider, "ב"))
            await asyncio.to_thread(codex.wait_for_requests, 2)
            waiting = asyncio.create_task(ask_provider(provider, "ג", session=own.session))
            await wait_until_queued(provider, 1)
            with pytest.raises(SessionBusyError):
                await ask_provider(provider, "ד", session=own.session)
            codex.release()
            await asyncio.gather(other, waiting)

    run_async(calls())
    codex.assert_complete()


@pytest.mark.slow
def test_an_idle_server_ends_and_its_thread_continues_in_the_other(codex: Codex) -> None:
    async def calls() -> tuple[int, list[str], list[object]]:
        async with two_calls(codex, idle_timeout=1.0) as (provider, *replies):
            both = {server_of(provider, reply).pid: reply for reply in replies}
            codex.answers("2").answers("2")
            while len(provider._pool().servers) > 1:  # noqa: ASYNC110 - the pool has no event
                await asyncio.sleep(0.005)
            (left,) = provider._pool().servers
            ended = next(pid for pid in both if pid != left.pid)
            await asyncio.to_thread(wait_exited, ended)
            again = [await ask_provider(provider, "עוד", session=reply.session) for reply in both.values()]
            assert [server_of(provider, reply) for reply in again] == [left, left]
            return len(both), [reply.text for reply in again], [earlier_threads(reply) for reply in again]

    assert run_async(calls()) == (2, ["2", "2"], [[], []])


@pytest.mark.slow
def test_a_crash_fails_only_the_turns_of_its_server(codex: Codex) -> None:
    async def calls() -> tuple[str, str]:
        async with two_calls(codex) as (provider, first, second):
            codex.hold()
            codex.answers("2").answers("2").answers("3")
            turns = [
                asyncio.create_task(ask_provider(provider, "עוד", session=reply.session))
                for reply in (first, second)
            ]
            await asyncio.to_thread(codex.wait_for_requests, 4)
            os.kill(server_of(provider, first).pid, signal.SIGKILL)
            with pytest.raises(ProviderCrashError):
                await turns[0]
            codex.release()
            answered = (await turns[1]).text
            return answered, (await ask_provider(provider, "שוב", session=first.session)).text

    answered, again = run_async(calls())
    assert answered == "2"
    assert again in {"2", "3"}  # the dead server's request may have taken a step


@pytest.mark.slow
def test_closing_ends_all_servers_and_fails_waiting_turns(codex: Codex) -> None:
    async def calls() -> list[int]:
        async with two_calls(codex) as (provider, *replies):
            pids = [server.pid for server in provider._pool().servers]
            codex.hold()
            codex.answers("2").answers("2")
            turns = [
                asyncio.create_task(ask_provider(provider, "עוד", session=reply.session)) for reply in replies
            ]
            await asyncio.to_thread(codex.wait_for_requests, 4)
            turns.append(asyncio.create_task(ask_provider(provider, "חדש")))
            await wait_until_queued(provider, 1)
            await provider.aclose()
            failed = await asyncio.gather(*turns, return_exceptions=True)
            assert [type(error) for error in failed] == [ProviderCrashError] * 3
            codex.release()
            return pids

    assert [is_running(pid) for pid in run_async(calls())] == [False, False]


@pytest.mark.slow
def test_ending_a_session_unloads_its_thread_in_every_server(codex: Codex) -> None:
    async def calls() -> None:
        async with two_calls(codex) as (provider, first, second):
            for reply in (first, second):
                await provider.end_session(reply.session)
            assert not any(
                server.has_thread(thread_id_of(reply.session))
                for server in provider._pool().servers
                for reply in (first, second)
            )

    run_async(calls())
