"""Two projects of other people, on the built wheel alone: in a fresh environment, away from the checkout.

``python tests/downstream/run.py`` builds the wheel, makes an environment in a folder of its own, installs the
wheel and the projects, and runs their suites as their developers would.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
PROJECTS = ("bakery", "hotline")
ORIGINS = """
import sys
import {project}.phone
ours = [name for name in sys.modules if name.partition(".")[0] in ("yemot_ai", "yemot_ai_testing")]
assert bool(ours) is {uses_ours}, ours
import yemot_ai_testing.plugin
for module in list(sys.modules.values()):
    origin = getattr(module, "__file__", None) or ""
    assert not origin.startswith({checkout!r}), f"{{module}} is imported from the checkout"
"""


def main(folder: Path) -> None:
    """Prove both projects in ``folder``, which is empty."""
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, CHECKOUT, cwd=folder)
    (wheel,) = folder.glob("yemot_ai-*.whl")
    for project in PROJECTS:
        shutil.copytree(HERE / project, folder / project, ignore=shutil.ignore_patterns("__pycache__"))
    venv.create(folder / "venv")
    python = folder / "venv" / "bin" / "python"
    # Our pip fills it, and compiles nothing that is not imported: half the time of a pip of its own.
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-compile")
    wanted = (f"{wheel}[testing,openai]", *(f"{folder / project}[test]" for project in PROJECTS))
    run(*pip, *wanted, cwd=folder)
    for project in PROJECTS:
        prove(python, folder / project)


def prove(python: Path, project: Path) -> None:
    """Run the suite of one project: its tests, then its calls; nothing of it is our checkout's."""
    print(f"\n== {project.name}", flush=True)  # noqa: T201 - a script that tells where it is
    checkout = str(CHECKOUT / "yemot_ai")  # and yemot_ai_testing
    told = ORIGINS.format(project=project.name, checkout=checkout, uses_ours=project.name == "bakery")
    run(python, "-c", told, cwd=project, OPENAI_API_KEY="none")
    run(python, "-m", "pytest", "-n", "2", cwd=project)
    run(python, "-m", "pytest", "-n", "2", "--yemot-scenario", cwd=project)


def run(*command: str | Path, cwd: Path, **variables: str) -> None:
    """Run a command with nothing of this environment that could lead to the checkout."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "COVERAGE", "PYTEST"))
    }
    subprocess.run(command, cwd=cwd, env={**ours, **variables}, check=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="yemot-ai-downstream-") as away:
        main(Path(away).resolve())
