"""What fakes share, and what each has for itself; what one program knows is asked once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.codex import EXEC, Shell
from yemot_ai.providers.codex.capabilities import Capabilities, probe
from yemot_ai.providers.codex.exec import CodexCLIProvider
from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.fake.install import install_copy
from yemot_ai_testing.executable import write_executable

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD, *_, NEW = recordings.versions()


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A Codex that notes what it is asked, and knows one feature."""
    executable = tmp_path / "one" / "codex"
    executable.parent.mkdir()
    told = '[ "$1" = features ] && echo "hooks stable true"'
    write_executable(executable, f'#!/bin/sh\necho "$*" >> "{tmp_path}/asked"\n{told}\nexit 0\n')
    return executable


def knows(executable: Path) -> Capabilities:
    return asyncio.run(probe(str(executable), env={}, cwd=executable.parents[1]))


def asked(program: Path) -> int:
    notes = (program.parents[1] / "asked").read_text(encoding="utf-8").splitlines()
    return notes.count("features list")


@pytest.fixture
def other(program: Path) -> Iterator[Path]:
    folder = program.parents[1] / "other"
    folder.mkdir()
    assert knows(program).features == {"hooks"}
    yield folder / "codex"
    assert knows(folder / "codex").features == {"hooks"}


def test_a_program_is_asked_once_under_all_links_to_it(program: Path, other: Path) -> None:
    other.hardlink_to(program)
    soft = other.with_name("soft")
    soft.mkdir()
    (soft / "codex").symlink_to(program)
    assert knows(other) == knows(soft / "codex") == knows(program)
    assert asked(program) == 1


def test_a_program_that_goes_by_its_name_is_asked_under_each_name(program: Path, other: Path) -> None:
    other.symlink_to(program)
    other.with_name("codex-next").symlink_to(program)
    knows(other.with_name("codex-next"))
    assert asked(program) == 2


def test_a_copy_is_another_program(program: Path, other: Path) -> None:
    other.write_bytes(program.read_bytes())
    other.chmod(0o755)
    knows(other)
    assert asked(program) == 2


def test_a_program_that_was_replaced_is_asked_again(program: Path, other: Path) -> None:
    other.write_bytes(program.read_bytes())
    other.chmod(0o755)
    other.replace(program)
    knows(program)
    assert asked(program) == 2
    other.symlink_to(program)


def test_fakes_of_one_version_are_one_program_with_a_script_each(tmp_path: Path) -> None:
    with FakeCodex(NEW).answers("א") as first, FakeCodex(NEW).answers("ב") as second:
        assert first.executable.samefile(second.executable)
        said = [Shell(fake, tmp_path).run(*EXEC, "-", stdin="x").stdout for fake in (second, first)]
        assert ["ב" in said[0], "א" in said[1]] == [True, True]
        assert [len(first.requests), len(second.requests)] == [1, 1]


def test_fakes_of_two_versions_are_two_programs_to_the_provider() -> None:
    with FakeCodex(OLD) as old, FakeCodex(NEW) as new:
        assert not old.executable.samefile(new.executable)
        for fake in (new, old, new):
            # Each refuses the features that only the other one knows.
            fake.answers("א")
            reply = asyncio.run(CodexCLIProvider(fake.executable).start_session("x"))
            assert reply.text == "א"


def test_a_link_to_a_fake_is_that_fake(tmp_path: Path) -> None:
    with FakeCodex().answers("א") as fake:
        (tmp_path / "my-codex").symlink_to(fake.executable)
        command = [str(tmp_path / "my-codex"), *EXEC, "-"]
        home = {"CODEX_HOME": str(tmp_path), "HOME": str(tmp_path)}
        run = subprocess.run(command, input=b"x", capture_output=True, check=True, env=home)
        assert "א" in run.stdout.decode()
        fake.assert_complete()


def test_whoever_writes_over_a_fake_spoils_no_later_one(tmp_path: Path) -> None:
    with FakeCodex() as spoilt:
        spoilt.executable.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    with FakeCodex().answers("א") as fake:
        assert Shell(fake, tmp_path).run(*EXEC, "-", stdin="x").exit_code == 0


def test_a_detached_fake_can_be_changed_alone(tmp_path: Path) -> None:
    with FakeCodex() as fake, FakeCodex() as other:
        install_copy(fake.executable, fake.executable.parents[1])
        replies = fake.executable.parents[1] / "state/replies"
        (replies / "version").write_bytes((replies / "features").read_bytes())
        said = [Shell(one, tmp_path).run("--version").stdout for one in (fake, other)]
        assert said[0] != said[1] == f"codex-cli {NEW}\n"


def test_a_fork_that_ends_leaves_its_parent_the_program() -> None:
    script = (
        "import os, sys\n"
        "from yemot_ai_testing import FakeCodex\n"
        "fake = FakeCodex()\n"
        "child = os.fork()\n"
        "if child == 0: sys.exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "print((fake.executable.parents[1] / 'program').resolve(), flush=True)\n"
        "import subprocess\n"
        "subprocess.run([fake.executable, '--version'], check=True)\n"
        "fake.close()\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    place, version = run.stdout.splitlines()
    assert version == f"codex-cli {NEW}"
    assert not Path(place).exists()
