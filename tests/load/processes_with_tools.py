"""Run calls with tools over three processes that are killed; a file of all of them has what the tools did."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.load.processes import WORKERS, WorkerPool
from tests.load.threads import run_calls
from tests.load.tool_worker import RUNS_FILE
from yemot_ai_testing.history import History, ModelAsked, ToolCalled, WorkerRestarted

__all__ = ["ToolKills", "run_with_tools"]

MAX_STANDBY: Final = 20
"""Workers that are started before the calls: a start takes seconds, in which the calls would end."""


@dataclass(frozen=True, slots=True)
class ToolKills:
    """What happened in the calls.

    Attributes:
        history: the events of all processes.
        began: how often a run began, by its key, as the file of the shop has it.
        ended: how often it ended.
    """

    history: History
    began: Counter[str]
    ended: Counter[str]

    @property
    def kills(self) -> int:
        """How many processes were killed."""
        return sum(isinstance(event, WorkerRestarted) for event in self.history.events)

    @property
    def ran_again(self) -> list[str]:
        """The keys of the runs that began more than once, and may not."""
        repeatable = {
            event.key for event in self.history.events if isinstance(event, ToolCalled) and event.repeatable
        }
        return [key for key, times in self.began.items() if times > 1 and key not in repeatable]

    @property
    def killed_results(self) -> list[str]:
        """What the model got for runs that began and never ended, because their process was killed."""
        killed = set(self.began) - set(self.ended)
        ids = {
            event.tool_call_id: event.key
            for event in self.history.events
            if isinstance(event, ToolCalled) and event.key in killed
        }
        results = {
            ids[one]: result
            for event in self.history.events
            if isinstance(event, ModelAsked)
            for one, result in event.tool_results
            if one in ids
        }
        return list(results.values())


def run_with_tools(plan: tuple[int, int, range], store_url: str, folder: Path, *, kills: int) -> ToolKills:
    """Run calls, and kill workers at regular intervals.

    Args:
        plan: the seed, the number of calls, and the IDs of their utterances.
        store_url: of the store of all workers.
        folder: for the files of the workers.
        kills: how many workers are killed.
    """
    seed, calls, _ = plan
    pool = WorkerPool(seed, store_url, folder, module="tests.load.tool_worker")

    def replace_some(number: int) -> None:
        if number % (calls // kills) == 0:
            pool.replace_one()

    with closing(pool):
        pool.start(WORKERS, standby=min(kills, MAX_STANDBY))
        run_calls(plan, pool.history, pool.send, replace_some)
    lines = [json.loads(line) for line in (folder / RUNS_FILE).read_text(encoding="utf-8").splitlines()]
    return ToolKills(pool.merged_history(), _count(lines, "began"), _count(lines, "ended"))


def _count(lines: Sequence[dict[str, str]], what: str) -> Counter[str]:
    return Counter(line["key"] for line in lines if what in line)
