"""Loading a scenario file is linear, and not much slower than YAML's own parser."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import yaml

from benchmarks.loader import best, calls
from tests.growth import measure
from yemot_ai_testing.scenario.format.load import loads

PATH = Path("long.call.yaml")


@pytest.mark.parametrize("text", [calls(5000)], ids=["5000 lines"])
def test_loading_is_little_slower_than_parsing_the_yaml(text: str) -> None:
    parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    ours = best(lambda: loads(text, PATH), times=3)
    assert ours <= 6 * best(lambda: yaml.load(text, Loader=parser), times=3)  # noqa: S506 - a safe loader


def test_loading_is_linear_in_work() -> None:
    short, long = (partial(loads, calls(lines), PATH) for lines in (1250, 5000))
    short()  # fills the caches
    assert measure.count_calls(long) <= 5 * measure.count_calls(short)
