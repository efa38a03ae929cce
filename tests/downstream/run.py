"""Test two example projects with the built wheel, in a fresh environment outside the checkout.

``python tests/downstream/run.py`` builds the wheel, creates an environment in a temporary folder, installs
the wheel and the projects, and runs their suites as their developers would.
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
CHECK_ORIGINS = """
import sys
import {project}.phone
imported = [name for name in sys.modules if name.partition(".")[0] in ("yemot_ai", "yemot_ai_testing")]
assert bool(imported) is {imports_yemot_ai}, imported
import yemot_ai_testing.plugin
for module in list(sys.modules.values()):
    origin = getattr(module, "__file__", None) or ""
    assert not origin.startswith({checkout!r}), f"{{module}} is imported from the checkout"
"""


def main(folder: Path) -> None:
    """Test both projects in ``folder``, which is empty."""
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, CHECKOUT, cwd=folder)
    (wheel,) = folder.glob("yemot_ai-*.whl")
    for project in PROJECTS:
        shutil.copytree(HERE / project, folder / project, ignore=shutil.ignore_patterns("__pycache__"))
    venv.create(folder / "venv")
    python = folder / "venv" / "bin" / "python"
    # The running pip installs into it without compiling: half the time of a separate pip.
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-compile")
    requirements = (f"{wheel}[testing,openai]", *(f"{folder / project}[test]" for project in PROJECTS))
    run(*pip, *requirements, cwd=folder)
    for project in PROJECTS:
        run_suite(python, folder / project)
    # As its developer would: the wheel has the template, and the steps of the workflow need no more.
    run(python, "-m", "yemot_ai", "new", "library", cwd=folder)
    run(python, CHECKOUT / "tests" / "new" / "ci_steps.py", folder / "library", cwd=folder)


def run_suite(python: Path, project: Path) -> None:
    """Check that one project imports nothing from the checkout; then run its tests and its scenarios."""
    print(f"\n== {project.name}", flush=True)  # noqa: T201 - the progress of a script
    checkout = str(CHECKOUT / "yemot_ai")  # and yemot_ai_testing
    imports = project.name == "bakery"
    origins = CHECK_ORIGINS.format(project=project.name, checkout=checkout, imports_yemot_ai=imports)
    run(python, "-c", origins, cwd=project, OPENAI_API_KEY="none")
    run(python, "-m", "pytest", "-n", "2", cwd=project)
    run(python, "-m", "pytest", "-n", "2", "--yemot-scenario", cwd=project)


def run(*command: str | Path, cwd: Path, **variables: str) -> None:
    """Run a command without the variables of this environment that could lead to the checkout."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "COVERAGE", "PYTEST"))
    }
    subprocess.run(command, cwd=cwd, env={**environment, **variables}, check=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="yemot-ai-downstream-") as folder:
        main(Path(folder).resolve())
