"""``yemot-ai doctor``: the flow and its extensions."""

from __future__ import annotations

import json

import pytest

from tests.doctor.conftest import FLOW, WriteModule
from yemot_ai.cli.main import main
from yemot_ai.doctor import Finding, examine


def findings(module: str) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in examine(f"{module}:flow"):
        found.setdefault(finding.check, []).append(finding)
    return found


def test_the_extensions_and_who_answers_each_are_listed(write_module: WriteModule) -> None:
    module = write_module(
        f"""{FLOW}
@flow.get("")
def menu(call): ...

@flow.ai_agent("/2", greeting="במה אפשר לעזור?")
def agent(call, text): ...
"""
    )
    found = findings(module)
    (root,), (agent,) = found["/"], found["/2"]
    assert (root.level, root.message) == ("ok", f"handler menu, {module}.py:6")
    assert (agent.level, agent.message) == ("ok", f"agent agent (scripted), {module}.py:9")
    assert [finding.level for finding in found["flow"]] == ["ok"]


@pytest.mark.parametrize(
    ("target", "remedy"),
    [
        ("no_such_module:flow", "run the command in the folder of the module"),
        ("yemot_ai.reference:flwo", "name the AIFlow of the module: module:attribute"),
        ("line.py", "name the AIFlow of the module: module:attribute"),
        (":flow", "name the AIFlow of the module: module:attribute"),
    ],
)
def test_a_wrong_target_has_its_own_remedy(target: str, remedy: str) -> None:
    (finding,) = [finding for finding in examine(target) if finding.check == "flow"]
    assert (finding.level, finding.remedy) == ("error", remedy)


@pytest.mark.parametrize(
    ("source", "place", "reason"),
    [
        ("\n\n1 / 0\n", ":3: ", "ZeroDivisionError: division by zero"),
        ("x = 1\nif x:\nprint(x)\n", ":3: ", "IndentationError"),
        ("import sys\nsys.exit('no key')\n", ":2: ", "SystemExit: no key"),
        ("import no_such_library\n", ":1: ", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("from yemot_ai import YemotAI\nYemotAI('opanai')\n", ":2: ", "unknown mode 'opanai'"),
        (f"{FLOW}flow.ai_agent('', greeting='')\n", ":5: ", "greeting"),
    ],
    ids=["error", "syntax", "exit", "import", "mode", "greeting"],
)
def test_a_module_that_cannot_be_imported_is_an_error_with_its_place(
    write_module: WriteModule, source: str, place: str, reason: str
) -> None:
    module = write_module(source)
    (finding,) = findings(module)["flow"]
    assert finding.level == "error"
    assert f"{module}.py{place}" in finding.message
    assert reason in finding.message
    assert finding.message.count(f"{module}.py{place}") == 1


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("no_such_module", "no module"),
        ("examined_line_0:other", "has no 'other'"),
        ("examined_line_0:number", "is no AIFlow, but of type int"),
        ("a b", "not an application"),
    ],
)
def test_a_name_that_is_no_flow_is_an_error_with_the_way_out(
    write_module: WriteModule, target: str, reason: str
) -> None:
    write_module("number = 1\n")
    (finding,) = [each for each in examine(target) if each.check == "flow"]
    assert finding.level == "error"
    assert reason in finding.message
    assert finding.remedy


def test_a_flow_without_extensions_is_an_error(write_module: WriteModule) -> None:
    levels = [finding.level for finding in findings(write_module(FLOW))["extensions"]]
    assert levels == ["error"]


def test_a_flow_without_a_root_is_a_warning(write_module: WriteModule) -> None:
    found = findings(write_module(f"{FLOW}flow.add_route('5', lambda call: None)\n"))
    assert [finding.level for finding in found["extensions"]] == ["warning"]


@pytest.mark.parametrize(("policy", "level"), [("", "warning"), ("secret='only-the-line'", "ok")])
def test_a_flow_that_strangers_can_call_is_a_warning(
    write_module: WriteModule, policy: str, level: str
) -> None:
    found = findings(write_module(f"{FLOW}flow.access = AccessPolicy({policy})\n"))
    assert [finding.level for finding in found["secret"]] == [level]


def test_what_the_module_prints_does_not_spoil_the_json(
    write_module: WriteModule, capsys: pytest.CaptureFixture[str]
) -> None:
    module = write_module(f"print('loading')\n{FLOW}flow.add_route('', lambda call: None)\n")
    assert main(["doctor", module, "--json"]) == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert report["ok"] is True
    assert {"check", "level", "message", "remedy"} == set(report["checks"][0])
    assert "loading" in captured.err


def test_the_exit_code_says_whether_there_is_an_error(
    write_module: WriteModule, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", write_module(FLOW)]) == 1
    assert main(["doctor", write_module(f"{FLOW}flow.add_route('', lambda call: None)\n")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 errors, 1 warning"


def test_what_is_logged_while_the_flow_is_examined_is_a_warning(write_module: WriteModule) -> None:
    module = write_module(
        f"{FLOW}flow.add_route('', lambda call: None)\n"
        "import logging\nlogging.getLogger('yemot_ai').warning('calls of %s', '050-1234567')\n"
    )
    (logged,) = findings(module)["log"]
    assert logged.level == "warning"
    assert "1234567" not in logged.message
