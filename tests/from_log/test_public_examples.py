"""The published responses: the scenario of a call that hears one passes, or fails as the call did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.from_log.logs import assert_passes, convert_lines, json_lines, scenarios_of
from yemot_ai.protocol import Record, Tap
from yemot_ai_testing import Caller
from yemot_ai_testing.line.states import Asking

DATA = Path(__file__).parents[1] / "protocol" / "data" / "answers.jsonl"
EXAMPLES = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]


class Server:
    """Gives one response to the first request, and hangs up after it."""

    def __init__(self, response: str) -> None:
        self.response = response
        self.requests = 0

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> str:
        self.requests += 1
        return self.response if self.requests == 1 else "go_to_folder=hangup"


def answer_once(caller: Caller) -> None:
    if not isinstance(caller.state, Asking):
        return
    mode = caller.state.read.mode
    if isinstance(mode, Tap):
        caller.presses("10" if mode.max_digits != 1 else "1")
    elif isinstance(mode, Record):
        caller.records("/1/000.wav")
    else:
        caller.says("שלום")


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["text"] for example in EXAMPLES])
def test_a_published_response(example: dict[str, object], tmp_path: Path) -> None:
    text = str(example["text"])
    caller = Caller(Server(text), strict=False)
    caller.dial()
    answer_once(caller)
    if not caller.ended:
        caller.hangs_up()
    (scenario,) = scenarios_of(convert_lines(tmp_path, json_lines(caller)))

    broken = any(problem.level == "error" for problem in caller.problems)
    if broken:
        with pytest.raises(AssertionError):
            assert_passes(scenario, Server(text))
    else:
        assert_passes(scenario, Server(text))
