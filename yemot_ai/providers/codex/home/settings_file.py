"""Write settings of Codex as TOML, for a file that only this user can read.

An argument of a process can be read by every user of the machine, so texts of ``config=`` are none:
``codex exec`` gets them in a profile (``--profile NAME`` reads ``$CODEX_HOME/NAME.config.toml``; measured,
0.142 to 0.171), and ``codex app-server``, which has no profiles, over its standard input.

>>> settings = nested_settings({"model_providers.own.http_headers": '{ "X-Key" = "…" }'})
>>> settings
{'model_providers': {'own': {'http_headers': {'X-Key': '…'}}}}
>>> print(toml_text(settings), end="")
"model_providers" = {"own" = {"http_headers" = {"X-Key" = "…"}}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["PROFILE_PREFIX", "nested_settings", "toml_text", "toml_value"]

PROFILE_PREFIX: Final = "yemot-ai-"
"""The names of our profiles begin with it."""


def nested_settings(settings: Mapping[str, object]) -> dict[str, Any]:
    """Return settings by dotted name, as in ``codex -c name=value``, as nested tables.

    Codex reads a text as TOML, and as the text itself if it is none (measured).
    """
    nested: dict[str, Any] = {}
    for name, value in settings.items():
        *tables, last = name.split(".")
        table = nested
        for key in tables:
            inner = table.get(key)
            table[key] = inner if isinstance(inner, dict) else {}
            table = table[key]
        _merge(table, last, _value(value) if isinstance(value, str) else value)
    return nested


def toml_text(settings: Mapping[str, Any]) -> str:
    """Return nested settings as TOML, one line for each first key."""
    return "".join(f"{_key(name)} = {toml_value(value)}\n" for name, value in settings.items())


def toml_value(value: object) -> str:
    """Return a value as TOML, in one line."""
    match value:
        case dict():
            return (
                "{" + ", ".join(f"{_key(name)} = {toml_value(inner)}" for name, inner in value.items()) + "}"
            )
        case list():
            return f"[{', '.join(map(toml_value, value))}]"
        case bool() | int():
            return json.dumps(value)
        case str():
            return _key(value)
        case _:
            # Numbers and times as TOML writes them.
            return str(value)


def _merge(table: dict[str, Any], name: str, value: object) -> None:
    before = table.get(name)
    if isinstance(before, dict) and isinstance(value, dict):
        for key, inner in value.items():
            _merge(before, key, inner)
    else:
        table[name] = value


def _value(text: str) -> object:
    import tomllib  # noqa: PLC0415 - few providers have such settings

    try:
        parsed = tomllib.loads(f"value = {text}")
    except ValueError:
        return text
    # A text of several lines may be several settings.
    return parsed["value"] if len(parsed) == 1 else text


def _key(text: str) -> str:
    """Return a TOML string; its escapes are those of JSON, with one character more."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
