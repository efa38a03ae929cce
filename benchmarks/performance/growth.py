"""How the cost of one request grows with the number of calls, turns, letters and stored sessions."""

from __future__ import annotations

import asyncio
import itertools
import math
import re
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import redis

from tests.support.redis_server import RedisServer
from yemot_ai import AICall, AIFlow, DialogSettings, YemotAI
from yemot_ai.protocol import speakable
from yemot_ai.providers import Reply
from yemot_ai.sessions import MemoryStore, RedisStore, Session, SessionStore, SQLiteStore, Turn, TurnStatus

NEXT_TURN = re.compile(r"=(ai_\d+),")
SENTENCE = "אנחנו פתוחים בימים ראשון עד חמישי משמונה בבוקר ועד שש בערב. "


@dataclass(frozen=True)
class Growth:
    """One table.

    Attributes:
        name: names it in the file of results.
        what: what was measured.
        grows: what grows from row to row.
        rows: by size, milliseconds.
    """

    name: str
    what: str
    grows: str
    rows: dict[int, float]


class InstantProvider:
    """Answers at once."""

    name = "instant"
    streams = False

    async def ask(self, prompt: str, **_: object) -> AsyncIterator[str | Reply]:
        yield Reply("התשובה לשאלה", session=prompt)


class SilentProvider:
    """Never answers, so that the line only polls."""

    name = "silent"
    streams = False

    async def ask(self, prompt: str, **_: object) -> AsyncIterator[str | Reply]:
        await asyncio.Event().wait()
        yield Reply("", None)


def leave_to_model(call: AICall, text: str) -> None:
    """Let the model answer."""


def best(action: Callable[[], object], times: int) -> float:
    """Return the milliseconds of the fastest of several runs."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        took.append((time.perf_counter() - began) * 1000)
    return min(took)


def calls_at_once(sizes: Sequence[int]) -> Growth:
    """Measure a poll while so many callers wait for the model."""
    rows = {}
    for size in sizes:
        dialog = DialogSettings(answer_wait=0.0, poll_wait=0.0)
        flow = AIFlow(
            YemotAI(provider=SilentProvider(), store=MemoryStore(), turn_timeout=3600), dialog=dialog
        )
        flow.ai_agent("")(leave_to_model)
        for call in range(size):
            flow.handle_request(request(call))
            flow.handle_request(request(call, ("ai_1", "שלום")))
        polls = itertools.count(1)

        def poll(flow: AIFlow = flow, size: int = size, polls: itertools.count[int] = polls) -> None:
            number = next(polls)
            for call in range(min(size, 10)):
                flow.handle_request(request(call, ("ai_1", "שלום"), (f"ai_1w{number}", "None")))

        rows[size] = best(poll, 20) / min(size, 10)
        flow.ai.close()
    return Growth("calls-at-once", "a poll of a turn that runs", "calls that wait at once", rows)


def request(call: int, *values: tuple[str, str]) -> list[tuple[str, str]]:
    """Return a request of a call."""
    return [("ApiCallId", f"{call:040x}"), ("ApiPhone", "0501234567"), ("ApiExtension", ""), *values]


def turns_per_call(sizes: Sequence[int], url: Callable[[Path], SessionStore], store: str) -> Growth:
    """Measure a turn of a call that already has so many."""
    took = [math.inf]
    with tempfile.TemporaryDirectory() as folder:
        flow = AIFlow(YemotAI(provider=InstantProvider(), store=url(Path(folder))))
        flow.ai_agent("")(leave_to_model)
        pairs = request(1)
        response = flow.handle_request(pairs)
        for _ in range(max(sizes)):
            match = NEXT_TURN.search(response)
            assert match, response
            pairs.append((match[1], "מה השעה"))
            began = time.perf_counter()
            response = flow.handle_request(pairs)
            took.append((time.perf_counter() - began) * 1000)
        flow.ai.close()
    rows = {size: min(took[max(size - 4, 1) : size + 1]) for size in sizes}
    return Growth(f"turns-{store.lower()}", f"a turn, store: {store}", "turns of the call before", rows)


def answer_length(sizes: Sequence[int]) -> Growth:
    """Measure the conversion of an answer to messages of the line."""
    rows = {}
    for size in sizes:
        text = (SENTENCE * (size // len(SENTENCE) + 1))[:size]
        rows[size] = best(lambda text=text: speakable(text), 5)  # type: ignore[misc]
    return Growth("answer-length", "an answer made into messages", "letters of the answer", rows)


def stored_sessions(sizes: Sequence[int], store: str) -> Growth:
    """Measure a load and a save while the store has so many sessions."""
    rows = {}
    turns = tuple(
        Turn(f"ai_{n}", "מה השעה", "main", TurnStatus.ANSWERED, answer=SENTENCE) for n in range(1, 6)
    )
    session = replace(Session("0" * 40), turns=turns)
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        opened, fill, close = {"SQLite": _sqlite, "Redis": _redis}[store](Path(folder))
        runner.run(opened.save(session, ttl=86_400))
        for size in sizes:
            fill(size)

            def update() -> None:
                for _ in range(10):
                    loaded = runner.run(opened.load(session.call_id))
                    assert loaded is not None
                    runner.run(opened.save(loaded, ttl=86_400))

            rows[size] = best(update, 20) / 10
        close(runner)
    return Growth(f"sessions-{store.lower()}", f"a load and a save, {store}", "stored sessions", rows)


Opened = tuple[SessionStore, Callable[[int], None], Callable[[asyncio.Runner], None]]


def _sqlite(folder: Path) -> Opened:
    path = folder / "sessions.db"
    store = SQLiteStore(path)

    def fill(size: int) -> None:
        with sqlite3.connect(path, timeout=60) as database:
            (have,) = database.execute("SELECT count(*) FROM sessions").fetchone()
            row = database.execute("SELECT * FROM sessions LIMIT 1").fetchone()
            names = (f"{number:040x}" for number in range(have, size))
            database.executemany("INSERT INTO sessions VALUES (?,?,?,?,?,?)", ((n, *row[1:]) for n in names))

    return store, fill, lambda runner: runner.run(store.aclose()) if hasattr(store, "aclose") else None


def _redis(_folder: Path) -> Opened:
    server = RedisServer().start()
    store = RedisStore(server.url)
    client = redis.Redis.from_url(server.url)

    def fill(size: int) -> None:
        key = next(client.scan_iter("yemot-ai:session:*"))
        dumped = client.dump(key)
        assert dumped is not None
        saved = client.zcard("yemot-ai:saved")
        pipeline = client.pipeline(transaction=False)
        for number in range(saved, size):
            name = f"{number:040x}"
            pipeline.restore(f"yemot-ai:session:{name}", 86_400_000, dumped)
            pipeline.zadd("yemot-ai:saved", {name: time.time()})
            if number % 5_000 == 0:
                pipeline.execute()
        pipeline.execute()

    def close(runner: asyncio.Runner) -> None:
        runner.run(store.aclose())
        client.close()
        server.close()

    return store, fill, close


def measure(*, short: bool) -> list[Growth]:
    """Measure all tables.

    Args:
        short: with small sizes only.
    """
    many = 1_000 if short else 10_000
    sessions = [size for size in (10, 1_000, 10_000, 100_000, 1_000_000) if not short or size <= many]
    turns = (1, 10, 50, 200)
    return [
        calls_at_once([size for size in (10, 100, 1_000, 10_000) if size <= many]),
        turns_per_call(turns, lambda _folder: MemoryStore(), "memory"),
        turns_per_call(turns, lambda folder: SQLiteStore(folder / "sessions.db"), "SQLite"),
        answer_length([100, 1_000, 10_000, 50_000]),
        stored_sessions(sessions, "SQLite"),
        stored_sessions(sessions, "Redis"),
    ]
