"""Says that scenario files were not played, which would otherwise look as if they had passed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import pytest

from yemot_ai_testing.pytest_plugin.option_table import SCENARIO_SUFFIX
from yemot_ai_testing.pytest_plugin.options import plays_only_scenarios, runs_scenarios
from yemot_ai_testing.pytest_plugin.scenarios.project_files import (
    files_of,
    folder_name,
    folders_of,
    project_files,
)

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["LeftOutPlugin"]

_WORKER_OUTPUT_KEY: Final = "yemot_scenario_files"


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a run was asked for.

    Attributes:
        root: the folder of the project.
        paths: the files and folders of the run.
        plays: whether it plays scenarios.
        is_exclusive: whether it plays nothing else.
        is_whole: whether it is of the whole project: no path was named.
        is_named: whether ``--yemot-scenario`` names what is played.
    """

    root: Path
    paths: tuple[Path, ...]
    plays: bool
    is_exclusive: bool
    is_whole: bool
    is_named: bool

    @classmethod
    def from_config(cls, config: pytest.Config) -> Self:
        folder, source = config.invocation_params.dir, config.args_source
        is_at_root = source is config.ArgsSource.INVOCATION_DIR and folder == config.rootpath
        return cls(
            root=config.rootpath.resolve(),
            paths=tuple(Path(folder, arg.partition("::")[0]).resolve() for arg in config.args),
            plays=runs_scenarios(config),
            is_exclusive=plays_only_scenarios(config),
            is_whole=is_at_root or source is config.ArgsSource.TESTPATHS,
            is_named=any(config.getoption("yemot_scenario") or ()),
        )

    @property
    def has_only_folders(self) -> bool:
        """Whether it names folders only; one that names files or tests is not asked for scenarios."""
        return all(path.is_dir() for path in self.paths)

    @property
    def expects_scenarios(self) -> bool:
        """Whether a run without scenarios is no run of what it was asked for."""
        return self.plays and (self.is_exclusive or self.is_whole or self.has_only_folders)


class LeftOutPlugin:
    """The plugin that compares the scenario files of a run with those of the project.

    Args:
        scope: what the run was asked for.
        paths: files and folders of scenarios that the ini key names and the run leaves out.
    """

    def __init__(self, scope: _Scope, paths: list[Path]) -> None:
        self._scope = scope
        self._files = {file.resolve() for path in paths for file in files_of(path)}

    @classmethod
    def from_config(cls, config: pytest.Config) -> Self:
        """Return the plugin of a run."""
        scope = _Scope.from_config(config)
        is_limited = config.args_source is config.ArgsSource.ARGS or not scope.has_only_folders
        return cls(scope, [] if scope.plays or is_limited else config.getini("yemot_scenarios"))

    def pytest_collect_file(self, file_path: Path) -> None:
        """Notice a scenario file; pytest also offers the files beside a path that the run names."""
        if file_path.name.endswith(SCENARIO_SUFFIX):
            path = file_path.resolve()
            if any(path.is_relative_to(named) for named in self._scope.paths):
                self._files.add(path)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send the files to xdist's controller; fail a run of scenarios that has none."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_WORKER_OUTPUT_KEY] = sorted(map(str, self._files))
            return
        is_without = self._scope.plays and self._scope.is_whole and not self._files
        if is_without and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - a class of xdist, which may be missing
        """Add the files that a worker noticed."""
        self._files.update(map(Path, getattr(node, "workeroutput", {}).get(_WORKER_OUTPUT_KEY, ())))

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Print which files were not played, also with ``-q``."""
        scope = self._scope
        if self._files and not scope.plays and scope.has_only_folders:
            terminalreporter.line(f"{_not_played(len(self._files))}: add --yemot-scenario or --yemot-also")
        elsewhere = self._elsewhere(terminalreporter.config)
        if elsewhere or (scope.expects_scenarios and not self._files):
            terminalreporter.line(self._elsewhere_text(elsewhere), red=scope.plays)

    def _elsewhere(self, config: pytest.Config) -> list[Path]:
        """Return the files of the project that no path of the run or of the ini key reaches."""
        is_selected = self._scope.is_named or config.getini("yemot_scenarios")
        if not self._scope.is_whole or (self._files and is_selected):
            return []
        ignored = [Path(config.invocation_params.dir, path).resolve() for path in config.option.ignore or ()]
        reached = [*ignored, *self._scope.paths]
        files = project_files(self._scope.root, config.getini("norecursedirs"))
        return [file for file in files if not any(file.is_relative_to(path) for path in reached)]

    def _elsewhere_text(self, elsewhere: list[Path]) -> str:
        root = self._scope.root
        folders = folders_of(elsewhere, root)
        found = ", ".join(f"{folder}/" for folder in folders)
        setting = json.dumps(folders_of({*self._files, *elsewhere}, root), ensure_ascii=False)
        if self._files:
            return f"{_not_played(len(elsewhere), f' in {found}')}: set yemot_scenarios = {setting}"
        nothing = (
            f"no *{SCENARIO_SUFFIX} under {', '.join(folder_name(path, root) for path in self._scope.paths)}"
        )
        if elsewhere:
            return f"{nothing}; found {len(elsewhere)} in {found}: set yemot_scenarios = {setting}"
        return f"{nothing}: name a file or a folder, --yemot-scenario=PATH, or set yemot_scenarios"


def _not_played(count: int, where: str = "") -> str:
    files, were = ("file", "was") if count == 1 else ("files", "were")
    return f"{count} scenario {files}{where} {were} not played"
