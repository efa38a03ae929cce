"""The program of the fakes: laid down once in a process for each version, and linked into each fake.

A program that is one file is one program to whoever asks what it knows, under whatever name: the suite of
a user asks the fake once, not once a test.
"""

from __future__ import annotations

import atexit
import functools
import importlib.util
import marshal
import os
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.sandbox import shebang, write_launcher
from yemot_ai_testing.executable import write_executable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FakeProgram", "build_program", "install", "install_copy", "shared_program"]

_PROGRAM_PACKAGE: Final = "yemot_ai_testing.codex.fake.program"
"""Where the program's modules lie, in this package and in what is installed."""

_PROGRAM_MODULES: Final = (
    "app_server",
    "app_server_turn",
    "app_server_messages",
    "argv",
    "checks",
    "main",
    "output",
    "process",
    "threads",
)
_LINKS: Final = {"program": "program", "state/replies": "replies"}
"""Where a fake finds what it shares: place in the fake's folder → place in the program's."""


@dataclass(frozen=True, slots=True)
class FakeProgram:
    """What fakes that tell the same have in common.

    Attributes:
        folder: holds ``codex``, ``program`` and ``replies``.
    """

    folder: Path

    @property
    def codex(self) -> Path:
        """The executable, which takes the folder that it was started in for its own."""
        return self.folder / "codex"


def build_program(folder: Path, replies: Mapping[str, bytes]) -> FakeProgram:
    """Lay a program down in ``folder``, compiled, with the words that it says."""
    package = (folder / "program").joinpath(*_PROGRAM_PACKAGE.split("."))
    package.mkdir(parents=True)
    for depth in range(_PROGRAM_PACKAGE.count(".") + 1):
        (package.parents[depth - 1] if depth else package).joinpath("__init__.py").touch()
    for module in _PROGRAM_MODULES:
        (package / f"{module}.pyc").write_bytes(_compile_module(module))
    (folder / "replies").mkdir()
    for case, reply in replies.items():
        (folder / "replies" / case).write_bytes(reply)
    found = FakeProgram(folder)
    if line := shebang():
        # Also a link to the fake, from anywhere, leads to the fake's folder.
        here = "os.path.dirname(os.path.dirname(os.path.realpath(sys.argv[0])))"
        write_executable(found.codex, f"{line}\nimport os\n{_start_script(here)}")
    return found


def _start_script(folder_expression: str) -> str:
    return "\n".join(
        (
            "import sys",
            f"here = {folder_expression}",
            "sys.path.insert(0, here + '/program')",
            f"from {_PROGRAM_PACKAGE}.main import main",
            "sys.exit(main(here + '/state', sys.argv[1:]))\n",
        )
    )


@functools.cache
def _compile_module(module: str) -> bytes:
    """A module as Python imports it without its source: the fake starts often."""
    source = Path(__file__).with_name("program") / f"{module}.py"
    code = compile(source.read_bytes(), str(source), "exec", dont_inherit=True)
    # PEP 552: the magic number, and for a file that is not checked against a source: flags, and a hash.
    return importlib.util.MAGIC_NUMBER + bytes((1, 0, 0, 0)) + bytes(8) + marshal.dumps(code)


_shared_programs: dict[tuple[str, str], tuple[FakeProgram, int]] = {}
_lock: Final = threading.Lock()


def shared_program(version: str, replies: Callable[[], Mapping[str, bytes]]) -> FakeProgram:
    """The program of this process for a recorded version; it goes when the process does."""
    with _lock:
        told = (version, shebang())
        found = _shared_programs.get(told)
        if found is None or not _is_unchanged(*found):
            place = Path(tempfile.mkdtemp(prefix="yemot-ai-fake-codex-")).resolve()
            atexit.register(_remove, place, os.getpid())
            program = build_program(place, replies())
            found = _shared_programs[told] = (program, _modified_at(program))
        return found[0]


def _is_unchanged(program: FakeProgram, modified_at: int) -> bool:
    """Whether nobody has written over it, or cleared it away."""
    return program.folder.is_dir() and _modified_at(program) == modified_at


def _modified_at(program: FakeProgram) -> int:
    return program.codex.stat().st_mtime_ns if program.codex.exists() else 0


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # and not a fork of it, that ends before it
        shutil.rmtree(folder, ignore_errors=True)


def install(executable: Path, program: FakeProgram) -> None:
    """Make ``executable`` a fake: ``bin/codex`` in its folder, where ``state`` must be."""
    folder = executable.parents[1]
    for link, place in _LINKS.items():
        (folder / link).symlink_to(program.folder / place, target_is_directory=True)
    try:
        # A link of the other kind would be resolved to the program's folder.
        executable.hardlink_to(program.codex)
    except OSError:
        # Another file system, or a shell has to lead to the interpreter.
        write_launcher(executable, folder / "start.py", _start_script(repr(str(folder))))


def install_copy(executable: Path, program: Path) -> None:
    """Give a fake a copy of a program, so that it can be changed.

    Args:
        executable: the fake's.
        program: the folder of a fake; this one or another.
    """
    folder = executable.parents[1]
    for link in _LINKS:
        source = (program / link).resolve()
        (folder / link).unlink()
        shutil.copytree(source, folder / link)
    executable.unlink()
    write_launcher(executable, folder / "start.py", _start_script(repr(str(folder))))
