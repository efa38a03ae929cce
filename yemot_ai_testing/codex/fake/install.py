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

from yemot_ai_testing.codex.sandbox import kernel_line, launcher
from yemot_ai_testing.executable import write_executable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Program", "detach", "install", "laid", "shared"]

_MODULES: Final = (
    "app_server",
    "app_server_turn",
    "app_server_words",
    "argv",
    "checks",
    "process",
    "program",
    "threads",
)
_LINKS: Final = {"program": "program", "state/replies": "replies"}
"""Where a fake finds what it shares: place in the fake's folder → place in the program's."""


@dataclass(frozen=True, slots=True)
class Program:
    """What fakes that tell the same have in common.

    Attributes:
        folder: holds ``codex``, ``program`` and ``replies``.
    """

    folder: Path

    @property
    def codex(self) -> Path:
        """The executable, which takes the folder that it was started in for its own."""
        return self.folder / "codex"


def laid(folder: Path, replies: Mapping[str, bytes]) -> Program:
    """Lay a program down in ``folder``, compiled, with the words that it says."""
    package = folder / "program" / "yemot_ai_testing" / "doubles"
    package.mkdir(parents=True)
    for place in (package, package.parent):
        (place / "__init__.py").touch()
    for module in _MODULES:
        name = f"fake_codex_{module}"
        (package / f"{name}.pyc").write_bytes(_compiled(name))
    (folder / "replies").mkdir()
    for case, reply in replies.items():
        (folder / "replies" / case).write_bytes(reply)
    found = Program(folder)
    if line := kernel_line():
        # Also a link to the fake, from anywhere, leads to the fake's folder.
        here = "os.path.dirname(os.path.dirname(os.path.realpath(sys.argv[0])))"
        write_executable(found.codex, f"{line}\nimport os\n{_start(here)}")
    return found


def _start(here: str) -> str:
    return "\n".join(
        (
            "import sys",
            f"here = {here}",
            "sys.path.insert(0, here + '/program')",
            "from yemot_ai_testing.codex.fake.program.main import main",
            "sys.exit(main(here + '/state', sys.argv[1:]))\n",
        )
    )


@functools.cache
def _compiled(module: str) -> bytes:
    """A module as Python imports it without its source: the fake starts often."""
    source = Path(__file__).with_name(f"{module}.py")
    code = compile(source.read_bytes(), str(source), "exec", dont_inherit=True)
    # PEP 552: the magic number, and for a file that is not checked against a source: flags, and a hash.
    return importlib.util.MAGIC_NUMBER + bytes((1, 0, 0, 0)) + bytes(8) + marshal.dumps(code)


_shared: dict[tuple[str, str], tuple[Program, int]] = {}
_laying: Final = threading.Lock()


def shared(version: str, replies: Callable[[], Mapping[str, bytes]]) -> Program:
    """The program of this process for a recorded version; it goes when the process does."""
    with _laying:
        told = (version, kernel_line())
        found = _shared.get(told)
        if found is None or not _unchanged(*found):
            place = Path(tempfile.mkdtemp(prefix="yemot-ai-fake-codex-")).resolve()
            atexit.register(_remove, place, os.getpid())
            program = laid(place, replies())
            found = _shared[told] = (program, _changed_at(program))
        return found[0]


def _unchanged(program: Program, at: int) -> bool:
    """Whether nobody has written over it, or cleared it away."""
    return program.folder.is_dir() and _changed_at(program) == at


def _changed_at(program: Program) -> int:
    return program.codex.stat().st_mtime_ns if program.codex.exists() else 0


def _remove(place: Path, owner: int) -> None:
    if os.getpid() == owner:  # and not a fork of it, that ends before it
        shutil.rmtree(place, ignore_errors=True)


def install(executable: Path, program: Program) -> None:
    """Make ``executable`` a fake: ``bin/codex`` in its folder, where ``state`` must be."""
    folder = executable.parents[1]
    for link, place in _LINKS.items():
        (folder / link).symlink_to(program.folder / place, target_is_directory=True)
    try:
        # A link of the other kind would be resolved to the program's folder.
        executable.hardlink_to(program.codex)
    except OSError:
        # Another file system, or a shell has to lead to the interpreter.
        launcher(executable, folder / "start.py", _start(repr(str(folder))))


def detach(executable: Path, program: Path) -> None:
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
    launcher(executable, folder / "start.py", _start(repr(str(folder))))
