"""JUnit reports carry what can be counted of a call."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]


def properties(project: pytest.Pytester) -> dict[str, dict[str, str]]:
    """Return the properties of each case in the report."""
    cases = ET.parse(project.path / "out.xml").getroot().iter("testcase")  # noqa: S314 - our own file
    return {
        case.attrib["name"]: {one.attrib["name"]: one.attrib["value"] for one in case.iter("property")}
        for case in cases
    }


def test_a_call_is_counted_in_properties(project: pytest.Pytester, run: Run) -> None:
    run("--yemot-app=shop:app", "--yemot-scenario", "--junitxml=out.xml")
    noted = properties(project)["הזמנת פיצה"]
    assert "caller  “פיצה”" in noted.pop("yemot_call")
    assert float(noted.pop("yemot_dead_air_p95")) >= 0
    assert noted == {
        "yemot_place": "shop.call.yaml:3",
        "yemot_turns": "2",
        "yemot_agent_turns": "0",
        "yemot_warnings": "[]",
    }


def test_a_failure_tells_its_kind(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("bad.call.yaml", "scenarios: [{name: א, turns: [{hears: ביי}]}]\n")
    run("--yemot-app=shop:app", "--yemot-scenario=bad.call.yaml", "--junitxml=out.xml")
    assert properties(project)["א"]["yemot_failure"] == "heard"
