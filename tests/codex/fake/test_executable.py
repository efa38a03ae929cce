"""The executable: the fake does what the real one does."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.codex import EXEC, Codex, RawRun, Shell
from yemot_ai.errors import SessionLostError
from yemot_ai.providers.codex.events import EventReader
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.real import RealCodex

if TYPE_CHECKING:
    from pathlib import Path

UNKNOWN = "01a2021e-e1f2-71a2-898b-4fcd956cbb54"


def reader_of(run: RawRun) -> EventReader:
    reader = EventReader()
    for line in run.stdout.encode().split(b"\n"):
        reader.feed(line)
    return reader


@pytest.mark.slow
def test_outside_of_a_repository_it_refuses_without_skip_git_repo_check(codex: Codex, shell: Shell) -> None:
    codex.answers("א")
    refused = shell.run("exec", "--json", "-", stdin="שלום")
    assert (refused.exit_code, refused.events) == (1, [])
    assert "--skip-git-repo-check was not specified" in refused.stderr
    assert shell.run("exec", "--json", "--skip-git-repo-check", "-", stdin="שלום").exit_code == 0


@pytest.mark.slow
def test_in_a_repository_it_does_not_refuse(codex: Codex, shell: Shell) -> None:
    codex.answers("א")
    subprocess.run(["git", "init", "-q", shell.folder / "work"], check=True)
    assert shell.run("exec", "--json", "-", stdin="שלום").exit_code == 0


@pytest.mark.slow
def test_with_a_prompt_on_the_command_line_it_still_waits_for_standard_input(
    codex: Codex, shell: Shell
) -> None:
    codex.answers("א")
    with shell.start(*EXEC, "שלום") as process:
        with pytest.raises(TimeoutError):
            codex.wait_for_requests(1, timeout=0.7)
        assert process.poll() is None
        process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.mark.slow
def test_standard_input_is_appended_to_a_prompt(codex: Codex, shell: Shell) -> None:
    codex.answers("א")
    run = shell.run(*EXEC, "סכם", stdin="טקסט ארוך")
    assert "Reading additional input from stdin..." in run.stderr
    assert run.exit_code == 0
    assert codex.requests[0].prompt == "סכם\n\n<stdin>\nטקסט ארוך\n</stdin>"


@pytest.mark.slow
def test_without_any_prompt_it_reads_one(codex: Codex, shell: Shell) -> None:
    codex.answers("א")
    assert "Reading prompt from stdin..." in shell.run(*EXEC, stdin="שלום").stderr
    assert codex.requests[0].prompt == "שלום"


def test_words_on_the_command_line_are_commands(codex: Codex, shell: Shell) -> None:
    assert shell.run(*EXEC, "review").exit_code == 1
    assert shell.run(*EXEC, "--last").exit_code == 2
    with pytest.raises(TimeoutError):
        codex.wait_for_requests(1, timeout=0.01)


@pytest.mark.slow
def test_an_image_before_resume_takes_it_and_a_new_thread_starts(codex: Codex, shell: Shell) -> None:
    codex.answers("א").answers("ב").answers("ג")
    first = shell.run(*EXEC, "-", stdin="שלום").thread_id
    (shell.folder / "work" / "a.png").write_bytes(b"")
    second = shell.run(*EXEC, "-i", "a.png", "resume", first, stdin="שוב")
    assert second.exit_code == 0
    assert second.thread_id != first
    assert shell.run(*EXEC, "resume", "-i", "a.png", first, "-", stdin="שוב").thread_id == first


@pytest.mark.slow
def test_a_resumed_turn_has_the_same_thread_and_adds_to_its_usage(codex: Codex, shell: Shell) -> None:
    codex.answers("א").answers("ב")
    first = shell.run(*EXEC, "-", stdin="שלום")
    second = shell.run(*EXEC, "resume", first.thread_id, "-", stdin="שוב")
    assert second.thread_id == first.thread_id
    assert [run.events[-1]["usage"]["input_tokens"] for run in (first, second)] == [100, 200]


@pytest.mark.slow
def test_the_last_thread_can_be_resumed_without_its_id(codex: Codex, shell: Shell) -> None:
    codex.answers("א").answers("ב")
    first = shell.run(*EXEC, "-", stdin="שלום")
    assert shell.run(*EXEC, "resume", "--last", "-", stdin="שוב").thread_id == first.thread_id


@pytest.mark.slow
def test_with_a_name_that_is_not_a_uuid_a_new_thread_starts_silently(codex: Codex, shell: Shell) -> None:
    codex.answers("א")
    run = shell.run(*EXEC, "resume", "not-a-uuid", "-", stdin="שלום")
    assert run.exit_code == 0
    with pytest.raises(SessionLostError, match="dropped"):
        reader_of(run).finish(exit_code=0, expected=UNKNOWN)


def test_an_unknown_thread_is_refused_without_an_event(codex: Codex, shell: Shell) -> None:
    run = shell.run(*EXEC, "resume", UNKNOWN, "-", stdin="שלום")
    assert (run.exit_code, run.events) == (1, [])
    assert f"no rollout found for thread id {UNKNOWN}" in run.stderr


@pytest.mark.slow
def test_a_second_writer_is_refused(codex: Codex, shell: Shell) -> None:
    codex.answers("א").hangs()
    thread = shell.run(*EXEC, "-", stdin="שלום").thread_id
    with shell.start(*EXEC, "resume", thread, "-") as writer:
        assert writer.stdin is not None
        writer.stdin.write(b"first")
        writer.stdin.close()
        codex.wait_for_requests(2)
        second = shell.run(*EXEC, "resume", thread, "-", stdin="second")
        writer.kill()
    assert (second.exit_code, second.events) == (1, [])
    assert "already has an active writer" in second.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -15), (signal.SIGINT, 1)])
def test_a_signal_ends_a_turn_and_the_thread_can_be_resumed(
    codex: Codex, shell: Shell, number: signal.Signals, code: int
) -> None:
    codex.answers("א").hangs().answers("ג")
    thread = shell.run(*EXEC, "-", stdin="שלום").thread_id
    with shell.start(*EXEC, "resume", thread, "-") as process:
        assert process.stdin is not None
        process.stdin.write(b"more")
        process.stdin.close()
        codex.wait_for_requests(2)
        process.send_signal(number)
        assert process.wait(5) == code
    assert shell.run(*EXEC, "resume", thread, "-", stdin="שוב").thread_id == thread


@pytest.mark.slow
def test_it_panics_when_its_standard_output_is_closed(codex: Codex, shell: Shell) -> None:
    codex.answers("א")
    with shell.start(*EXEC, "-") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        process.stdin.write(b"hello")
        process.stdin.close()
        assert process.wait(10) == 101


@pytest.mark.slow
def test_a_turn_can_succeed_with_output_on_standard_error(codex: Codex, shell: Shell) -> None:
    codex.answers("א")
    run = shell.run(*EXEC, stdin="שלום")
    assert run.stderr.strip()
    assert reader_of(run).finish(exit_code=run.exit_code, stderr_tail=run.stderr).text == "א"


@pytest.mark.slow
def test_an_ephemeral_turn_leaves_no_rollout(codex: Codex, shell: Shell) -> None:
    codex.answers("א")
    assert shell.run(*EXEC, "--ephemeral", "-", stdin="שלום").exit_code == 0
    assert not list(shell.home.glob("sessions/*/*/*/*.jsonl"))


@pytest.mark.slow
def test_without_json_it_prints_the_answer(codex: Codex, shell: Shell) -> None:
    codex.answers("תשובה")
    assert shell.run("exec", "--skip-git-repo-check", "-", stdin="שלום").stdout == "תשובה\n"


@pytest.mark.slow
def test_the_last_message_can_be_written_to_a_file(codex: Codex, shell: Shell) -> None:
    codex.answers("תשובה")
    shell.run(*EXEC, "-o", "said.txt", "-", stdin="שלום")
    assert (shell.folder / "work" / "said.txt").read_text(encoding="utf-8") == "תשובה"


@pytest.mark.slow
def test_the_rollout_has_prompt_and_answer(codex: Codex, shell: Shell) -> None:
    codex.answers("תשובה")
    thread = shell.run(*EXEC, "-", stdin='אמר "שלום"\n').thread_id
    (rollout,) = shell.home.glob(f"sessions/*/*/*/rollout-*-{thread}.jsonl")
    text = rollout.read_text(encoding="utf-8")
    assert 'אמר \\"שלום\\"' in text
    assert "תשובה" in text


COMMAND_LINES = [
    ("exec", "--frobnicate", "-"),
    ("exec", "-Z"),
    ("exec", "--json", "--json", "-"),
    ("exec", "--json=3"),
    ("exec", "-s", "read-only", "--sandbox", "read-only"),
    ("exec", "-s", "bogus", "-"),
    ("exec", "--model"),
    ("exec", "--model", "--json"),
    ("exec", "-c"),
    ("exec", "one", "two"),
    ("exec", "--", "one", "two"),
    ("exec", "resume", "--sandbox", "read-only", UNKNOWN),
    ("exec", "resume", "-C", "here", UNKNOWN),
    ("exec", "resume", "-p", "x", UNKNOWN),
    ("exec", "resume", "--oss", UNKNOWN),
    ("exec", "resume", "--add-dir", "x", UNKNOWN),
    ("exec", "resume", UNKNOWN, "one", "two"),
    ("exec", "--last"),
    (*EXEC, "--disable", "frobnication", "-"),
    (*EXEC, "review"),
    (*EXEC, "resume", UNKNOWN, "-"),
    (*EXEC, "--ephemeral", "resume", UNKNOWN, "-"),
    ("exec", "--json", "-"),
    ("e", "--json", "-"),
    ("--version",),
    ("features", "list"),
    ("exec", "--help"),
]


@pytest.mark.slow
@pytest.mark.parametrize("arguments", COMMAND_LINES, ids=" ".join)
def test_the_fake_parses_a_command_line_as_the_real_one_does(
    arguments: tuple[str, ...], real_binary: Path, tmp_path: Path
) -> None:
    with FakeCodex() as fake, RealCodex(real_binary) as real:
        (tmp_path / "fake").mkdir()
        (tmp_path / "real").mkdir()
        runs = [
            Shell(codex, tmp_path / name).run(*arguments, stdin="hello")
            for name, codex in (("fake", fake), ("real", real))
        ]
    fake_output, real_output = ((run.exit_code, run.stderr_lines, run.stdout) for run in runs)
    assert fake_output == real_output


def test_where_the_real_one_suggests_an_option_the_fake_refuses_too(codex: Codex, shell: Shell) -> None:
    run = shell.run("exec", "resume", "--color", "never", UNKNOWN)
    assert (run.exit_code, run.stderr_lines[0]) == (2, "error: unexpected argument '--color' found")


@pytest.mark.parametrize("prompt", ["", " \n"])
def test_an_empty_prompt_is_refused(codex: Codex, shell: Shell, prompt: str) -> None:
    run = shell.run(*EXEC, "-", stdin=prompt)
    assert (run.exit_code, run.stderr_lines) == (1, ["No prompt provided via stdin."])


def test_the_fake_works_in_folders_with_spaces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "a folder" / "with 'quotes'"
    folder.mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with FakeCodex().answers("א") as fake:
        assert Shell(fake, tmp_path).run(*EXEC, "-", stdin="שלום").exit_code == 0


def test_the_fake_starts_by_a_shell_if_no_shebang_is_possible(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("yemot_ai_testing.codex.sandbox._MAX_INTERPRETER_PATH", 0)
    with FakeCodex().answers("א") as fake:
        assert fake.executable.read_text(encoding="utf-8").startswith("#!/bin/sh")
        assert Shell(fake, tmp_path).run(*EXEC, "-", stdin="שלום").exit_code == 0


def test_many_fake_processes_at_once_take_one_step_each(fake: FakeCodex, tmp_path: Path) -> None:
    shell = Shell(fake, tmp_path)
    for number in range(12):
        fake.answers(f"תשובה {number}")
    processes = [shell.start(*EXEC, "-") for _ in range(12)]
    answers = {
        process.communicate(b"x", timeout=30)[0].decode().split("תשובה ")[1].split('"')[0]
        for process in processes
    }
    assert answers == {str(number) for number in range(12)}
    fake.assert_complete()


def test_a_held_fake_waits_until_it_is_released(fake: FakeCodex, tmp_path: Path) -> None:
    fake.answers("א")
    fake.hold()
    with Shell(fake, tmp_path).start(*EXEC, "-") as process:
        assert process.stdin is not None
        process.stdin.write(b"x")
        process.stdin.close()
        fake.wait_for_requests(1)
        assert process.poll() is None
        assert fake.processes_alive() == 1
        fake.release()
        assert process.wait(10) == 0


def test_running_processes_are_killed_when_the_context_closes(tmp_path: Path) -> None:
    with FakeCodex().hangs() as fake:
        process = Shell(fake, tmp_path).start(*EXEC, "-")
        assert process.stdin is not None
        process.stdin.write(b"x")
        process.stdin.close()
        fake.wait_for_requests(1)
    with process:
        assert process.wait(5) == -9


def test_the_error_for_an_unknown_recording_lists_the_existing_ones(fake: FakeCodex) -> None:
    with pytest.raises(KeyError, match="no recording 'frob'; there are: answer"):
        fake.replays("frob")
