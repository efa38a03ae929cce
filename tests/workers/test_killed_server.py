"""Three server processes over one store: 50 calls, each request to the next, and one killed in the middle."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.workers.echo_model import EchoModel
from tests.workers.server_processes import Balancer, Server, serving
from yemot_ai import YemotAI
from yemot_ai.runtime.engine import Engine
from yemot_ai_testing import Caller, ScriptedProvider

CALLS, TURNS, WORKERS = 50, 5, 3
APOLOGY = "סליחה, לא הצלחתי לענות, אפשר לנסות שוב"
FILLER = "רק רגע"


@dataclass
class Shift:
    """What came of one run.

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
        """What was heard after an utterance, without fillers."""
        return [part for part in self.heard[text].split(FILLER) if part.strip()]


def utterances(call: int) -> list[str]:
    return [f"מתקשר {call} משפט {turn}" for turn in range(TURNS)]


def one_call(shift: Shift, number: int) -> None:
    with Caller(shift.balancer, phone=f"05012345{number:02}") as caller:
        caller.dial()
        caller.presses("1")
        for text in utterances(number):
            shift.heard[text] = caller.says(text)
        caller.hangs_up()


def kill(shift: Shift, server: Server) -> None:
    """Kill a worker in the middle of the calls, while a model thinks for it."""
    shift.model.wait_for(server.process.pid, after=CALLS * TURNS // 3)
    server.kill()
    shift.killed = server.process.pid


def work(store: str, folder: Path) -> Shift:
    model = EchoModel()
    with model.serving() as address:
        environment = {"MODEL_URL": address, "YEMOT_AI_STORE": store}
        with serving(WORKERS, folder, environment) as servers:
            shift = Shift(store.partition(":")[0], model, Balancer(servers))
            with ThreadPoolExecutor(CALLS + 1) as threads:
                killing = threads.submit(kill, shift, servers[1])
                list(threads.map(lambda number: one_call(shift, number), range(CALLS)))
                killing.result()
        shift.left_behind = [pid for server in servers for pid in server.left_behind()]
    engine = Engine()
    over = YemotAI(provider=ScriptedProvider(engine=engine), store=store)
    shift.left_open = over.open_calls()
    over.close()
    engine.close()
    return shift


@pytest.fixture(scope="module", params=["unix", "sqlite"])
def shift(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shift:
    folder = tmp_path_factory.mktemp("shift")
    place = (
        request.getfixturevalue("redis_url") if request.param == "unix" else f"sqlite:{folder / 'calls.db'}"
    )
    shift = work(place, folder)
    show(request.config, shift)
    return shift


def show(config: pytest.Config, shift: Shift) -> None:
    """Print what came of it, for whoever reads the log."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    asked = Counter(question.prompt for question in shift.model.questions)
    rows = {
        "store": {"unix": "redis"}.get(shift.store, shift.store),
        "requests by worker": " ".join(str(server.answered) for server in shift.balancer.servers),
        "requests sent again after the kill": shift.balancer.resent,
        "utterances": len(shift.heard),
        "answered": sum(APOLOGY not in heard for heard in shift.heard.values()),
        "apologies": sum(APOLOGY in heard for heard in shift.heard.values()),
        "asked twice (owner killed)": sum(count > 1 for count in asked.values()),
        "sessions left open": shift.left_open,
        "processes left behind": len(shift.left_behind),
    }
    if reporter is None or capture is None or hasattr(config, "workerinput"):
        return  # a worker of pytest-xdist speaks to its master on that very stream
    with capture.global_and_fixture_disabled():
        reporter.ensure_newline()
        for name, value in rows.items():
            reporter.write_line(f"  {name:<36}{value}")


def every_utterance_is_answered_once_or_with_an_apology(shift: Shift) -> None:
    assert set(shift.heard) == {text for call in range(CALLS) for text in utterances(call)}
    for text in shift.heard:
        (said,) = shift.says(text)
        if APOLOGY in said:  # the model is well: only a death may be a reason
            assert any(question.worker == shift.killed for question in shift.model.asked(text)), text
        else:
            assert said.strip().startswith(f"{text} שיחה"), (text, said)


def no_caller_hears_what_another_one_was_told(shift: Shift) -> None:
    conversations: dict[str, set[int]] = {}
    for text, heard in shift.heard.items():
        if APOLOGY not in heard:
            conversations.setdefault(heard.split("שיחה")[1].strip(), set()).add(int(text.split()[1]))

    assert all(len(callers) == 1 for callers in conversations.values())


def the_model_is_asked_once_but_for_turns_whose_worker_was_killed(shift: Shift) -> None:
    for text in shift.heard:
        *earlier, last = shift.model.asked(text)
        assert len(earlier) <= 1, text
        assert all(question.worker == shift.killed for question in earlier), text
        assert last.worker != shift.killed or last.heard, text


def every_worker_has_answered_and_one_was_killed_while_the_model_thought_for_it(shift: Shift) -> None:
    assert all(server.answered > CALLS for server in shift.balancer.servers)
    assert any(
        q.worker == shift.killed and len(shift.model.asked(q.prompt)) > 1 for q in shift.model.questions
    )


def neither_session_nor_process_is_left(shift: Shift) -> None:
    assert shift.left_open == 0
    assert shift.left_behind == []


# One test a store, not five: pytest-xdist would work a shift for each of them.
@pytest.mark.parametrize("store", ["redis", "sqlite"])
def test_fifty_calls_survive_the_death_of_a_worker(
    request: pytest.FixtureRequest, tmp_path: Path, store: str
) -> None:
    place = f"sqlite:{tmp_path / 'calls.db'}" if store == "sqlite" else request.getfixturevalue("redis_url")
    shift = work(place, tmp_path)
    show(request.config, shift)

    every_utterance_is_answered_once_or_with_an_apology(shift)
    no_caller_hears_what_another_one_was_told(shift)
    the_model_is_asked_once_but_for_turns_whose_worker_was_killed(shift)
    every_worker_has_answered_and_one_was_killed_while_the_model_thought_for_it(shift)
    neither_session_nor_process_is_left(shift)
