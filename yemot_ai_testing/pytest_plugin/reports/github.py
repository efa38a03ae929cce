"""Reports to GitHub Actions: a summary of the step, and an annotation at the line of each failure."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import pytest

from yemot_ai_testing.pytest_plugin.report_options import github_report
from yemot_ai_testing.pytest_plugin.reports.call_log import CallLog, log_of_run
from yemot_ai_testing.scenario.report.markdown import markdown_summary
from yemot_ai_testing.scenario.report.masking import mask

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from yemot_ai_testing.scenario.report.call_record import CallRecord

__all__ = ["Annotation", "GitHubPlugin", "failure_annotations"]

_PLACE: Final = re.compile(r"(?P<path>.+?):(?P<line>\d+):\d+: (?P<text>.*)")


@dataclass(frozen=True, slots=True)
class Annotation:
    """A failure at a line of a file, as a command to the runner of GitHub Actions.

    Attributes:
        path: the file, relative to the root of the repository.
        line: the line, from 1.
        title: its heading.
        text: what is wrong.
    """

    path: str
    line: int
    title: str
    text: str

    def __str__(self) -> str:
        properties = {"file": self.path, "line": str(self.line), "title": self.title}
        written = ",".join(f"{name}={_escape_property(value)}" for name, value in properties.items())
        return f"::error {written}::{_escape(self.text)}"


class GitHubPlugin:
    """The plugin of a run in GitHub Actions.

    Args:
        log: the calls of the run.
        report: ``all``, ``summary`` or ``annotations``.
        folder: the working directory, to which the paths of the calls are relative.
    """

    def __init__(self, log: CallLog, report: str, folder: Path) -> None:
        self._log = log
        self._report = report
        self._folder = folder

    @classmethod
    def from_config(cls, config: pytest.Config) -> Self:
        """Return the plugin of a run."""
        return cls(log_of_run(config), github_report(config), config.invocation_params.dir)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Append the summary to the file of the step, and print the annotations."""
        path = os.environ.get("GITHUB_STEP_SUMMARY")
        if path and self._report in {"all", "summary"}:
            _append(path, mask(markdown_summary(self._log.calls), os.environ), terminalreporter)
        if os.environ.get("GITHUB_ACTIONS") == "true" and self._report in {"all", "annotations"}:
            for call in self._log.calls:
                for annotation in failure_annotations(call, self._folder):
                    terminalreporter.line(mask(str(annotation), os.environ))


def failure_annotations(call: CallRecord, folder: Path) -> Iterator[Annotation]:
    """Yield the annotations of a call: one for its failure, or one for each mistake of its file.

    Args:
        call: the call.
        folder: the folder to which its path is relative.
    """
    if call.state == "failed":
        text = "\n".join([*([call.kind] if call.kind else []), *call.messages])
        yield Annotation(_repository_path(call.path, folder), call.failure_line, call.name, text)
    elif call.state == "error":
        places = [match for match in map(_PLACE.fullmatch, call.messages) if match]
        for match in places:
            path = _repository_path(match["path"], folder)
            yield Annotation(path, int(match["line"]), call.name, match["text"])
        if not places:
            text = "\n".join(call.messages)
            yield Annotation(_repository_path(call.path, folder), max(call.line, 1), call.name, text)


def _append(path: str, text: str, terminal: TerminalReporter) -> None:
    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        terminal.line(f"the summary was not written to GITHUB_STEP_SUMMARY: {error}", yellow=True)


def _repository_path(path: str, folder: Path) -> str:
    """Return a path relative to the root of the repository, which GitHub Actions names."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    absolute = folder / path
    if workspace and absolute.is_relative_to(workspace):
        return absolute.relative_to(workspace).as_posix()
    return Path(path).as_posix()


def _escape(text: str) -> str:
    """Escape the data of a workflow command, as the toolkit of GitHub Actions does."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
