"""The command on small projects; each run with a fault is a separate pytest process."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from yemot_ai_testing.cli.main import main
from yemot_ai_testing.mutation.catalog import MUTATIONS

SHOP = """
def app(pairs):
    values = dict(pairs)
    if "hangup" in values:
        return "noop=bye"
    if "wish" in values:
        return "id_list_message=t-תודה&go_to_folder=hangup"
    return "read=t-ברוכים הבאים=wish,no,voice"
"""
TEST = """
from shop import app
from yemot_ai_testing import Caller

def test_the_shop_says_thanks():
    with Caller(app) as caller:
        caller.dial()
        assert "תודה" in caller.says("עוגת גבינה")
"""
AGENT = """
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import ScriptedProvider

def line():
    flow = AIFlow(YemotAI(provider=ScriptedProvider()))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    return flow
"""
AGENT_TESTS = """
from line import line
from yemot_ai import YemotAI
from yemot_ai.providers.codex import CodexCLIProvider
from yemot_ai_testing import Caller

def test_the_provider_can_be_looked_at():
    assert isinstance(YemotAI("codex").provider, CodexCLIProvider)

def test_the_second_question_is_answered():
    flow = line()
    flow.ai.provider.answers("שמונה").answers("תשע")
    with Caller(flow) as caller:
        caller.dial()
        caller.says("מתי פותחים")
        assert caller.says("ומחר") == "תשע"
    assert flow.ai.open_calls() == 0
    assert flow.ai.provider.requests[1].session is not None

def test_a_request_without_a_line():
    assert "שלום" in line().handle_request({"ApiCallId": "c1", "ApiExtension": ""})
"""
CALLS = """
scenarios:
  - name: תודה
    app: shop:app
    turns:
      - hears: ברוכים הבאים
      - says: עוגה
        hears: {contains: תודה, ends: true}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, **{"shop.py": SHOP, "test_shop.py": TEST})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def states(output: str) -> dict[str, str]:
    return {entry["id"]: entry["state"] for entry in json.loads(output)["mutations"]}


def test_all_faults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutate", "--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(MUTATIONS)


@pytest.mark.parametrize(
    ("arguments", "way_out"),
    [
        ([], "name the application that the tests call, such as shop:flow"),
        (["shop"], "shop is no module:flow"),
        (["shop:app", "--only", "hangup-ignore"], "did you mean hangup-ignored"),
        (["shop:app", "tests/nowhere"], "there is no tests/nowhere"),
        (["shop:app", "--into", "shop.py"], "shop.py is no folder"),
        (["http://127.0.0.1:8000/"], "is a URL: name an application in this process"),
    ],
)
def test_wrong_use_is_explained(
    arguments: list[str], way_out: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mutate", *arguments]) == 2
    assert way_out in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["-j", "0"], ["-j", "x"], ["--at-least", "2"], ["--at-least", "x"]])
def test_an_impossible_number_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["mutate", "shop:app", *arguments])
    assert "usage:" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "files", "reason"),
    [
        ("shop:nothing", {}, "has no 'nothing'"),
        ("nowhere:app", {}, "nowhere"),
        ("shop:number", {"shop.py": "number = 5\n" + SHOP}, "5 is no application"),
        (
            "shop:app",
            {"test_shop.py": "def test_it(): assert 1 == 2"},
            "test_shop.py::test_it fails without a",
        ),
        ("shop:app", {"test_shop.py": "import nowhere"}, "test_shop.py fails without a fault"),
        ("shop:app", {"test_shop.py": "def test_it(): pass"}, "no test and no scenario calls an application"),
        ("shop:app", {"test_shop.py": ""}, "no test and no scenario calls an application"),
    ],
)
def test_tests_that_cannot_notice_a_fault_are_refused(
    target: str, files: dict[str, str], reason: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, **files)

    assert main(["mutate", target]) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.slow
def test_a_missed_fault_gets_a_scenario_that_notices_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*.py")}
    faults = ["--only", "withheld-number-refused", "greets-twice", "--json"]

    assert main(["mutate", "shop:app", *faults, "--into", "calls", "--at-least", "0.8"]) == 1
    assert states(capsys.readouterr().out) == {
        "withheld-number-refused": "not reached",
        "greets-twice": "missed",
    }
    assert main(["mutate", "shop:app", "calls/greets-twice.call.yaml", *faults, "--at-least", "1"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["mutations"][1]["noticed_by"].startswith("calls/greets-twice.call.yaml::")
    assert {path: path.read_bytes() for path in project.rglob("*.py")} == before
    assert {path.name for path in project.iterdir()} == {"shop.py", "test_shop.py", "calls"}


@pytest.mark.slow
def test_faults_are_noticed_by_scenarios_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, **{"test_shop.py": "", "pytest.toml": "[pytest]\nyemot_scenarios = ['shop.call.yaml']\n"})
    write(project, **{"shop.call.yaml": CALLS})

    assert main(["mutate", "shop:app", "--only", "ampersand-unescaped"]) == 0
    assert "caught        shop.call.yaml::תודה" in capsys.readouterr().out


@pytest.mark.slow
def test_faults_of_providers_and_stores_are_planted_in_plain_tests(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, **{"line.py": AGENT, "test_shop.py": AGENT_TESTS})
    faults = ["conversation-forgotten", "asked-twice", "end-not-stored", "state-not-stored", "spoken-twice"]

    assert main(["mutate", "line:line", "--json", "--only", *faults]) == 0
    assert states(capsys.readouterr().out) == {
        "conversation-forgotten": "caught",
        "asked-twice": "caught",
        "end-not-stored": "caught",
        "state-not-stored": "not reached",
        "spoken-twice": "caught",
    }


@pytest.mark.slow
def test_a_test_that_never_ends_counts_as_caught_and_leaves_no_process(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = TEST.replace('assert "תודה" in caller', "while caller.raw.count('תודה') != 1: pass #")
    write(project, **{"test_shop.py": hangs.replace("caller.dial()", "caller.dial(); caller.says('עוגה')")})
    monkeypatch.setattr("yemot_ai_testing.mutation.project_tests.GRACE", 1.0)

    assert main(["mutate", "shop:app", "--only", "spoken-twice", "--json"]) == 0
    assert "timed out" in json.loads(capsys.readouterr().out)["mutations"][0]["noticed_by"]
    assert psutil.Process().children(recursive=True) == []
