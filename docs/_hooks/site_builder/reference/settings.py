"""The settings that are values: classes with their fields, defaults and meanings."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from site_builder.reference.docstrings import read_docstring
from site_builder.reference.markdown import code, default, document, table
from yemot_ai import AccessPolicy, AnswerLimits, DialogSettings, Limits, RequestLimits
from yemot_ai.server.limits import ServerLimits
from yemot_ai_testing.line.platform.settings import line_settings

__all__ = ["page"]

SETTINGS = (DialogSettings, Limits, AnswerLimits, RequestLimits, ServerLimits, AccessPolicy)
INTRODUCTION = (
    "Classes whose fields are settings, and the settings of the simulated line. Arguments of `YemotAI` and "
    "`AIFlow`: [yemot_ai](python/yemot_ai.md). Environment variables: [environment](../environment.md)."
)


def page() -> str:
    """Return the page."""
    parts = [part for settings in SETTINGS for part in _class(settings)]
    return document("Settings", INTRODUCTION, *parts, *_line())


def _class(settings: Any) -> Iterator[str]:  # noqa: ANN401 - a dataclass
    documented = read_docstring(settings)
    yield f"## {settings.__name__}"
    yield documented.text
    rows = [
        (code(field.name), _default(field), documented.items.get(field.name, ""))
        for field in dataclasses.fields(settings)
        if field.init
    ]
    yield table(("field", "default", ""), rows)


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return default(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return (
            code(repr(field.default_factory()))
            if field.type in {"float", "int"}
            else default(field.default_factory)
        )
    return "required"


def _line() -> Iterator[str]:
    yield "## The simulated line"
    yield "Arguments of `Caller`, keys of `caller.line` in a scenario, and lines of the ini key `yemot_line`."
    rows = [(code(name), default(one.default), one.meaning) for name, one in line_settings().items()]
    yield table(("setting", "default", ""), rows)
