"""The real Codex binary: found on this machine, or fetched from its registry into a cache.

Nothing here downloads by itself: ``locate`` only looks, and says which command installs.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["DOUBLE_MARKER", "RECOMMENDED_VERSION", "BinaryNotFoundError", "install", "is_version", "locate"]

RECOMMENDED_VERSION: Final = "0.169.0"
"""The version that the recordings were made with, and that a message asks to install."""

DOWNLOAD_TIMEOUT: Final = 900.0
"""Seconds: a registry that cannot be reached makes npm try for ever, without a word."""

DOUBLE_MARKER: Final = ".yemot-ai-double"
"""A file of this name beside a ``codex`` says that it is one of our doubles, not the real one."""

_VERSION_PATTERN: Final = re.compile(r"\d+\.\d+\.\d+(?:[-.][\w.]+)?")
_PLATFORMS: Final = {
    ("Linux", "x86_64"): "linux-x64",
    ("Linux", "aarch64"): "linux-arm64",
    ("Darwin", "x86_64"): "darwin-x64",
    ("Darwin", "arm64"): "darwin-arm64",
}


class BinaryNotFoundError(FileNotFoundError):
    """There is no real Codex binary where it was looked for; the message says how to install it."""


def locate(spec: str = "real") -> Path:
    """Find a Codex binary.

    Args:
        spec: a path; a version, as installed by ``install`` (also ``real:VERSION``, ``real:PATH``); or
            ``real``: what ``YEMOT_CODEX`` names, else the ``codex`` on ``PATH`` that is no double of ours,
            else the newest installed version.

    Raises:
        BinaryNotFoundError: there is none.
    """
    if spec == "real":
        return _locate_any()
    spec = spec.removeprefix("real:")
    if _VERSION_PATTERN.fullmatch(spec):
        return _require_executable(_program_path(_cache_folder() / spec), spec)
    return _require_executable(Path(spec).expanduser(), RECOMMENDED_VERSION)


def is_version(spec: str) -> bool:
    """Whether ``spec`` is a version, and not a path."""
    return _VERSION_PATTERN.fullmatch(spec) is not None


def install(version: str = RECOMMENDED_VERSION) -> Path:
    """Fetch a version of Codex from its registry into ``$XDG_CACHE_HOME/yemot-ai/codex/<version>``.

    The npm package is tried first, then the Python package of the same program (which does not exist
    for every version). What lies beside the program is kept, because its sandbox is there.

    Raises:
        ValueError: ``version`` does not look like one.
        BinaryNotFoundError: neither registry could give it; the message has both reasons.
    """
    if not _VERSION_PATTERN.fullmatch(version):
        raise ValueError(f"{version!r} is not a version such as {RECOMMENDED_VERSION}")
    target = _cache_folder() / version
    if _program_path(target).is_file():
        return _program_path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    reasons: list[str] = []
    for fetch in (_from_npm, _from_pip):
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as folder:
            try:
                found = fetch(version, Path(folder))
            except (OSError, subprocess.SubprocessError, LookupError) as error:
                reasons.append(f"  {fetch.__name__.removeprefix('_from_')}: {_error_summary(error)}")
                continue
            found.replace(target)
            return _program_path(target)
    raise BinaryNotFoundError(f"Codex {version} could not be fetched:\n" + "\n".join(reasons))


def _locate_any() -> Path:
    named = os.environ.get("YEMOT_CODEX")
    if named:
        return _require_executable(Path(named).expanduser(), RECOMMENDED_VERSION)
    for folder in os.get_exec_path():
        found = shutil.which("codex", path=folder)
        if found and not (Path(folder) / DOUBLE_MARKER).exists():
            return Path(found).absolute()
    installed = sorted((_cache_folder().glob("[0-9]*")), key=lambda path: _version_key(path.name))
    if installed:
        return _require_executable(_program_path(installed[-1]), installed[-1].name)
    raise BinaryNotFoundError(
        _not_found_message("no real Codex on PATH, in YEMOT_CODEX or installed", RECOMMENDED_VERSION)
    )


def _require_executable(path: Path, version: str) -> Path:
    if path.is_file() and os.access(path, os.X_OK):
        return path.absolute()
    raise BinaryNotFoundError(_not_found_message(f"no executable {path}", version))


def _program_path(package: Path) -> Path:
    old = package / "codex" / "codex"
    return old if old.is_file() else package / "bin" / "codex"


def _not_found_message(what: str, version: str) -> str:
    return f"{what}; run: yemot-ai-testing codex install {version}"


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _cache_folder() -> Path:
    configured = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(configured) if Path(configured).is_absolute() else Path.home() / ".cache"
    return base / "yemot-ai" / "codex"


def _from_npm(version: str, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise LookupError("npm is not installed")
    suffix = _PLATFORMS.get((platform.system(), platform.machine()))
    if suffix is None:
        raise LookupError(f"no package for {platform.system()} on {platform.machine()}")
    _run([npm, "pack", f"@openai/codex@{version}-{suffix}", "--pack-destination", str(folder)], folder)
    return _unpack_tar(next(folder.glob("*.tgz")), folder)


def _from_pip(version: str, folder: Path) -> Path:
    package = f"openai-codex-cli-bin=={version}"
    _run([sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder), package], folder)
    return _unpack_zip(next(folder.glob("*.whl")), folder)


def _run(command: Sequence[str], folder: Path) -> None:
    subprocess.run(  # noqa: S603 - fixed programs, a checked version
        command,
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=DOWNLOAD_TIMEOUT,
    )


def _unpack_tar(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as packed:
        files = {member.name: member for member in packed if member.isfile()}
        for name, place in _members_to_unpack(files, archive).items():
            source = packed.extractfile(files[name])
            if source is not None:
                _write_member(source, folder / "package" / place)
    return folder / "package"


def _unpack_zip(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as packed:
        for name, place in _members_to_unpack(packed.namelist(), archive).items():
            if not name.endswith("/"):
                _write_member(packed.open(name), folder / "package" / place)
    return folder / "package"


def _members_to_unpack(names: Iterable[str], archive: Path) -> dict[str, PurePosixPath]:
    """The members to unpack, and where to: all that stands around the program, the voice apart.

    Old packages have ``vendor/<triple>/codex/codex``, new ones ``vendor/<triple>/bin/codex``; its sandbox
    lies in a folder beside.
    """
    paths = {name: PurePosixPath(name) for name in names}
    program = next((path for path in paths.values() if path.name == "codex" and len(path.parts) > 2), None)  # noqa: PLR2004 - folder/bin/codex
    if program is None:
        raise LookupError(f"no codex in {archive.name}")
    root = program.parent.parent
    inside = {name: path.relative_to(root) for name, path in paths.items() if path.is_relative_to(root)}
    return {
        name: path for name, path in inside.items() if "voice" not in path.parts and ".." not in path.parts
    }


def _write_member(source: IO[bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("wb") as file:
        shutil.copyfileobj(source, file)
    # Neither archive is trusted with modes; everything in it is either a program or small.
    target.chmod(0o755)


def _error_summary(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = [line for line in str(error.stderr).splitlines() if line.strip()]
        return lines[-1] if lines else f"exit code {error.returncode}"
    return str(error)
