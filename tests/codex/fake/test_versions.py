"""The fake as any recorded version: events, counters, wording and command line."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.asking import ask_provider
from tests.support.codex import EXEC, Shell, exec_provider, run_async
from yemot_ai.errors import OverloadedError, SessionBusyError
from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.binary import BinaryNotFoundError, locate
from yemot_ai_testing.codex.command_line import with_model_options
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.fake.grammar import grammar_overrides
from yemot_ai_testing.codex.real import RealCodex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

VERSIONS = recordings.versions()


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def versioned(version: str) -> Iterator[FakeCodex]:
    with FakeCodex(version) as fake:
        yield fake


@pytest.fixture
def old() -> Iterator[FakeCodex]:
    with FakeCodex("0.142.0") as fake:
        yield fake


def test_it_prints_its_version(versioned: FakeCodex, version: str) -> None:
    run = subprocess.run([versioned.executable, "--version"], capture_output=True, text=True, check=True)
    assert run.stdout == f"codex-cli {version}\n"


def test_by_default_it_is_the_newest() -> None:
    with FakeCodex() as fake:
        run = subprocess.run([fake.executable, "--version"], capture_output=True, text=True, check=True)
    assert run.stdout == f"codex-cli {VERSIONS[-1]}\n"


def test_the_error_for_a_version_that_is_not_recorded_lists_the_recorded_ones() -> None:
    with pytest.raises(LookupError, match="recorded are 0\\.142\\.0"):
        FakeCodex("0.1.2")


@pytest.mark.parametrize(("name", "keys"), [("0.142.0", 4), ("0.163.0", 5), ("0.169.0", 5)])
def test_a_turn_has_the_counters_of_its_version(tmp_path: Path, name: str, keys: int) -> None:
    with FakeCodex(name).answers("א") as fake:
        run = Shell(fake, tmp_path).run(*EXEC, "-", stdin="שלום")
    assert len(run.events[-1]["usage"]) == keys


def test_a_failure_has_the_wording_of_its_version(versioned: FakeCodex, version: str, tmp_path: Path) -> None:
    versioned.fails("overloaded")
    run = Shell(versioned, tmp_path).run(*EXEC, "-", stdin="שלום")
    assert run.events[-1] == json.loads(recordings.load_version(version)["overloaded"].stdout[-1].text)


def test_early_versions_use_another_apostrophe(old: FakeCodex) -> None:
    old.fails("overloaded")
    with pytest.raises(OverloadedError, match="We're"):
        run_async(ask_provider(exec_provider(), "שלום"))


def test_an_early_version_does_not_report_the_end_of_a_slow_command(old: FakeCodex, tmp_path: Path) -> None:
    old.replays("tool_slow")
    items = [event.get("item", {}) for event in Shell(old, tmp_path).run(*EXEC, "-", stdin="קרא").events]
    assert [item["status"] for item in items if item.get("type") == "command_execution"] == ["in_progress"]


def test_an_early_version_accepts_a_second_writer(old: FakeCodex, tmp_path: Path) -> None:
    old.answers("ראשון").hangs().answers("שני")
    shell = Shell(old, tmp_path)
    thread = shell.run(*EXEC, "-", stdin="שלום").thread_id
    with shell.start(*EXEC, "resume", thread, "-") as writer:
        assert writer.stdin is not None
        writer.stdin.write("ראשון".encode())
        writer.stdin.close()
        old.wait_for_requests(2)
        second = shell.run(*EXEC, "resume", thread, "-", stdin="שני")
        writer.kill()
    assert (second.exit_code, second.thread_id) == (0, thread)


def test_a_scripted_second_writer_has_no_effect_on_an_early_version(old: FakeCodex) -> None:
    old.answers("ראשון").busy_session().answers("שני")
    session = run_async(ask_provider(exec_provider(), "שלום")).session
    assert run_async(ask_provider(exec_provider(), "ועוד?", session=session)).text == "שני"
    old.assert_complete()


def test_a_later_version_refuses_it() -> None:
    with FakeCodex("0.163.0").answers("ראשון").busy_session() as fake:
        session = run_async(ask_provider(exec_provider(), "שלום")).session
        with pytest.raises(SessionBusyError):
            run_async(ask_provider(exec_provider(), "ועוד?", session=session))
        fake.assert_complete()


@pytest.mark.parametrize(
    ("name", "argv", "code"),
    [
        ("0.142.0", ["exec", "--json", "--skip-git-repo-check", "--trust", "-"], 2),
        ("0.163.0", ["exec", "--json", "--skip-git-repo-check", "--trust", "-"], 2),
        ("0.169.0", ["exec", "--json", "--skip-git-repo-check", "--trust", "-"], 0),
        ("0.142.0", ["exec", "--json", "--skip-git-repo-check", "--approve-for-me", "-"], 2),
        ("0.163.0", ["exec", "--json", "--skip-git-repo-check", "--approve-for-me", "-"], 0),
        ("0.142.0", ["exec", "--json", "--skip-git-repo-check", "--disable", "skill_search", "-"], 1),
        ("0.169.0", ["exec", "--json", "--skip-git-repo-check", "--disable", "skill_search", "-"], 0),
    ],
)
def test_it_accepts_the_options_of_its_version(tmp_path: Path, name: str, argv: list[str], code: int) -> None:
    with FakeCodex(name) as fake:
        if code == 0:
            fake.answers("א")
        assert Shell(fake, tmp_path).run(*argv, stdin="שלום").exit_code == code


@pytest.mark.parametrize("level", [["exec"], ["exec", "resume"], []])
def test_it_prints_the_help_of_its_version(versioned: FakeCodex, version: str, level: list[str]) -> None:
    case = {0: "help_root", 1: "help", 2: "help_resume"}[len(level)]
    run = subprocess.run([versioned.executable, *level, "--help"], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:-1] == [
        line.text for line in recordings.load_version(version)[case].stdout
    ]


def test_the_newest_version_has_the_built_in_grammar() -> None:
    assert grammar_overrides(recordings.load_newest(), recordings.load_newest()) == {
        "": {},
        "exec": {},
        "resume": {},
    }


def test_an_option_in_the_help_of_a_later_version_is_accepted(tmp_path: Path) -> None:
    newest = recordings.load_newest()["help"]
    index = [line.text for line in newest.stdout].index("Options:")
    option = recordings.OutputLine(0.0, "      --sing <SONG>")
    later = recordings.Recording(
        **{**{name: getattr(newest, name) for name in newest.__slots__}, "version": "9.0.0"}
        | {"stdout": (*newest.stdout[: index + 1], option, *newest.stdout[index + 1 :])}
    )
    later.write(tmp_path / "help.json")
    with FakeCodex(recordings=tmp_path).answers("א") as fake:
        assert Shell(fake, tmp_path).run(*EXEC, "--sing", "שיר", "-", stdin="שלום").exit_code == 0


def test_the_provider_works_with_every_version(versioned: FakeCodex) -> None:
    versioned.answers("אחת").answers("שתיים")
    first = run_async(ask_provider(exec_provider(), "שלום"))
    second = run_async(ask_provider(exec_provider(), "ועוד?", session=first.session))
    assert (first.text, second.text) == ("אחת", "שתיים")
    assert second.usage is not None
    assert second.usage.input_tokens == 100
    versioned.assert_complete()


@contextmanager
def cpu_time() -> Iterator[Callable[[], float]]:
    """Measure the CPU seconds of the child processes that end in this context."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    yield lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - sum(before[:2])


@pytest.mark.slow
def test_a_run_costs_at_most_three_starts_of_a_bare_interpreter(version: str, tmp_path: Path) -> None:
    # CPU time and the minimum of several runs depend little on the load of the machine.
    # benchmarks/fake_codex.py prints milliseconds.
    fakes, bare = [], []
    with FakeCodex(version) as fake:
        for _ in range(15):
            fake.answers("א")
            with cpu_time() as seconds:
                assert Shell(fake, tmp_path).run(*EXEC, "-", stdin="שלום").exit_code == 0
            fakes.append(seconds())
            with cpu_time() as seconds:
                subprocess.run([sys.executable, "-IS", "-c", ""], check=True)
            bare.append(seconds())

    assert min(fakes) < 3 * min(bare)


def test_model_options_are_inserted_where_an_early_version_does_not_discard_them() -> None:
    options = ["-c", "a=1"]
    assert with_model_options(options, ["exec", "-"]) == ["-c", "a=1", "exec", "-"]
    assert with_model_options(options, ["-c", "b=2", "exec", "-c", "d=3", "--", "-c"]) == [
        *("-c", "b=2", "exec", "-c", "a=1", "-c", "d=3", "--", "-c")
    ]
    assert with_model_options(options, ["exec", "--config=b=2", "-"]) == [
        "exec",
        "-c",
        "a=1",
        "--config=b=2",
        "-",
    ]


@pytest.mark.slow
def test_the_provider_works_with_every_installed_real_version(version: str) -> None:
    try:
        binary = locate(f"real@{version}")
    except BinaryNotFoundError:
        # Only the newest version is installed for the tests; the others are tested if present.
        binary = locate("real")
    with RealCodex(binary) as real:
        real.answers("אחת").answers("שתיים")
        first = run_async(ask_provider(exec_provider(), "שלום"))
        assert run_async(ask_provider(exec_provider(), "ועוד?", session=first.session)).text == "שתיים"
        real.assert_complete()
