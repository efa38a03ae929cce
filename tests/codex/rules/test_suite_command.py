"""The suite on the command line and in a test, with foreign executables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from yemot_ai_testing import contract
from yemot_ai_testing.cli.main import main
from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.real import RealCodex
from yemot_ai_testing.contract import ContractBreachError
from yemot_ai_testing.executable import write_executable

if TYPE_CHECKING:
    from pathlib import Path

BAD_FAKE = """\
#!/bin/sh
# Always writes the same answer.
echo '{"type":"thread.started","thread_id":"01a2021e-e1f2-71a2-898b-4fcd956cbb54"}'
echo '{"type":"turn.started"}'
echo '{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"hello"}}'
echo '{"type":"turn.completed","usage":{"input_tokens":1,"cached_input_tokens":0,"output_tokens":1}}'
"""


def executable(path: Path, text: str) -> Path:
    write_executable(path, text)
    return path


@pytest.fixture
def bad_fake(tmp_path: Path) -> Path:
    return executable(tmp_path / "codex", BAD_FAKE)


def test_a_table_shows_the_broken_rules_and_the_exit_code_is_1(
    bad_fake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = ["events-order", "argv-unknown-option", "failure-rate-limited"]
    assert main(["contract", "--codex", "fake", str(bad_fake), "--rule", *cases]) == 1
    table = capsys.readouterr().out
    signs = {words[3]: words[1:3] for line in table.splitlines() if len(words := line.split()) > 3}
    assert [signs[case] for case in cases] == [["✓", "✓"], ["✓", "✗"], ["✓", "–"]]
    assert f"{bad_fake}: 1 held, 1 breached, 1 not applicable" in table
    assert "expected  exit code: 2\n      actual    0" in table
    assert "the executable calls no model" in table


def test_where_every_rule_is_held_the_exit_code_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "--codex", "fake", "--rule", "argv-dash"]) == 0
    assert "fake: 1 held, 0 breached, 0 not applicable" in capsys.readouterr().out


def test_the_face_chooses_the_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "--interface", "app-server", "--codex", "fake@0.142.0"]) == 0
    table = capsys.readouterr().out
    assert "  1  –  server-handshake-first  " in table
    assert "argv-dash" not in table
    assert (
        f" rules: the fake has recordings of a server for {', '.join(recordings.server_versions())} only"
        in table
    )


def test_an_executable_that_is_no_server_breaks_the_rules_of_servers(
    bad_fake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = ["server-handshake-first", "server-turn-order", "server-stdin-closed"]
    assert main(["contract", "--codex", str(bad_fake), "--rule", *cases]) == 1
    assert f"{bad_fake}: 0 held, 3 breached, 0 not applicable" in capsys.readouterr().out


def test_a_wrapper_around_the_real_server_keeps_the_rules(real_binary: Path, tmp_path: Path) -> None:
    wrapper = executable(tmp_path / "codex", f'#!/bin/sh\nexec "{real_binary}" "$@"\n')
    with contract.codex(wrapper, interface="app-server") as suite:
        suite.check("server-turn-order", "server-request-declined", "server-stdin-closed")


def test_an_executable_that_writes_no_messages_breaks_the_rules_of_servers(tmp_path: Path) -> None:
    chatty = executable(
        tmp_path / "codex", '#!/bin/sh\n[ "$1" = --version ] && exit 1\necho hello; exec cat\n'
    )
    with (
        contract.codex(chatty, interface="app-server") as suite,
        pytest.raises(ContractBreachError, match="breaks 1 rules of codex app-server"),
    ):
        suite.check("server-handshake-result")


def test_json_has_every_verdict_with_its_rule(bad_fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "--json", "--codex", str(bad_fake), "--rule", "argv-unknown-option"]) == 1
    (suite,) = json.loads(capsys.readouterr().out)
    (verdict,) = suite["rules"]
    assert (suite["executable"], suite["version"]) == (str(bad_fake), "")
    assert verdict["id"] == "argv-unknown-option"
    assert verdict["title"] == "An unknown option exits 2 and is named"
    assert (verdict["source"], verdict["versions"]) == ("measured, 0.169.0", "for every version")
    assert (verdict["outcome"], verdict["expected"], verdict["actual"]) == ("breached", "exit code: 2", "0")


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("nowhere/codex", "no executable nowhere/codex"),
        ("real@9.9.9", "no executable"),
        ("9.9.9", "write fake@9.9.9"),
        ("fake@9.9.9", "9.9.9"),
    ],
)
def test_an_unusable_spec_is_named_and_the_exit_code_is_2(
    spec: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["contract", "--codex", "fake", spec]) == 2
    captured = capsys.readouterr()
    assert problem in captured.err
    assert captured.out == ""


def test_a_file_that_cannot_be_run_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nonsense = executable(tmp_path / "codex", "\0\1\2")
    assert main(["contract", "--codex", str(nonsense)]) == 2
    assert f"{nonsense} cannot be run" in capsys.readouterr().err


def test_an_unknown_case_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "--codex", "fake", "--rule", "frob"]) == 2
    assert "no rule 'frob'" in capsys.readouterr().err


def test_the_launcher_of_a_real_codex_double_is_refused(
    real_binary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RealCodex(real_binary) as real:
        assert main(["contract", "--codex", str(real.executable)]) == 2
    assert "is the launcher of a real Codex" in capsys.readouterr().err


def test_a_wrapper_around_the_real_codex_keeps_the_rules(real_binary: Path, tmp_path: Path) -> None:
    wrapper = executable(tmp_path / "codex", f'#!/bin/sh\nexec "{real_binary}" "$@"\n')
    with contract.codex(wrapper) as suite:
        suite.check(
            "argv-dash", "argv-greedy-image", "thread-same-id", "signal-term-asking", "failure-overloaded"
        )


def test_a_wrapper_that_hides_the_exit_code_is_caught(real_binary: Path, tmp_path: Path) -> None:
    wrapper = executable(tmp_path / "codex", f'#!/bin/sh\n"{real_binary}" "$@" || true\n')
    with contract.codex(wrapper) as suite:
        assert suite.run("failure-rate-limited").outcome == "breached"


def test_in_a_test_every_breach_is_listed(bad_fake: Path) -> None:
    with (
        contract.codex(bad_fake) as suite,
        pytest.raises(ContractBreachError, match="breaks 2 rules of codex exec") as caught,
    ):
        suite.check("argv-unknown-option", "thread-unknown")
    assert [verdict.rule.id for verdict in caught.value.breaches] == ["argv-unknown-option", "thread-unknown"]
    assert "An unknown id is refused without an event" in str(caught.value)


def test_an_executable_that_never_ends_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yemot_ai_testing.codex.rules.bench.TIMEOUT", 0.5)
    endless = executable(
        tmp_path / "codex", '#!/bin/sh\n[ "$1" = --version ] && exit 1\nexec tail -f /dev/null\n'
    )
    with contract.codex(endless) as suite:
        verdict = suite.run("argv-dash")
    assert (verdict.outcome, verdict.actual) == ("breached", "it still runs")
