"""Recording turns from a script file, scripted and live, and replaying them."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.asking import ask_provider
from tests.support.codex import EXEC, Shell, exec_provider, run_async
from yemot_ai.errors import RateLimitedError
from yemot_ai_testing.cli.main import main
from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.home import version_of
from yemot_ai_testing.codex.recorder.cases import CASES
from yemot_ai_testing.codex.recorder.own_turns import record_live, record_script
from yemot_ai_testing.codex.recorder.script_file import ScriptFileError, read_script
from yemot_ai_testing.codex.recorder.session import recording_session
from yemot_ai_testing.codex.redact import UnpublishableError
from yemot_ai_testing.executable import write_executable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCRIPT = """
cases:
  greeting:
    - prompt: מי שם?
      answers: כאן המאפייה
  busy-day:
    - {prompt: שלום, answers: [ש, לום]}
    - {prompt: "ועוד?", fails: rate_limited}
  hangs:
    - {prompt: שלום, hangs: true}
  cut:
    - {prompt: שלום, drops: ש, options: [--model, gpt-5-codex]}
"""
LIVE = '{"cases": {"mine": [{"prompt": "מי שם?"}, {"prompt": "ועוד?"}]}}'


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "turns.yaml"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


@pytest.fixture
def live(tmp_path: Path) -> Path:
    path = tmp_path / "turns.json"
    path.write_text(LIVE, encoding="utf-8")
    return path


@pytest.fixture
def users_codex() -> Iterator[FakeCodex]:
    """The user's own Codex, with a login, in the user's home."""
    with FakeCodex("0.163.0") as codex:
        yield codex


@pytest.fixture
def recorded(real_binary: Path, script: Path, tmp_path: Path) -> Path:
    record_script(real_binary, script, tmp_path / "recorded")
    return tmp_path / "recorded"


@pytest.mark.slow
def test_a_script_is_recorded_with_the_real_binary(recorded: Path) -> None:
    by_case = recordings.load_folder(recorded)
    assert set(by_case) == {"greeting", "busy-day_1", "busy-day_2", "hangs", "cut"}
    assert {case: recording.exit_code for case, recording in by_case.items()} == {
        "greeting": 0,
        "busy-day_1": 0,
        "busy-day_2": 1,
        "hangs": -15,
        "cut": 1,
    }
    assert "כאן המאפייה" in by_case["greeting"].stdout[-2].text
    assert by_case["busy-day_2"].argv[-3:] == ("resume", "{thread_id}", "-")
    assert by_case["busy-day_2"].fate == "rate_limited"
    prompt = "מי שם?".encode()
    assert by_case["greeting"].stdin == {"sha256": hashlib.sha256(prompt).hexdigest(), "bytes": 10}


@pytest.mark.slow
def test_a_recording_can_be_replayed(recorded: Path) -> None:
    with FakeCodex(recordings=recorded) as fake:
        fake.replays("greeting").replays("busy-day_2").answers("ותודה")
        first = run_async(ask_provider(exec_provider(), "מי שם?"))
        assert first.text == "כאן המאפייה"
        with pytest.raises(RateLimitedError):
            run_async(ask_provider(exec_provider(), "ועוד?", session=first.session))
        assert run_async(ask_provider(exec_provider(), "אז מה?", session=first.session)).text == "ותודה"
        fake.assert_complete()


def test_a_fake_with_recordings_has_their_version(users_codex: FakeCodex, tmp_path: Path, live: Path) -> None:
    users_codex.answers("א").answers("ב")
    record_live(users_codex.executable, live, tmp_path / "recorded")
    with FakeCodex(recordings=tmp_path / "recorded") as fake:
        assert version_of(fake.executable) == "0.163.0"


@pytest.mark.slow
def test_the_error_for_an_unknown_recording_lists_the_existing_ones(recorded: Path) -> None:
    with FakeCodex(recordings=recorded) as fake, pytest.raises(KeyError, match="greeting"):
        fake.replays("greetings")


def test_a_live_recording_has_the_output_of_the_users_codex(
    users_codex: FakeCodex, live: Path, tmp_path: Path
) -> None:
    users_codex.answers("אני").answers("ועוד אני")
    paths = record_live(users_codex.executable, live, tmp_path / "out")
    assert [path.name for path in paths] == ["mine_1.json", "mine_2.json"]
    assert [run.prompt for run in users_codex.requests] == ["מי שם?", "ועוד?"]
    assert users_codex.requests[1].session == users_codex.requests[0].thread_id
    users_codex.assert_complete()
    second = recordings.read_file(paths[1])
    assert second.version == "0.163.0"
    assert "ועוד אני" in second.stdout[-2].text
    assert second.private_data() == []


def test_the_users_codex_keeps_its_own_model(users_codex: FakeCodex, live: Path, tmp_path: Path) -> None:
    users_codex.answers("אני").answers("ועוד אני")
    record_live(users_codex.executable, live, tmp_path / "out")
    assert "-c" not in users_codex.requests[0].argv
    assert "HOME" in users_codex.requests[0].env_names
    assert "HTTPS_PROXY" not in users_codex.requests[0].env_names


def test_private_values_of_the_user_are_replaced(
    users_codex: FakeCodex, live: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_API_KEY", "open-sesame-42")
    monkeypatch.setenv("HOME", "/home/dana")
    users_codex.answers("המפתח open-sesame-42 ב-/home/dana/shop").answers("ב")
    first = record_live(users_codex.executable, live, tmp_path / "out")[0]
    assert "המפתח {secret} ב-{home}/shop" in recordings.read_file(first).stdout[-2].text


@pytest.mark.parametrize("answer", ["sk" + "-abcdef123456", "dana@example.org", "/srv/shop/prices"])
def test_nothing_is_written_while_private_data_is_left(
    users_codex: FakeCodex, live: Path, tmp_path: Path, answer: str
) -> None:
    users_codex.answers("א").answers(answer)
    with pytest.raises(UnpublishableError, match=r"mine_2 of Codex 0\.163\.0 contains"):
        record_live(users_codex.executable, live, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_recording_without_a_turn_can_be_replayed(tmp_path: Path) -> None:
    # With an expired login, the process ends before a turn starts.
    logged_out = recordings.Recording(
        case="logged-out",
        version="0.169.0",
        argv=(*EXEC, "-"),
        stdin={},
        stdout=(),
        stderr=("Error: Not logged in",),
        exit_code=1,
    )
    logged_out.write(tmp_path / "logged-out.json")
    with FakeCodex(recordings=tmp_path).replays("logged-out") as fake:
        run = Shell(fake, tmp_path).run(*EXEC, "-", stdin="שלום")
    assert (run.exit_code, run.stdout, run.stderr) == (1, "", "Error: Not logged in\n")


@pytest.mark.slow
def test_the_command_records_a_script(
    real_binary: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "turns.json").write_text(
        json.dumps({"cases": {"one": [{"prompt": "שלום", "answers": "לך"}]}}), encoding="utf-8"
    )
    assert main(["record", "--codex", str(real_binary), "--script", "turns.json"]) == 0
    version = version_of(real_binary)
    assert capsys.readouterr().out == f"codex-recordings/{version}/one.json\n"
    assert recordings.read_file(tmp_path / "codex-recordings" / version / "one.json").case == "one"


def test_the_command_records_live(
    users_codex: FakeCodex, live: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    users_codex.answers("א").answers("ב")
    argv = ["record", "--live", "--codex", str(users_codex.executable), "--script", str(live)]
    assert main([*argv, "--out", str(tmp_path / "out")]) == 0
    assert len(capsys.readouterr().out.split()) == 2


def test_live_without_a_script_is_refused_before_codex_is_started(
    users_codex: FakeCodex, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["record", "--live", "--codex", str(users_codex.executable)]) == 2
    assert "--script FILE" in capsys.readouterr().err
    assert users_codex.requests == []


def test_a_program_that_is_not_codex_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "codex"
    write_executable(program, "#!/bin/sh\nexit 3\n")
    assert main(["record", "--codex", str(program), "--out", str(tmp_path / "out")]) == 2
    assert "does not report its version" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "one key `cases`"),
        ("{", "turns.yaml"),
        ("cases: {}", "one key `cases`"),
        ("cases: {a: []}", "a: a list of turns"),
        ("cases: {a: [hello]}", "a, turn 1: a turn has a `prompt`"),
        ("cases: {a: [{answers: b}]}", "a, turn 1: `prompt` is a text"),
        ("cases: {a: [{prompt: b, anwers: c}]}", "unknown 'anwers'; allowed: prompt, options, answers"),
        ("cases: {a: [{prompt: b, answers: c, fails: rate_limited}]}", "only one of answers, fails"),
        (
            "cases: {a: [{prompt: b, fails: sadly}]}",
            "`fails`: no failure 'sadly': a model fails with one of rate_limited",
        ),
        (
            "cases: {a: [{prompt: b, answers: {c: d}}]}",
            '`answers`: a model writes a text such as "hello", or a list',
        ),
        ("cases: {a: [{prompt: b, hangs: maybe}]}", "`hangs`: its value is true, not 'maybe'"),
        ("cases: {a: [{prompt: b, options: --c}]}", "`options` is a list"),
        ("cases: {answer: [{prompt: b}]}", "'answer' is a case of the toolkit"),
        ("cases: {../a: [{prompt: b}]}", "becomes the name of a file"),
    ],
)
def test_the_error_names_the_place_of_a_mistake_in_a_script(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "turns.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScriptFileError) as caught:
        read_script(path)
    assert problem in str(caught.value)


def test_the_error_lists_all_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "turns.yaml"
    path.write_text("cases: {a: [{prompt: ''}, {prompt: b, fails: c}]}", encoding="utf-8")
    with pytest.raises(ScriptFileError) as caught:
        read_script(path)
    assert len(str(caught.value).split("\n")) == 2


def test_a_live_turn_cannot_script_the_model(script: Path) -> None:
    with pytest.raises(ScriptFileError, match="unknown 'answers'; allowed of a live one: prompt, options"):
        read_script(script, live=True)


CALLS_MODEL_FIRST = """\
import json, re, sys, threading, time, urllib.request
address = re.search(r'base_url="?(http[^" ]+?)"?(?= |$)', " ".join(sys.argv))[1]
request = urllib.request.Request(address + "/responses", json.dumps({"model": "m", "input": []}).encode())
request.add_header("content-type", "application/json")
threading.Thread(target=urllib.request.urlopen, args=(request,), daemon=True).start()
time.sleep(0.5)
print('{"type":"turn.started"}', flush=True)
time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("case", ["terminated", "interrupted"])
def test_a_run_is_interrupted_after_the_event_of_its_turn(tmp_path: Path, case: str) -> None:
    slow = tmp_path / "codex"
    write_executable(slow, f"#!{sys.executable}\n{CALLS_MODEL_FIRST}")
    with recording_session(slow) as session:
        run = CASES[case](session)
    assert [line.text for line in run.stdout_lines] == ['{"type":"turn.started"}']
