"""Run the steps of a project's workflow, in the environment of the Python that runs this script.

``python ci_steps.py PROJECT`` prints each command. The step that installs is left out: what it installs is
in the environment already.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

__all__ = ["WORKFLOW", "run_steps", "steps_of"]

WORKFLOW = Path(".github", "workflows", "tests.yml")


def steps_of(project: Path) -> dict[str, str]:
    """Return the names and the commands of the steps that run a command."""
    workflow = yaml.safe_load((project / WORKFLOW).read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    return {step["name"]: step["run"] for step in job["steps"] if "run" in step}


def run_steps(project: Path, **variables: str) -> list[str]:
    """Run all steps but the one that installs, as GitHub does; return their names."""
    scripts = Path(sys.executable).parent
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "GITHUB"))}
    environment = {**clean, "PATH": f"{scripts}{os.pathsep}{clean['PATH']}", "CI": "true", **variables}
    steps = {name: command for name, command in steps_of(project).items() if name != "Install"}
    for name, command in steps.items():
        result = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", command],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"== {name}\n{result.stdout}{result.stderr}", flush=True)  # noqa: T201 - the log of the steps
        result.check_returncode()
    return list(steps)


if __name__ == "__main__":
    run_steps(Path(sys.argv[1]))
