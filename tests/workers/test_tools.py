"""Tools whose worker dies: what has begun does not run again, and the model learns that it is unknown."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.flow_line import Line
from tests.support.stores import store_factory
from tests.support.waiting import until
from tests.workers.worker_group import QUICK, Worker
from yemot_ai import AIFlow, Tool, ToolContext, YemotAI, tool
from yemot_ai._runtime.engine import Engine
from yemot_ai.providers import JSON, AnswerPart, Exchange, Reply, ToolCall, ToolCalls, ToolRequest
from yemot_ai.sessions import SessionStore

UNKNOWN = "it is not known whether this was done"


@dataclass
class ToolModel:
    """Calls ``calls`` in its first message, and answers with the results.

    Attributes:
        requests: what it has got, at any worker.
    """

    calls: Sequence[str] = ("order",)
    requests: list[tuple[str, ToolRequest]] = field(default_factory=list)


@dataclass
class ToolModelProvider:
    model: ToolModel
    engine: Engine
    name: str = "model"
    streams: bool = False
    takes_tools: bool = True

    async def ask(  # noqa: PLR0913 - the arguments of ``ToolProvider.ask``
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
        tools: ToolRequest | None = None,
    ) -> AsyncIterator[AnswerPart]:
        assert tools is not None
        self.model.requests.append((prompt, tools))
        answer: AnswerPart
        if tools.rounds:
            answer = Reply(" ".join(tools.rounds[-1].results), "s1")
        else:
            calls = enumerate(self.model.calls)
            answer = ToolCalls(tuple(ToolCall(f"c{number}", name, "{}") for number, name in calls))
        yield answer


@dataclass
class Shop:
    """The tools of both workers.

    Attributes:
        runs: the keys of the runs that have begun.
        go: lets the first run end.
    """

    runs: list[str] = field(default_factory=list)
    go: threading.Event = field(default_factory=threading.Event)

    def make_tools(self, *, retry: bool) -> list[Tool]:
        def order(call: ToolContext) -> str:
            """Place the order."""
            self.runs.append(call.key)
            if len(self.runs) == 1:
                self.go.wait(30)
            return "ordered"

        def pay() -> str:
            """Pay."""
            self.runs.append("pay")
            return "paid"

        return [tool(retry=retry)(order), tool(pay)]


@dataclass
class Shops:
    model: ToolModel
    shop: Shop
    workers: list[Worker]

    def line(self) -> Line:
        flows = [worker.flow for worker in self.workers]
        return Line(flows[0], "c1", "agent", workers=flows)

    def begin(self) -> Line:
        """Return a call whose tool runs at the first worker."""
        line = self.line()
        line.enter(at=0)
        line.gives("להזמין", at=0)
        until(lambda: self.shop.runs)
        return line

    def close(self) -> None:
        self.shop.go.set()
        for worker in self.workers:
            until(worker.is_idle)
            worker.flow.ai.close()
            worker.engine.close()


StartShops = Callable[..., Shops]


@pytest.fixture(params=["json", "sqlite", "redis"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StartShops]:
    make_store: Callable[[], SessionStore] = store_factory(request, tmp_path)
    started: list[Shops] = []

    def start_shops(*calls: str, retry: bool = False, lease: float = 1.0) -> Shops:
        model, shop, workers = ToolModel(calls or ("order",)), Shop(), []
        for name in "AB":
            engine = Engine()
            ai = YemotAI(provider=ToolModelProvider(model, engine), store=make_store(), lease=lease)
            flow = AIFlow(ai, dialog=QUICK)
            flow.ai_agent("agent", greeting="שלום", tools=shop.make_tools(retry=retry))(
                lambda call, text: None
            )
            workers.append(Worker(name, flow, engine))
        started.append(Shops(model, shop, workers))
        return started[-1]

    yield start_shops
    for shops in started:
        shops.close()


@pytest.mark.slow
def test_another_worker_does_not_run_what_a_lost_one_has_begun(start: StartShops) -> None:
    shops = start()
    line = shops.begin()
    with shops.workers[0].blocked():
        heard = line.waits(at=1)

    assert UNKNOWN in heard.replace("%20", " ")
    assert len(shops.shop.runs) == 1
    assert [len(tools.rounds) for _, tools in shops.model.requests] == [0, 1]


@pytest.mark.slow
def test_a_tool_that_may_run_twice_does_so_with_the_same_key(start: StartShops) -> None:
    shops = start(retry=True)
    line = shops.begin()
    with shops.workers[0].blocked():
        heard = line.waits(at=1)

    assert "ordered" in heard
    assert shops.shop.runs == [shops.shop.runs[0]] * 2


@pytest.mark.slow
def test_calls_that_had_not_begun_are_made_by_the_other_worker(start: StartShops) -> None:
    shops = start("order", "pay")
    line = shops.begin()
    with shops.workers[0].blocked():
        line.waits(at=1)

    results = shops.model.requests[-1][1].rounds[0].results
    assert UNKNOWN in results[0]
    assert results[1] == "paid"
    assert shops.shop.runs[1:] == ["pay"]


@pytest.mark.slow
def test_a_repeated_request_joins_the_run_at_any_worker(start: StartShops) -> None:
    shops = start(lease=20)  # both workers live, on a busy machine too
    line = shops.begin()
    for worker in (1, 0, 1):
        line.again(at=worker)
    shops.shop.go.set()

    assert "ordered" in line.waits(at=1)
    assert len(shops.shop.runs) == 1
    assert len(shops.model.requests) == 2


@pytest.mark.slow
def test_after_a_hang_up_at_another_worker_no_tool_begins(start: StartShops) -> None:
    shops = start("order", "pay", lease=20)
    line = shops.begin()
    line.hang_up(at=1)
    until(lambda: not shops.workers[0].tasks())
    shops.shop.go.set()
    until(shops.workers[0].is_idle)

    assert len(shops.shop.runs) == 1
