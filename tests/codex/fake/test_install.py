"""The program that fakes share, and the cache of a program's capabilities."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.asking import ask_provider
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
    """A Codex with one feature, which logs its arguments."""
    executable = tmp_path / "one" / "codex"
    executable.parent.mkdir()
    features = '[ "$1" = features ] && echo "hooks stable true"'
    write_executable(executable, f'#!/bin/sh\necho "$*" >> "{tmp_path}/arguments"\n{features}\nexit 0\n')
    return executable


def capabilities_of(executable: Path) -> Capabilities:
    return asyncio.run(probe(str(executable), env={}, cwd=executable.parents[1]))


def probe_count(program: Path) -> int:
    lines = (program.parents[1] / "arguments").read_text(encoding="utf-8").splitlines()
    return lines.count("features list")


@pytest.fixture
def other(program: Path) -> Iterator[Path]:
    folder = program.parents[1] / "other"
    folder.mkdir()
    assert capabilities_of(program).features == {"hooks"}
    yield folder / "codex"
    assert capabilities_of(folder / "codex").features == {"hooks"}


def test_a_program_is_probed_once_for_all_links_to_it(program: Path, other: Path) -> None:
    other.hardlink_to(program)
    folder = other.with_name("symlink")
    folder.mkdir()
    (folder / "codex").symlink_to(program)
    assert capabilities_of(other) == capabilities_of(folder / "codex") == capabilities_of(program)
    assert probe_count(program) == 1


def test_a_program_is_probed_for_each_name_of_the_file(program: Path, other: Path) -> None:
    other.symlink_to(program)
    other.with_name("codex-next").symlink_to(program)
    capabilities_of(other.with_name("codex-next"))
    assert probe_count(program) == 2


def test_a_copy_is_another_program(program: Path, other: Path) -> None:
    other.write_bytes(program.read_bytes())
    other.chmod(0o755)
    capabilities_of(other)
    assert probe_count(program) == 2


def test_a_replaced_program_is_probed_again(program: Path, other: Path) -> None:
    other.write_bytes(program.read_bytes())
    other.chmod(0o755)
    other.replace(program)
    capabilities_of(program)
    assert probe_count(program) == 2
    other.symlink_to(program)


def test_fakes_of_one_version_are_one_program_with_a_script_each(tmp_path: Path) -> None:
    with FakeCodex(NEW).answers("א") as first, FakeCodex(NEW).answers("ב") as second:
        assert first.executable.samefile(second.executable)
        outputs = [Shell(fake, tmp_path).run(*EXEC, "-", stdin="x").stdout for fake in (second, first)]
        assert ["ב" in outputs[0], "א" in outputs[1]] == [True, True]
        assert [len(first.requests), len(second.requests)] == [1, 1]


def test_fakes_of_two_versions_are_two_programs_to_the_provider() -> None:
    with FakeCodex(OLD) as old, FakeCodex(NEW) as new:
        assert not old.executable.samefile(new.executable)
        for fake in (new, old, new):
            # Each refuses the features that only the other one capabilities_of.
            fake.answers("א")
            reply = asyncio.run(ask_provider(CodexCLIProvider(fake.executable), "x"))
            assert reply.text == "א"


def test_a_link_to_a_fake_is_that_fake(tmp_path: Path) -> None:
    with FakeCodex().answers("א") as fake:
        (tmp_path / "my-codex").symlink_to(fake.executable)
        command = [str(tmp_path / "my-codex"), *EXEC, "-"]
        home = {"CODEX_HOME": str(tmp_path), "HOME": str(tmp_path)}
        run = subprocess.run(command, input=b"x", capture_output=True, check=True, env=home)
        assert "א" in run.stdout.decode()
        fake.assert_complete()


def test_an_overwritten_fake_does_not_affect_later_ones(tmp_path: Path) -> None:
    with FakeCodex() as overwritten:
        overwritten.executable.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    with FakeCodex().answers("א") as fake:
        assert Shell(fake, tmp_path).run(*EXEC, "-", stdin="x").exit_code == 0


def test_a_detached_fake_can_be_changed_alone(tmp_path: Path) -> None:
    with FakeCodex() as fake, FakeCodex() as other:
        install_copy(fake.executable, fake.executable.parents[1])
        replies = fake.executable.parents[1] / "state/replies"
        (replies / "version").write_bytes((replies / "features").read_bytes())
        versions = [Shell(codex, tmp_path).run("--version").stdout for codex in (fake, other)]
        assert versions[0] != versions[1] == f"codex-cli {NEW}\n"


def test_a_forked_process_that_ends_does_not_remove_the_program() -> None:
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
    folder, version = run.stdout.splitlines()
    assert version == f"codex-cli {NEW}"
    assert not Path(folder).exists()
