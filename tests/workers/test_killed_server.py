"""Server processes with one store; one of them is killed while calls run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.workers.echo_model import EchoModel
from tests.workers.server_processes import Balancer, Server, serving
from yemot_ai import YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai_testing import Caller, ScriptedProvider

APOLOGY = "סליחה, לא הצלחתי לענות, אפשר לנסות שוב"
FILLER = "רק רגע"
HEADER = "killed server: store | requests by worker | sent again | utterances | apologies | asked twice"


@dataclass
class Run:
    """One run of calls.

    Attributes:
        calls: the number of calls; all of them run at once.
        turns: the utterances of a call.
        heard: by utterance, what its caller heard after it, without fillers.
        killed: the process that was killed, 0 for none.
        left_open: the number of sessions that are still open.
        left_behind: the processes that still run.
    """

    store: str
    calls: int
    turns: int
    model: EchoModel = field(default_factory=EchoModel)
    balancer: Balancer = field(default_factory=lambda: Balancer([]))
    heard: dict[str, list[str]] = field(default_factory=dict)
    killed: int = 0
    left_open: int = -1
    left_behind: list[int] = field(default_factory=list)

    def utterances(self, call: int) -> list[str]:
        return [f"מתקשר {call} משפט {turn}" for turn in range(self.turns)]

    def one_call(self, number: int) -> None:
        with Caller(self.balancer, phone=f"05012345{number:02}") as caller:
            caller.dial()
            caller.presses("1")
            for text in self.utterances(number):
                self.heard[text] = [part for part in caller.says(text).split(FILLER) if part.strip()]
            caller.hangs_up()

    def kill(self, server: Server) -> None:
        """Kill a worker during the calls, while it waits for the model."""
        self.model.wait_for(server.process.pid, after=self.calls * self.turns // 3)
        server.kill()
        self.killed = server.process.pid

    def table_row(self) -> tuple[str, ...]:
        asked = Counter(question.prompt for question in self.model.questions)
        return (
            self.store.partition(":")[0].replace("unix", "redis"),
            " ".join(str(server.answered) for server in self.balancer.servers),
            str(self.balancer.resent),
            str(len(self.heard)),
            str(sum(APOLOGY in "".join(heard) for heard in self.heard.values())),
            str(sum(count > 1 for count in asked.values())),
        )


def run_calls(run: Run, folder: Path, *, workers: int, killing: bool) -> None:
    with run.model:
        environment = {"MODEL_URL": run.model.base_url, "YEMOT_AI_STORE": run.store}
        with serving(workers, folder, environment) as servers, ThreadPoolExecutor(run.calls + 1) as threads:
            run.balancer.servers = servers
            kill = threads.submit(run.kill, servers[1]) if killing else None
            list(threads.map(run.one_call, range(run.calls)))
            if kill is not None:
                kill.result()
        run.left_behind = [pid for server in servers for pid in server.left_behind()]
    over = YemotAI(provider=ScriptedProvider(engine=Engine.shared()), store=run.store)
    run.left_open = over.open_calls()
    over.close()


def assert_every_utterance_is_answered_once(run: Run) -> None:
    """Check that nothing was lost or asked twice, except by a worker that was killed."""
    assert set(run.heard) == {text for call in range(run.calls) for text in run.utterances(call)}
    for text, (said,) in run.heard.items():
        *earlier, last = run.model.asked(text)
        assert len(earlier) <= 1, text
        assert all(question.worker == run.killed for question in earlier), text
        assert last.worker != run.killed or last.answer == said.strip(), text
        if APOLOGY in said:  # the model never fails: the worker must have been killed
            assert any(question.worker == run.killed for question in run.model.asked(text)), text
        else:
            assert said.strip() in {question.answer for question in run.model.asked(text)}, (text, said)


def assert_each_call_has_one_conversation(run: Run) -> None:
    """Check that the model gets the earlier turns of the same call, and only these."""
    for call in range(run.calls):
        answered = [text for text in run.utterances(call) if APOLOGY not in "".join(run.heard[text])]
        for turn, text in enumerate(answered):
            assert {question.earlier for question in run.model.asked(text)} == {tuple(answered[:turn])}


def assert_nothing_is_left(run: Run) -> None:
    assert run.left_open == 0
    assert run.left_behind == []


# One test per store, not five: pytest-xdist would run the calls for each of them.
@pytest.mark.parametrize("store", ["redis", "sqlite"])
def test_fifty_calls_survive_a_killed_worker(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    store: str,
    record_property: Callable[[str, object], None],
) -> None:
    url = "" if store == "sqlite" else f"{request.getfixturevalue('redis_url')}?db=2"
    place = url or f"sqlite:{tmp_path / 'calls.db'}"
    run = Run(place, calls=50, turns=5)
    run_calls(run, tmp_path, workers=3, killing=True)
    record_property("table", (HEADER, run.table_row()))

    assert_every_utterance_is_answered_once(run)
    assert_each_call_has_one_conversation(run)
    assert_nothing_is_left(run)
    assert all(server.answered > 50 for server in run.balancer.servers)
    killed = [question for question in run.model.questions if question.worker == run.killed]
    assert any(len(run.model.asked(question.prompt)) > 1 for question in killed), (
        "it was not killed in a turn"
    )


def test_two_processes_work_on_one_folder(tmp_path: Path) -> None:
    run = Run(f"json:{tmp_path / 'calls'}", calls=6, turns=3, model=EchoModel(thinking=0.05))
    run_calls(run, tmp_path, workers=2, killing=False)

    assert_every_utterance_is_answered_once(run)
    assert_each_call_has_one_conversation(run)
    assert_nothing_is_left(run)
    workers = {server.process.pid for server in run.balancer.servers}
    assert {question.worker for question in run.model.questions} == workers
