"""Three server processes with one store and 50 calls; one server is killed while they run."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.workers.echo_model import EchoModel
from tests.workers.server_processes import Balancer, Server, serving
from yemot_ai import YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai_testing import Caller, ScriptedProvider

CALLS, TURNS, WORKERS = 50, 5, 3
APOLOGY = "סליחה, לא הצלחתי לענות, אפשר לנסות שוב"
FILLER = "רק רגע"


@dataclass
class KillRun:
    """The result of one run.

    Attributes:
        heard: by utterance, what its caller heard after it.
        killed: the process that was killed, 0 for none.
    """

    store: str
    model: EchoModel
    balancer: Balancer
    heard: dict[str, str] = field(default_factory=dict)
    killed: int = 0
    left_open: int = -1
    left_behind: list[int] = field(default_factory=list)

    def says(self, text: str) -> list[str]:
        """Return what was heard after an utterance, without fillers."""
        return [part for part in self.heard[text].split(FILLER) if part.strip()]


def utterances(call: int) -> list[str]:
    return [f"מתקשר {call} משפט {turn}" for turn in range(TURNS)]


def one_call(run: KillRun, number: int) -> None:
    with Caller(run.balancer, phone=f"05012345{number:02}") as caller:
        caller.dial()
        caller.presses("1")
        for text in utterances(number):
            run.heard[text] = caller.says(text)
        caller.hangs_up()


def kill(run: KillRun, server: Server) -> None:
    """Kill a worker during the calls, while it waits for the model."""
    run.model.wait_for(server.process.pid, after=CALLS * TURNS // 3)
    server.kill()
    run.killed = server.process.pid


def run_calls(store: str, folder: Path) -> KillRun:
    model = EchoModel()
    with model.serving() as address:
        environment = {"MODEL_URL": address, "YEMOT_AI_STORE": store}
        with serving(WORKERS, folder, environment) as servers:
            run = KillRun(store.partition(":")[0], model, Balancer(servers))
            with ThreadPoolExecutor(CALLS + 1) as threads:
                killing = threads.submit(kill, run, servers[1])
                list(threads.map(lambda number: one_call(run, number), range(CALLS)))
                killing.result()
        run.left_behind = [pid for server in servers for pid in server.left_behind()]
    engine = Engine()
    over = YemotAI(provider=ScriptedProvider(engine=engine), store=store)
    run.left_open = over.open_calls()
    over.close()
    engine.close()
    return run


def show(config: pytest.Config, run: KillRun) -> None:
    """Print the result to the log."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    asked = Counter(question.prompt for question in run.model.questions)
    rows = {
        "store": {"unix": "redis"}.get(run.store, run.store),
        "requests by worker": " ".join(str(server.answered) for server in run.balancer.servers),
        "requests sent again after the kill": run.balancer.resent,
        "utterances": len(run.heard),
        "answered": sum(APOLOGY not in heard for heard in run.heard.values()),
        "apologies": sum(APOLOGY in heard for heard in run.heard.values()),
        "asked twice (owner killed)": sum(count > 1 for count in asked.values()),
        "sessions left open": run.left_open,
        "processes left behind": len(run.left_behind),
    }
    if reporter is None or capture is None or hasattr(config, "workerinput"):
        return  # a worker of pytest-xdist sends its results on that stream
    with capture.global_and_fixture_disabled():
        reporter.ensure_newline()
        for name, value in rows.items():
            reporter.write_line(f"  {name:<36}{value}")


def every_utterance_is_answered_once_or_with_an_apology(run: KillRun) -> None:
    assert set(run.heard) == {text for call in range(CALLS) for text in utterances(call)}
    for text in run.heard:
        (said,) = run.says(text)
        if APOLOGY in said:  # the model never fails: the worker must have been killed
            assert any(question.worker == run.killed for question in run.model.asked(text)), text
        else:
            assert said.strip().startswith(f"{text} שיחה"), (text, said)


def no_caller_hears_the_answer_of_another(run: KillRun) -> None:
    conversations: dict[str, set[int]] = {}
    for text, heard in run.heard.items():
        if APOLOGY not in heard:
            conversations.setdefault(heard.split("שיחה")[1].strip(), set()).add(int(text.split()[1]))

    assert all(len(callers) == 1 for callers in conversations.values())


def the_model_is_asked_once_but_for_turns_whose_worker_was_killed(run: KillRun) -> None:
    for text in run.heard:
        *earlier, last = run.model.asked(text)
        assert len(earlier) <= 1, text
        assert all(question.worker == run.killed for question in earlier), text
        assert last.worker != run.killed or last.heard, text


def every_worker_has_answered_and_one_was_killed_while_it_waited_for_the_model(run: KillRun) -> None:
    assert all(server.answered > CALLS for server in run.balancer.servers)
    assert any(q.worker == run.killed and len(run.model.asked(q.prompt)) > 1 for q in run.model.questions)


def neither_session_nor_process_is_left(run: KillRun) -> None:
    assert run.left_open == 0
    assert run.left_behind == []


# One test per store, not five: pytest-xdist would run the calls for each of them.
@pytest.mark.parametrize("store", ["redis", "sqlite"])
def test_fifty_calls_survive_a_killed_worker(
    request: pytest.FixtureRequest, tmp_path: Path, store: str
) -> None:
    place = f"sqlite:{tmp_path / 'calls.db'}" if store == "sqlite" else request.getfixturevalue("redis_url")
    run = run_calls(place, tmp_path)
    show(request.config, run)

    every_utterance_is_answered_once_or_with_an_apology(run)
    no_caller_hears_the_answer_of_another(run)
    the_model_is_asked_once_but_for_turns_whose_worker_was_killed(run)
    every_worker_has_answered_and_one_was_killed_while_it_waited_for_the_model(run)
    neither_session_nor_process_is_left(run)
