"""Install the program of the fakes: built once for each version and process, and linked into each fake.

The links share one inode, so that a cache keyed by the file runs the fake once for a test suite, not once
for each test.
"""

from __future__ import annotations

import atexit
import functools
import importlib.util
import marshal
import os
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.sandbox import shebang, write_launcher
from yemot_ai_testing.executable import write_executable
from yemot_ai_testing.processes.owned_folder import OwnedFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FakeProgram", "build_program", "install", "install_copy", "shared_program"]

_PROGRAM_PACKAGE: Final = "yemot_ai_testing.codex.fake.program"
"""The package of the program's modules, here and in the installed program."""

_PROGRAM_MODULES: Final = (
    "app_server",
    "app_server_steps",
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
"""The shared folders: path in the fake's folder → path in the program's folder."""


@dataclass(frozen=True, slots=True)
class FakeProgram:
    """An installed program, shared by all fakes of a version.

    Attributes:
        folder: contains ``codex``, ``program`` and ``replies``.
    """

    folder: Path

    @property
    def codex(self) -> Path:
        """The executable; it uses the folder of the link that was started."""
        return self.folder / "codex"


def build_program(folder: Path, replies: Mapping[str, bytes]) -> FakeProgram:
    """Write the compiled program and its recorded output into ``folder``."""
    package = (folder / "program").joinpath(*_PROGRAM_PACKAGE.split("."))
    package.mkdir(parents=True)
    for depth in range(_PROGRAM_PACKAGE.count(".") + 1):
        (package.parents[depth - 1] if depth else package).joinpath("__init__.py").touch()
    for module in _PROGRAM_MODULES:
        (package / f"{module}.pyc").write_bytes(_compile_module(module))
    (folder / "replies").mkdir()
    for case, reply in replies.items():
        (folder / "replies" / case).write_bytes(reply)
    program = FakeProgram(folder)
    if line := shebang():
        # realpath: the fake may be started through a symbolic link.
        own_folder = "os.path.dirname(os.path.dirname(os.path.realpath(sys.argv[0])))"
        write_executable(program.codex, f"{line}\nimport os\n{_start_script(own_folder)}")
    return program


def _start_script(folder_expression: str, home_expression: str = "''") -> str:
    return "\n".join(
        (
            "import sys",
            f"folder = {folder_expression}",
            "sys.path.insert(0, folder + '/program')",
            f"from {_PROGRAM_PACKAGE}.main import main",
            f"sys.exit(main(folder + '/state', sys.argv[1:], {home_expression}))\n",
        )
    )


@functools.cache
def _compile_module(module: str) -> bytes:
    """Return a module as a ``.pyc`` file that needs no source, so that the fake starts fast."""
    source = Path(__file__).with_name("program") / f"{module}.py"
    code = compile(source.read_bytes(), str(source), "exec", dont_inherit=True)
    # PEP 552: the magic number, flags for an unchecked hash-based file, and the hash.
    return importlib.util.MAGIC_NUMBER + bytes((1, 0, 0, 0)) + bytes(8) + marshal.dumps(code)


_shared_programs: dict[tuple[str, str], tuple[FakeProgram, int]] = {}
_lock: Final = threading.Lock()


def shared_program(version: str, replies: Callable[[], Mapping[str, bytes]]) -> FakeProgram:
    """Return the program for a recorded version; it is built once and removed at exit."""
    with _lock:
        key = (version, shebang())
        shared = _shared_programs.get(key)
        if shared is None or not _is_unchanged(*shared):
            folder = OwnedFolder.create("yemot-ai-fake-codex-")
            atexit.register(_remove, folder, os.getpid())
            program = build_program(folder.path, replies())
            shared = _shared_programs[key] = (program, _modified_at(program))
        return shared[0]


def _is_unchanged(program: FakeProgram, modified_at: int) -> bool:
    """Return whether the program was neither changed nor removed."""
    return program.folder.is_dir() and _modified_at(program) == modified_at


def _modified_at(program: FakeProgram) -> int:
    return program.codex.stat().st_mtime_ns if program.codex.exists() else 0


def _remove(folder: OwnedFolder, owner: int) -> None:
    if os.getpid() == owner:  # a forked process must not remove it
        folder.remove()


def install(executable: Path, program: FakeProgram) -> None:
    """Make ``executable`` a fake: it is ``bin/codex`` in a folder that has ``state``."""
    folder = executable.parents[1]
    for link, target in _LINKS.items():
        (folder / link).symlink_to(program.folder / target, target_is_directory=True)
    try:
        # realpath would resolve a symbolic link to the program's folder.
        executable.hardlink_to(program.codex)
    except OSError:
        # The program is on another file system, or has no executable because no shebang is possible.
        write_launcher(executable, folder / "start.py", _start_script(repr(str(folder))))


def install_copy(executable: Path, program: Path, *, default_home: str = "") -> None:
    """Give a fake its own copy of a program, which can be changed.

    Args:
        executable: the executable of the fake.
        program: the folder of this fake or of another one.
        default_home: the home of a process without ``CODEX_HOME``; empty: ``~/.codex``.
    """
    folder = executable.parents[1]
    for link in _LINKS:
        source = (program / link).resolve()
        (folder / link).unlink()
        shutil.copytree(source, folder / link)
    executable.unlink()
    write_launcher(executable, folder / "start.py", _start_script(repr(str(folder)), repr(default_home)))
