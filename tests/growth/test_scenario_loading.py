"""Long files load in a time that grows with their length, and not far above YAML's own."""

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
def test_a_long_file_takes_little_more_than_its_yaml(text: str) -> None:
    parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    ours = best(lambda: loads(text, PATH), times=3)
    assert ours <= 6 * best(lambda: yaml.load(text, Loader=parser), times=3)  # noqa: S506 - a safe loader


def test_a_file_four_times_as_long_is_about_four_times_the_work() -> None:
    short, long = (partial(loads, calls(lines), PATH) for lines in (1250, 5000))
    short()  # whatever is imported or compiled once
    assert measure.calls(long) <= 5 * measure.calls(short)
