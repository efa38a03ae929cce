"""Says that a run left scenario files out, which would otherwise look as if they had passed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import pytest

from yemot_ai_testing.pytest_plugin.option_table import SCENARIO_SUFFIX

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["LeftOutPlugin"]

_WORKER_OUTPUT_KEY: Final = "yemot_left_out"


class LeftOutPlugin:
    """The plugin of a run that plays no scenarios.

    Args:
        paths: files and folders of scenarios that the ini key names.
        folders: what the run names, if it names folders only; one that names files or tests is not asked for
            scenarios.
    """

    def __init__(self, paths: list[Path], folders: list[Path]) -> None:
        self._folders = folders
        self._files = {str(file.resolve()) for path in paths for file in _files_of(path)}

    @classmethod
    def from_config(cls, config: pytest.Config) -> Self:
        """Return the plugin of a run."""
        folders = [Path(config.invocation_params.dir, arg).resolve() for arg in config.args]
        if not all(folder.is_dir() for folder in folders):
            return cls([], [])
        is_limited = config.args_source is config.ArgsSource.ARGS
        return cls([] if is_limited else config.getini("yemot_scenarios"), folders)

    def pytest_collect_file(self, file_path: Path) -> None:
        """Notice a scenario file; pytest also offers the files beside a folder that the run names."""
        if file_path.name.endswith(SCENARIO_SUFFIX):
            path = file_path.resolve()
            if any(path.is_relative_to(folder) for folder in self._folders):
                self._files.add(str(path))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send the files to xdist's controller."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_WORKER_OUTPUT_KEY] = sorted(self._files)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - a class of xdist, which may be missing
        """Add the files that a worker noticed."""
        self._files.update(getattr(node, "workeroutput", {}).get(_WORKER_OUTPUT_KEY, ()))

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Print how many files were left out."""
        count = len(self._files)
        if count and terminalreporter.config.get_verbosity() >= 0:
            files = "1 scenario file was" if count == 1 else f"{count} scenario files were"
            terminalreporter.line(f"{files} not played: add --yemot-scenario or --yemot-also")


def _files_of(path: Path) -> list[Path]:
    return [path] if path.is_file() else list(path.rglob(f"*{SCENARIO_SUFFIX}"))
