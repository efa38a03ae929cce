"""Whatever a log has, its calls are written as files that load, without its numbers."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.from_log.logs import convert_lines, scenarios_of
from tests.from_log.test_public_examples import EXAMPLES

VALUES = st.sampled_from(
    [
        "",
        "None",
        "1",
        "9",
        "*",
        "Digits-12",
        "Digits-",
        "/1/000.wav",
        "0527654321",
        "שלום, זה 77665544",
        "א\nב",
        "10-30",
    ]
) | st.text(max_size=12)
NAMES = st.sampled_from(["a", "ai_1", "ai_1w1", "ai_2", "val_1", "foo", "menu"]) | st.text(max_size=5)
BODIES = (
    st.sampled_from([str(example["text"]) for example in EXAMPLES])
    | st.sampled_from(
        [
            "read=t-שלום=ai_1,no,voice",
            "read=t-רק רגע=ai_1w1,no,1,1,1,No,,,,,1,Ok,None,,no",
            "read=t-עוד=menu,no,10,1,7,Phone",
            "id_list_message=t-המספר 0771112223&go_to_folder=.",
            "go_to_folder=hangup",
            "",
        ]
    )
    | st.none()
    | st.text(max_size=20)
)
EXCHANGES = st.fixed_dictionaries(
    {
        "call": st.sampled_from(["c1", "c2"]),
        "values": st.lists(st.tuples(NAMES, VALUES), max_size=4),
        "hangup": st.booleans(),
        "answer": BODIES,
        "time": st.integers(1_796_031_000, 1_796_031_009) | st.just(1e300),
        "status": st.sampled_from([200, 200, 200, 500, None]),
    }
)


def line_of(exchange: dict[str, Any]) -> str:
    pairs = [["ApiCallId", exchange["call"]], ["ApiPhone", "0529998887"], *map(list, exchange["values"])]
    pairs += [["hangup", "yes"]] if exchange["hangup"] else []
    entry = {
        "pairs": pairs,
        "answer": exchange["answer"],
        "time": exchange["time"],
        "status": exchange["status"],
    }
    return json.dumps(entry, ensure_ascii=False)


@settings(max_examples=60)
@given(st.lists(EXCHANGES, min_size=1, max_size=7))
def test_any_calls_are_written(exchanges: list[dict[str, Any]]) -> None:
    lines = [line_of(exchange) for exchange in exchanges]
    with tempfile.TemporaryDirectory() as folder:
        found = convert_lines(Path(folder), lines)

    problems = [file.problem for file in found.files if file.problem]
    assert len(scenarios_of(found)) == found.calls, problems
    written = "\n".join(file.text for file in found.files)
    assert not set(re.findall(r"[0-9]{5,}", "\n".join(lines))) & set(re.findall(r"[0-9]{5,}", written))
