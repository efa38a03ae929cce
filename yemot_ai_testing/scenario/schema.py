"""The JSON Schema of ``*.call.yaml``, for editors; the loader knows and checks more.

>>> schema()["required"]
['scenarios']
"""

from __future__ import annotations

from typing import Any, TypeAlias

from yemot_ai_testing.doubles.script import FAILURES
from yemot_ai_testing.scenario.expectations import MODES, READ_FIELDS
from yemot_ai_testing.scenario.model import AFTERWARDS

__all__ = ["schema"]

Schema: TypeAlias = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
YES: Schema = {"const": True}
TRUTH: Schema = {"type": "boolean"}
SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
TIME: Schema = {"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m)$"}
KEYS: Schema = {"type": "string", "pattern": "^[0-9*#]+$"}
APP: Schema = {"type": "string", "pattern": r"^[\w.]+:[\w.]+$"}


def schema() -> Schema:
    """Return the schema of a whole file."""
    properties = {
        "name": TEXT,
        "app": APP,
        "serve": _serve(),
        "caller": _caller(),
        "scenarios": {"type": "array", "minItems": 1, "items": _scenario()},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Phone calls on a Yemot line",
        **_object(properties, required=["scenarios"]),
    }


def _scenario() -> Schema:
    properties = {
        "name": TEXT,
        "app": APP,
        "serve": _serve(),
        "caller": _caller(),
        "turns": {"type": "array", "minItems": 1, "items": _turn()},
        "afterwards": _object({str(word): COUNT for word in AFTERWARDS}),
    }
    return _object(properties, required=["name", "turns"])


def _turn() -> Schema:
    return _object(
        {
            "says": {"type": ["string", "number"]},
            "presses": KEYS,
            "records": TEXT,
            "silent": YES,
            "repeats": YES,
            "hangs_up": YES,
            "hears": {"anyOf": [TEXT, _hears()]},
            "agent": {"anyOf": [_agent(), {"type": "array", "items": _agent()}]},
            "meanwhile": _object({"hangs_up": YES, "presses": KEYS, "after": TIME}),
        }
    )


def _hears() -> Schema:
    fields = {name: SCALAR for name in READ_FIELDS if name != "mode"}
    read = _object({"mode": {"enum": list(MODES)}, **fields})
    return _object(
        {
            "contains": TEXTS,
            "excludes": TEXTS,
            "equals": TEXT,
            "matches": {"type": "string", "format": "regex"},
            "read": {"anyOf": [read, TRUTH]},
            "play": TEXTS,
            "goto": TEXT,
            "ends": TRUTH,
            "same": TRUTH,
            "within": {"anyOf": [TIME, {"type": "array", "items": TIME, "minItems": 2, "maxItems": 2}]},
        }
    )


def _agent() -> Schema:
    return _object(
        {
            "answers": TEXTS,
            "transcribes": TEXT,
            "after": TIME,
            "fails": {"enum": list(FAILURES)},
            "hangs": YES,
            "drops": YES,
            "crash": _object({"exit": COUNT, "stderr": TEXT}),
            "malformed": YES,
            "unknown_session": YES,
            "busy_session": YES,
        }
    )


def _serve() -> Schema:
    path = {"type": "string", "pattern": "^/"}
    command: Schema = {"anyOf": [{**TEXT, "minLength": 1}, {"type": "array", "items": TEXT, "minItems": 1}]}
    served = _object({"command": command, "path": path, "within": TIME}, required=["command"])
    return {"anyOf": [*command["anyOf"], served]}


def _caller() -> Schema:
    phone = {"type": ["string", "number"]}
    return _object({"phone": phone, "extension": phone, "method": {"enum": ["GET", "POST"]}})


def _object(properties: Schema, *, required: list[str] | None = None) -> Schema:
    closed = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**closed, "required": required} if required else closed
