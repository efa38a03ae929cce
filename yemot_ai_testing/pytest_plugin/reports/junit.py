"""Adds ``file`` and ``line`` to the scenarios of a JUnit report.

Readers in CI link a test to its source by these attributes of ``testcase``. pytest writes them for the family
``xunit1`` only, with lines from 0, and can only name where a test begins. Here they name the failed turn.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import pytest

from yemot_ai_testing.pytest_plugin.option_table import SCENARIO_SUFFIX

__all__ = ["JUnitPlugin"]

PLACE_PROPERTY: Final = "yemot_place"
FAILURE_PROPERTY: Final = "yemot_failure_place"

_PLACE: Final = re.compile(
    rf"(?P<file>.+?{re.escape(SCENARIO_SUFFIX)}):(?P<line>\d+)(?::\d+)?(?:: .*)?", re.DOTALL
)


class JUnitPlugin:
    """The plugin of a run that writes a JUnit report.

    Args:
        path: the report.
        folder: the working directory, to which the places are relative.
        root: pytest's root folder, to which ``file`` is relative, as pytest's own are.
    """

    def __init__(self, path: Path, folder: Path, root: Path) -> None:
        self._path = path
        self._folder = folder
        self._root = root

    @classmethod
    def from_config(cls, config: pytest.Config) -> JUnitPlugin:
        """Return the plugin of a run."""
        folder = config.invocation_params.dir
        written = os.path.expandvars(Path(config.option.xmlpath).expanduser())
        return cls(folder / written, folder, config.rootpath)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Rewrite the report, which pytest has just written."""
        if hasattr(session.config, "workerinput") or not self._path.is_file():
            return
        report = ET.parse(self._path)  # noqa: S314 - pytest has just written it
        for case in report.getroot().iter("testcase"):
            place = _place_of(case)
            if place is not None:
                case.set("file", self._relative(place["file"]))
                case.set("line", place["line"])
        report.write(self._path, encoding="utf-8", xml_declaration=True)

    def _relative(self, path: str) -> str:
        absolute = self._folder / path
        inside = absolute.is_relative_to(self._root)
        return absolute.relative_to(self._root).as_posix() if inside else absolute.as_posix()


def _place_of(case: ET.Element) -> re.Match[str] | None:
    """Return the place of a failure, of the scenario, or of a mistake in the file; None of other tests."""
    properties = {item.get("name"): item.get("value", "") for item in case.iter("property")}
    error = case.find("error")
    text = properties.get(FAILURE_PROPERTY) or properties.get(PLACE_PROPERTY)
    if text is None and error is not None:
        text = (error.text or "").strip()
    return _PLACE.fullmatch(text or "")
