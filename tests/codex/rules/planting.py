"""Give a fake Codex a program with a fault in it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.codex.rules.fault import Fault
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.fake.install import install_copy

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["planted"]


@contextmanager
def planted(fault: Fault) -> Iterator[FakeCodex]:
    """Provide a fake with the fault; its program still starts."""
    fake = FakeCodex()
    try:
        _plant(fault, fake)
        run = subprocess.run([fake.executable, "--version"], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        yield fake
    finally:
        fake.close()


def _plant(fault: Fault, fake: FakeCodex) -> None:
    """Give ``fake`` a copy of the program that installs the fault before anything else."""
    folder = fake.executable.parents[1]
    install_copy(fake.executable, folder)
    module = fault.replacement.__module__
    for name in (Fault.__module__, module):
        path = folder / "program" / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(inspect.getsource(sys.modules[name]), encoding="utf-8")
    package = fault.replaces.__module__.partition(".")[0]
    (folder / "program" / package / "__init__.py").write_text(
        f"from {module} import FAULTS\n\nFAULTS[{fault.name!r}].install()\n", encoding="utf-8"
    )
