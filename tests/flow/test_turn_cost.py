"""How much one utterance costs: passes through the store, and moves from module to module."""

from __future__ import annotations

import itertools
import logging
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import FrameType

import pytest

import yemot_ai
from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, Engine, YemotAI
from yemot_ai.providers import Reply
from yemot_ai.sessions import MemoryStore, Session
from yemot_ai.sessions.leases import Hold

PACKAGE = f"{Path(yemot_ai.__file__).parent}/"
MAX_SAVES, MAX_LOADS, MAX_LEASES = 4, 6, 2
MAX_MODULES, MAX_MOVES = 41, 226
"""Two thirds of what it was with two turns for each utterance; and the admission of a request, its
limits, its log, the calls without a turn, the guard around the work of a turn, and the limits of an
answer."""


class InstantProvider:
    """Answers at once."""

    name = "instant"
    streams = False

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def ask(self, prompt: str, **_: object) -> AsyncIterator[str | Reply]:
        yield Reply("התשובה לשאלה", session="1")


class CountingStore(MemoryStore):
    """Counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    async def load(self, call_id: str) -> Session | None:
        self.counts["loads"] += 1
        return await super().load(call_id)

    async def save(self, session: Session, *, ttl: float) -> Session:
        self.counts["saves"] += 1
        return await super().save(session, ttl=ttl)

    def hold(self, key: str, *, lease: float = 10.0) -> Hold:
        self.counts["leases"] += 1
        return super().hold(key, lease=lease)


class CallLog:
    """The modules of the package whose functions are called, in the order of each thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.by_thread: dict[int, list[str]] = {}

    def note(self, frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            self.by_thread.setdefault(threading.get_ident(), []).append(frame.f_code.co_filename)

    def of(self, function: Callable[[], object]) -> None:
        """Log the calls of ``function``, in this thread and on the engine."""

        async def set_profile(profile: Callable[[FrameType, str, object], None] | None) -> None:
            sys.setprofile(profile)

        self.engine.run(set_profile(self.note))
        sys.setprofile(self.note)
        try:
            function()
        finally:
            sys.setprofile(None)
            self.engine.run(set_profile(None))

    @property
    def modules(self) -> set[str]:
        return {name for names in self.by_thread.values() for name in names}

    @property
    def moves(self) -> int:
        return sum(a != b for names in self.by_thread.values() for a, b in itertools.pairwise(names))


def test_an_utterance_passes_the_ledger_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="yemot_ai")  # as it is by default
    store, engine = CountingStore(), Engine()
    flow = AIFlow(YemotAI(provider=InstantProvider(engine), store=store))

    @flow.ai_agent("a", greeting="שלום")
    def agent(call: AICall, text: str) -> None: ...

    log = CallLog(engine)
    for call_id in ("warm", "counted"):
        line = Line(flow, call_id)
        line.enter("a")
        line.send(("ai_1", "מה השעה"))
        line.values.append(("ai_2", "ומחר"))
        request = line.request()
        store.counts.clear()
        if call_id == "warm":
            flow.handle_request(request)

    responses: list[str] = []
    log.of(lambda: responses.append(flow.handle_request(request)))
    engine.close()

    assert responses[0].startswith("read=t-התשובה לשאלה=ai_3,")
    assert store.counts["saves"] <= MAX_SAVES
    assert store.counts["loads"] <= MAX_LOADS
    assert store.counts["leases"] <= MAX_LEASES
    assert len(log.modules) <= MAX_MODULES, sorted(log.modules)
    assert log.moves <= MAX_MOVES
