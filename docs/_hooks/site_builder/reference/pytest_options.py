"""Options, ini keys, fixtures and the marker of the pytest plugin."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from _pytest.fixtures import FixtureFunctionDefinition

from site_builder.reference.docstrings import read_docstring
from site_builder.reference.markdown import code, document, table
from yemot_ai_testing import plugin

__all__ = ["page"]

INTRODUCTION = (
    "What the plugin adds to pytest. How to use it: [plugin](../plugin.md), [scenarios](../scenarios.md)."
)


class _Recorder:
    """Takes the place of pytest's parser, and keeps what is added to it."""

    def __init__(self) -> None:
        self.options: list[tuple[str, str]] = []
        self.keys: list[tuple[str, str, str]] = []

    def getgroup(self, *_: object, **__: object) -> _Recorder:
        return self

    def addoption(self, *names: str, **settings: Any) -> None:  # noqa: ANN401 - pytest's signature
        text = settings.get("help", "")
        if text is not argparse.SUPPRESS:
            choices = "|".join(settings.get("choices", ()))
            value = settings.get("metavar") or choices
            self.options.append((", ".join(code(f"{name} {value}".strip()) for name in names), text))

    def addini(self, name: str, text: str, *, type: str | None = None, default: object = None) -> None:  # noqa: A002 - pytest's signature
        if not text.startswith("renamed"):
            shown = "" if default in (None, "", []) else code(str(default))
            self.keys.append((code(name), shown, f"{text} ({type})" if type else text))


def page() -> str:
    """Return the page."""
    recorder: Any = _Recorder()
    plugin.pytest_addoption(recorder)
    name, _, meaning = plugin.MARKER.partition(": ")
    return document(
        "pytest: options and fixtures",
        INTRODUCTION,
        "## Options",
        table(("option", ""), recorder.options),
        "## Keys of the configuration file",
        table(("key", "default", ""), recorder.keys),
        "## Fixtures",
        table(("fixture", ""), _fixtures()),
        "## Marker",
        f"`@pytest.mark.{name}`: {meaning}.",
    )


def _fixtures() -> Iterator[tuple[str, str]]:
    for name, value in vars(plugin).items():
        if isinstance(value, FixtureFunctionDefinition) and not name.startswith("_"):
            yield code(name), read_docstring(value).text
