"""JUnit reports have the counts of a call as properties."""

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
        case.attrib["name"]: {item.attrib["name"]: item.attrib["value"] for item in case.iter("property")}
        for case in cases
    }


def test_a_call_is_counted_in_properties(project: pytest.Pytester, run: Run) -> None:
    run("--yemot-app=shop:app", "--yemot-scenario", "--junitxml=out.xml")
    values = properties(project)["הזמנת פיצה"]
    assert "caller  “פיצה”" in values.pop("yemot_call")
    assert float(values.pop("yemot_dead_air_p95")) >= 0
    assert values == {
        "yemot_place": "shop.call.yaml:3",
        "yemot_turns": "2",
        "yemot_agent_turns": "0",
        "yemot_warnings": "[]",
    }


def test_an_end_by_the_agent_before_the_last_turn_is_a_property(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    turns = "[{hears: ברוכים}, {says: ביי, hears: {ends: maybe}}, {says: עוד}]"
    write("early.call.yaml", f"scenarios: [{{name: א, turns: {turns}}}]\n")
    result = run("--yemot-app=shop:app", "--yemot-scenario=early.call.yaml", "--junitxml=out.xml", "-v")
    assert "  the agent ended the call in turn 2; 1 turn was not played" in result.outlines
    assert "1 call · 0 agent turns · 1 turn not played" in result.stdout.str()
    ending = "the agent ended the call in turn 2; 1 turn was not played"
    assert properties(project)["א"]["yemot_ending"] == ending


def test_the_kind_of_a_failure_is_a_property(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("bad.call.yaml", "scenarios: [{name: א, turns: [{hears: ביי}]}]\n")
    run("--yemot-app=shop:app", "--yemot-scenario=bad.call.yaml", "--junitxml=out.xml")
    assert properties(project)["א"]["yemot_failure"] == "heard"


def places(project: pytest.Pytester) -> dict[str, tuple[str | None, str | None]]:
    """Return file and line of each case in the report."""
    cases = ET.parse(project.path / "out.xml").getroot().iter("testcase")  # noqa: S314 - our own file
    return {case.attrib["name"]: (case.get("file"), case.get("line")) for case in cases}


@pytest.mark.parametrize("family", ["xunit1", "xunit2"])
def test_a_case_names_the_file_and_the_line_of_its_failure(
    project: pytest.Pytester, run: Run, write: Write, family: str
) -> None:
    write(
        "calls/bad.call.yaml",
        "scenarios:\n  - name: א\n    turns:\n      - hears: ברוכים\n      - {says: ב, hears: ג}\n",
    )
    write("calls/broken.call.yaml", "scenarios:\n  - name: א\n    turns: [{sais: ב}]\n")
    options = ("--junitxml=out.xml", "-o", f"junit_family={family}", "--continue-on-collection-errors")
    run("--yemot-app=shop:app", "--yemot-scenario", *options)
    assert places(project) == {
        "הזמנת פיצה": ("shop.call.yaml", "3"),
        "א": ("calls/bad.call.yaml", "5"),
        "calls.broken.call.yaml": ("calls/broken.call.yaml", "3"),
    }


def test_the_report_of_python_tests_stays_as_pytest_writes_it(project: pytest.Pytester, run: Run) -> None:
    run("--yemot-app=shop:app", "--yemot-also", "--junitxml=out.xml", "-o", "junit_family=xunit1")
    assert places(project)["test_ordinary"] == ("test_ordinary.py", "0")
    assert "הזמנת פיצה" in project.path.joinpath("out.xml").read_text(encoding="utf-8")


def test_the_message_of_a_failure_is_its_place_and_what_differs(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("bad.call.yaml", "scenarios: [{name: א, turns: [{hears: ביי}]}]\n")
    run("--yemot-app=shop:app", "--yemot-scenario=bad.call.yaml", "--junitxml=out.xml")
    (failure,) = ET.parse(project.path / "out.xml").getroot().iter("failure")  # noqa: S314 - our own file
    assert failure.attrib["message"] == "bad.call.yaml:1:31: heard · turn 1 of 1\ndid not hear 'ביי'"
