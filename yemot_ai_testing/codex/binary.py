"""Find the real Codex binary on this machine, or install it from its registry into a cache.

Only ``install`` downloads; ``locate`` raises an error that names the command to run.
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
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Final, Literal

from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.executable import DOUBLE_MARKER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "REAL_SPECS",
    "RECOMMENDED_VERSION",
    "BinaryNotFoundError",
    "CodexKind",
    "CodexSpec",
    "CodexSpecError",
    "install",
    "locate",
    "parse_codex_spec",
]

CodexKind = Literal["fake", "real", "path"]

RECOMMENDED_VERSION: Final = "0.171.0"
"""The newest recorded version; error messages ask to install it."""

REAL_SPECS: Final = "real|real@VERSION|PATH"
"""How a command names a real binary."""

DOWNLOAD_TIMEOUT: Final = 900.0
"""Seconds: npm retries silently without a limit when it cannot reach its registry."""

_KINDS: Final[tuple[CodexKind, ...]] = ("fake", "real")
_VERSION_PATTERN: Final = re.compile(r"\d+\.\d+\.\d+(?:[-.][\w.]+)?")
_PLATFORMS: Final = {
    ("Linux", "x86_64"): "linux-x64",
    ("Linux", "aarch64"): "linux-arm64",
    ("Darwin", "x86_64"): "darwin-x64",
    ("Darwin", "arm64"): "darwin-arm64",
}


class BinaryNotFoundError(FileNotFoundError):
    """The real Codex binary was not found; the message says how to install it."""


class CodexSpecError(ToolkitError, ValueError):
    """A text does not name a Codex, or names the fake where a real binary is needed."""


@dataclass(frozen=True, slots=True)
class CodexSpec:
    """Which Codex to use: the fake, an installed binary, or an executable.

    Attributes:
        kind: ``fake``, ``real`` or ``path``.
        version: of the fake or of the installed binary; None for the default.
        path: the executable; None unless ``kind`` is ``path``.
    """

    kind: CodexKind
    version: str | None = None
    path: Path | None = None


def parse_codex_spec(text: str) -> CodexSpec:
    """Parse ``fake``, ``fake@VERSION``, ``real``, ``real@VERSION`` or a path.

    >>> parse_codex_spec("fake@0.142.0")
    CodexSpec(kind='fake', version='0.142.0', path=None)

    Raises:
        CodexSpecError: if ``text`` is none of these; the message says what to write.
    """
    if not text:
        raise CodexSpecError("an empty text is not a Codex; write fake, real, fake@VERSION or a path")
    for kind in _KINDS:
        if text == kind:
            return CodexSpec(kind)
        if text.startswith(f"{kind}@"):
            return CodexSpec(kind, _parse_version(text, kind))
        if text.startswith(f"{kind}:"):
            rest = text.removeprefix(f"{kind}:")
            raise CodexSpecError(f"{text!r} is not a Codex; write {_at_version(kind, rest) or rest or kind}")
    if _is_version(text):
        raise CodexSpecError(
            f"{text!r} is not a Codex; write fake@{text} for the fake, real@{text} for the installed binary"
        )
    return CodexSpec("path", path=Path(text).expanduser())


def _parse_version(text: str, kind: str) -> str:
    version = text.removeprefix(f"{kind}@")
    if not _is_version(version):
        raise CodexSpecError(f"{text!r} is not a Codex; write a version: {kind}@{RECOMMENDED_VERSION}")
    return version


def _at_version(kind: str, version: str) -> str:
    return f"{kind}@{version}" if _is_version(version) else ""


def locate(spec: str | CodexSpec = "real") -> Path:
    """Return the path of a real Codex binary.

    Args:
        spec: a path; ``real@VERSION``, as installed by ``install``; or ``real``: the binary that
            ``YEMOT_CODEX`` names (a path or ``real@VERSION``), else the first ``codex`` on ``PATH`` that
            is not a double, else the newest installed version.

    Raises:
        BinaryNotFoundError: if there is none.
        CodexSpecError: if ``spec`` or ``YEMOT_CODEX`` does not name a real binary.
    """
    spec = parse_codex_spec(spec) if isinstance(spec, str) else spec
    if spec.kind == "fake":
        raise CodexSpecError("the fake is not a real Codex; write real, real@VERSION or a path")
    if spec.path is not None:
        return _require_executable(spec.path, RECOMMENDED_VERSION)
    if spec.version is not None:
        return _require_executable(_program_path(_cache_folder() / spec.version), spec.version)
    return _locate_from_environment()


def _is_version(spec: str) -> bool:
    """Return whether ``spec`` is a version, and not a path."""
    return _VERSION_PATTERN.fullmatch(spec) is not None


def install(version: str = RECOMMENDED_VERSION) -> Path:
    """Fetch a version of Codex from its registry into ``$XDG_CACHE_HOME/yemot-ai/codex/<version>``.

    The npm package is tried first, then the Python package of the same program (which does not exist
    for every version). The files beside the program are kept: its sandbox is one of them.

    Raises:
        ValueError: if ``version`` is not a version.
        BinaryNotFoundError: if neither registry has it; the message has both reasons.
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


def _locate_from_environment() -> Path:
    configured = os.environ.get("YEMOT_CODEX")
    if configured and configured != "real":
        try:
            return locate(configured)
        except CodexSpecError as error:
            raise CodexSpecError(f"YEMOT_CODEX: {error}") from error
    for folder in os.get_exec_path():
        found = shutil.which("codex", path=folder)
        if found and not (Path(folder) / DOUBLE_MARKER).exists():
            return Path(found).absolute()
    installed = sorted(_cache_folder().glob("[0-9]*"), key=lambda path: _version_key(path.name))
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
    """Return the members to unpack and their targets: everything beside the program, except the voice files.

    Old packages have ``vendor/<triple>/codex/codex``, new ones ``vendor/<triple>/bin/codex``; the sandbox
    is in a sibling folder.
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
    # The modes in the archive are not trusted; every file is either a program or small.
    target.chmod(0o755)


def _error_summary(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = [line for line in str(error.stderr).splitlines() if line.strip()]
        return lines[-1] if lines else f"exit code {error.returncode}"
    return str(error)
