"""More servers when one is full; on the fake and on the real binary."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.providers.codex.app_server.test_provider import running, serving, wait_gone
from tests.support.codex import Codex, asked, thread_of
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
    **bounds: Any,  # noqa: ANN401 - whatever it takes
) -> AsyncIterator[tuple[CodexAppServerProvider, Reply, Reply]]:
    """Two calls at once where a server has one place: each has a server of its own."""
    codex.answers("1").answers("1")
    async with serving(**{"max_servers": 2, "max_turns": 1, **bounds}) as provider:
        codex.hold()
        turns = [asyncio.create_task(provider.start_session(f"שיחה {n}")) for n in range(2)]
        await asyncio.to_thread(codex.wait_for_requests, 2)
        codex.release()
        yield provider, await turns[0], await turns[1]


def holder(provider: CodexAppServerProvider, reply: Reply) -> AppServer:
    (server,) = (one for one in provider._pool().servers if one.has_thread(thread_of(reply.session)))
    return server


def forks(reply: Reply) -> object:
    assert isinstance(reply.session, dict)
    return reply.session["threads"]


async def until_waiting(provider: CodexAppServerProvider, count: int) -> None:
    while provider._pool().waiting < count:  # noqa: ASYNC110 - a turn that waits for a place rings no bell
        await asyncio.sleep(0)


def test_a_second_server_is_started_when_the_first_is_full(codex: Codex) -> None:
    async def calls() -> list[int]:
        async with two_calls(codex) as (provider, *replies):
            assert len({holder(provider, reply).pid for reply in replies}) == 2
            return [server.pid for server in provider._pool().servers]

    assert len(set(asked(calls()))) == 2
    codex.assert_complete()


def test_one_server_is_enough_while_it_has_a_place(codex: Codex) -> None:
    async def calls() -> int:
        async with serving(max_servers=2, max_turns=2) as provider:
            for _ in range(3):
                await provider.start_session("שלום")
            return len(provider._pool().servers)

    codex.answers("1").answers("2").answers("3")
    assert asked(calls()) == 1


def test_a_thread_stays_with_its_server(codex: Codex) -> None:
    async def calls() -> list[object]:
        async with two_calls(codex) as (provider, first, second):
            before = [holder(provider, reply) for reply in (first, second)]
            codex.answers("2").answers("2")
            again = [await provider.continue_session(reply.session, "עוד") for reply in (second, first)]
            assert [holder(provider, reply) for reply in reversed(again)] == before
            return [forks(reply) for reply in again]

    assert asked(calls()) == [[], []]


def test_a_thread_waits_for_its_server_also_while_another_has_a_place(codex: Codex) -> None:
    async def calls() -> object:
        async with two_calls(codex) as (provider, first, _second):
            codex.hold()
            codex.answers("חדש").answers("2")
            # A new call goes to the server that was started first.
            there = provider._pool().servers[0]
            assert there is holder(provider, first)
            new = asyncio.create_task(provider.start_session("חדש"))
            await asyncio.to_thread(codex.wait_for_requests, 3)
            waits = asyncio.create_task(provider.continue_session(first.session, "עוד"))
            await until_waiting(provider, 1)
            codex.release()
            await new
            return forks(await waits)

    assert asked(calls()) == []
    codex.assert_complete()


def test_whoever_waits_takes_the_first_place_that_is_free_in_any_server(codex: Codex) -> None:
    async def calls() -> str:
        async with two_calls(codex) as (provider, first, second):
            codex.hangs().answers("2").answers("3")
            slow = asyncio.create_task(provider.continue_session(first.session, "לאט"))
            await asyncio.to_thread(codex.wait_for_requests, 3)
            codex.hold()
            quick = asyncio.create_task(provider.continue_session(second.session, "מהר"))
            await asyncio.to_thread(codex.wait_for_requests, 4)
            waits = asyncio.create_task(provider.start_session("חדש"))
            await until_waiting(provider, 1)
            codex.release()
            await quick
            reply = await waits
            assert holder(provider, reply) is holder(provider, second)
            slow.cancel()
            await asyncio.wait([slow])
            return reply.text

    assert asked(calls()) == "3"


def test_more_than_may_wait_over_all_servers_are_refused(codex: Codex) -> None:
    async def calls() -> list[str]:
        async with two_calls(codex, max_waiting=1) as (provider, *replies):
            codex.hold()
            codex.answers("2").answers("2").answers("2")
            turns = [asyncio.create_task(provider.continue_session(one.session, "עוד")) for one in replies]
            await asyncio.to_thread(codex.wait_for_requests, 4)
            turns.append(asyncio.create_task(provider.start_session("חדש")))
            await until_waiting(provider, 1)
            with pytest.raises(OverloadedError, match="2 turns run and 1 wait"):
                await provider.start_session("עוד אחד")
            codex.release()
            return [(await turn).text for turn in turns]

    assert asked(calls()) == ["2", "2", "2"]


def test_a_turn_that_gives_up_waiting_leaves_its_place_in_the_queue(codex: Codex) -> None:
    async def calls() -> str:
        async with serving(max_servers=1, max_turns=1, max_waiting=1) as provider:
            codex.hold()
            codex.answers("1").answers("3")
            first = asyncio.create_task(provider.start_session("א"))
            await asyncio.to_thread(codex.wait_for_requests, 1)
            gives_up = asyncio.create_task(provider.start_session("ב"))
            await until_waiting(provider, 1)
            gives_up.cancel()
            await asyncio.wait([gives_up])
            third = asyncio.create_task(provider.start_session("ג"))
            await until_waiting(provider, 1)
            codex.release()
            await first
            return (await third).text

    assert asked(calls()) == "3"
    codex.assert_complete()


def test_a_turn_that_gives_up_as_it_is_given_a_place_gives_it_on(codex: Codex) -> None:
    async def calls() -> str:
        async with serving(max_servers=1, max_turns=1) as provider:
            codex.hold()
            codex.answers("1").answers("3")
            first = asyncio.create_task(provider.start_session("א"))
            await asyncio.to_thread(codex.wait_for_requests, 1)
            gives_up = asyncio.create_task(provider.start_session("ב"))
            await until_waiting(provider, 1)
            first.add_done_callback(lambda _: gives_up.cancel())
            codex.release()
            await first
            await asyncio.wait([gives_up])
            return (await provider.start_session("ג")).text

    assert asked(calls()) == "3"


def test_a_second_turn_of_a_waiting_thread_is_refused(codex: Codex) -> None:
    async def calls() -> None:
        async with serving(max_servers=1, max_turns=1) as provider:
            codex.answers("1").answers("2").answers("3")
            own = await provider.start_session("א")
            codex.hold()
            other = asyncio.create_task(provider.start_session("ב"))
            await asyncio.to_thread(codex.wait_for_requests, 2)
            waits = asyncio.create_task(provider.continue_session(own.session, "ג"))
            await until_waiting(provider, 1)
            with pytest.raises(SessionBusyError):
                await provider.continue_session(own.session, "ד")
            codex.release()
            await asyncio.gather(other, waits)

    asked(calls())
    codex.assert_complete()


def test_a_server_that_nobody_needs_any_more_ends_and_its_thread_goes_on_in_the_other(codex: Codex) -> None:
    async def calls() -> tuple[int, list[str], list[object]]:
        async with two_calls(codex, idle=0.05) as (provider, *replies):
            both = {holder(provider, reply).pid: reply for reply in replies}
            codex.answers("2").answers("2")
            while len(provider._pool().servers) > 1:  # noqa: ASYNC110 - a server that ends rings no bell
                await asyncio.sleep(0.005)
            (left,) = provider._pool().servers
            ended = next(pid for pid in both if pid != left.pid)
            await asyncio.to_thread(wait_gone, ended)
            again = [await provider.continue_session(reply.session, "עוד") for reply in both.values()]
            assert [holder(provider, reply) for reply in again] == [left, left]
            return len(both), [reply.text for reply in again], [forks(reply) for reply in again]

    assert asked(calls()) == (2, ["2", "2"], [[], []])


def test_a_crash_ends_the_turns_of_one_server_alone(codex: Codex) -> None:
    async def calls() -> tuple[str, str]:
        async with two_calls(codex) as (provider, first, second):
            codex.hold()
            codex.answers("2").answers("2").answers("3")
            turns = [
                asyncio.create_task(provider.continue_session(one.session, "עוד")) for one in (first, second)
            ]
            await asyncio.to_thread(codex.wait_for_requests, 4)
            os.kill(holder(provider, first).pid, signal.SIGKILL)
            with pytest.raises(ProviderCrashError):
                await turns[0]
            codex.release()
            answered = (await turns[1]).text
            return answered, (await provider.continue_session(first.session, "שוב")).text

    answered, again = asked(calls())
    assert answered == "2"
    assert again in {"2", "3"}  # whether the dead server's model took its step first is not ours to decide


def test_closing_ends_all_servers_and_whoever_waits(codex: Codex) -> None:
    async def calls() -> list[int]:
        async with two_calls(codex) as (provider, *replies):
            pids = [server.pid for server in provider._pool().servers]
            codex.hold()
            codex.answers("2").answers("2")
            turns = [asyncio.create_task(provider.continue_session(one.session, "עוד")) for one in replies]
            await asyncio.to_thread(codex.wait_for_requests, 4)
            turns.append(asyncio.create_task(provider.start_session("חדש")))
            await until_waiting(provider, 1)
            await provider.aclose()
            failed = await asyncio.gather(*turns, return_exceptions=True)
            assert [type(one) for one in failed] == [ProviderCrashError] * 3
            codex.release()
            return pids

    assert [running(pid) for pid in asked(calls())] == [False, False]


def test_the_servers_of_a_call_that_moved_forget_it(codex: Codex) -> None:
    async def calls() -> None:
        async with two_calls(codex) as (provider, first, second):
            for reply in (first, second):
                await provider.end_session(reply.session)
            assert not any(
                server.has_thread(thread_of(reply.session))
                for server in provider._pool().servers
                for reply in (first, second)
            )

    asked(calls())
