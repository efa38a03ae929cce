"""The JSON Schema of ``*.call.yaml``, for editors and for the loader.

``format`` names checks of the loader that JSON Schema cannot express: ``regex`` (it compiles), ``keys`` (they
are quoted, unless they begin with a letter), ``command`` (its quotes are closed), ``warn-fail`` (in this
order), ``meanwhile`` (the caller acts at most once), ``turns`` (all but the first have a verb, or only
listen; the model answers the results of tools), ``agent`` (each call has its arguments), ``json`` (a value of
JSON). ``x-message`` is the loader's message for a broken rule,
``title`` the name of a part in messages, ``description`` what a key means. Only keywords of draft 7 are used.

>>> SCHEMA["required"]
['scenarios']
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from yemot_ai_testing.doubles.steps import CUT_REASONS, FAILURE_KINDS, STEP_SYNTAX, StepSyntax
from yemot_ai_testing.line.platform.settings import LineSetting, line_settings
from yemot_ai_testing.scenario.format.agent_steps import DELAYED_OUTCOMES, OUTCOMES
from yemot_ai_testing.scenario.format.descriptions import DESCRIPTIONS
from yemot_ai_testing.scenario.format.expectations import MODES, READ_FIELDS
from yemot_ai_testing.scenario.format.model import CALL_ENDINGS, LEFTOVER_KINDS, SERVER_VERBS, VERBS

__all__ = ["AGENT_STEPS", "DEFINITIONS", "LINE", "SCHEMA", "Schema"]

Schema: TypeAlias = dict[str, Any]

EVENT_KEYS: Final = ("hangs_up", "presses", *SERVER_VERBS)


def _object(
    title: str, properties: Schema, *, required: Iterable[str] = (), rules: Iterable[Schema] = ()
) -> Schema:
    known = DESCRIPTIONS.get(title, {})
    described = {
        key: value | {"description": known[key]} if key in known else value
        for key, value in properties.items()
    }
    closed = {"type": "object", "title": title, "properties": described, "additionalProperties": False}
    optional = {"required": list(required), "allOf": list(rules)}
    return closed | {key: value for key, value in optional.items() if value}


def _list(items: Schema, **bounds: int) -> Schema:
    return {"type": "array", "items": items, **bounds}


def _has(*keys: str) -> Schema:
    return {"required": list(keys)}


def _any_of(keys: Iterable[str]) -> Schema:
    return {"anyOf": [_has(key) for key in keys]}


def _one_of(keys: Iterable[str]) -> Schema:
    return {"oneOf": [_has(key) for key in keys]}


def _rule(message: str, condition: Schema) -> Schema:
    return condition | {"x-message": message}


def _belongs(key: str, owners: list[str]) -> Schema:
    allowed = {"anyOf": [{"not": _has(key)}, *map(_has, owners)]}
    return _rule(f"{key} belongs to {' or '.join(owners)}", allowed)


# A number is a text here, so that phone numbers need no quotes.
TEXT: Final[Schema] = {"type": ["string", "number"]}
NONEMPTY_TEXT: Final[Schema] = TEXT | {
    "minLength": 1,
    "x-message": "a text; for silence write `silent: true`",
}
# Names of tests: pytest splits node ids at "::" and prints names to the terminal unescaped.
SCENARIO_NAME: Final[Schema] = TEXT | {
    "pattern": r"^(?!.*::)(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+$",
    "x-message": "a text of one line, without :: and control characters",
}
TEXTS: Final[Schema] = {"anyOf": [TEXT, _list(TEXT)]}
ANSWER_TEXTS: Final[Schema] = {"anyOf": [TEXT, _list(TEXT, minItems=1)]}
TRUE: Final[Schema] = {"const": True}
BOOLEAN: Final[Schema] = {"type": "boolean"}
SCALAR: Final[Schema] = {"type": ["string", "number", "boolean", "null"]}
JSON_VALUE: Final[Schema] = {
    "type": ["object", "array", "string", "number", "boolean", "null"],
    "format": "json",
}
JSON_OBJECT: Final[Schema] = {"type": "object", "format": "json"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
DURATION: Final[Schema] = {
    "type": "string",
    "pattern": r"^[0-9]{1,6}(\.[0-9]{1,6})?(ms|s|m)$",
    "x-message": "a time with its unit, such as 2s or 500ms",
}
SECONDS: Final[Schema] = {
    "type": ["string", "number"],
    "minimum": 0,
    "pattern": r"^[0-9]{1,10}(\.[0-9]{1,6})?(ms|s|m)?$",
    "x-message": "a number of seconds, or a time with its unit, such as 10 or 500ms",
}
# Letters are for the letter keyboards; whether a question has one is known when it is asked.
KEYS: Final[Schema] = {
    "type": "string",
    "format": "keys",
    "pattern": r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+$",
    "x-message": "keys 0-9 * #, or letters for a letter keyboard, without control characters",
}
APP: Final[Schema] = {
    "type": "string",
    "pattern": r"^[\w.]+:[\w.]+(/[^\s?#]*)?$",
    "x-message": "module:attribute, such as shop.phone:flow, or with a path, shop.web:app/yemot",
}
PATH: Final[Schema] = {"type": "string", "pattern": "^/", "x-message": "a path with a slash, such as /yemot"}

COMMANDS: Final[list[Schema]] = [
    TEXT | {"pattern": r"\S", "format": "command", "x-message": "a program, such as node server.js"},
    _list(TEXT, minItems=1) | {"x-message": "a program and its arguments, such as [node, server.js]"},
]
SERVE: Final[Schema] = {
    "anyOf": [
        *COMMANDS,
        _object(
            "serve",
            {"command": {"anyOf": COMMANDS}, "path": PATH, "within": DURATION},
            required=["command"],
        ),
    ]
}


def _line_setting(setting: LineSetting) -> Schema:
    if setting.choices:
        return {"enum": list(setting.choices)}
    if setting.default is None:
        return {"anyOf": [SECONDS, {"type": "null"}]}
    return LINE_VALUES[type(setting.default)]


LINE_VALUES: Final[dict[type, Schema]] = {bool: BOOLEAN, int: COUNT, float: SECONDS, str: TEXT}
LINE: Final = _object("caller.line", {name: _line_setting(one) for name, one in line_settings().items()})
CALLER: Final = _object(
    "caller", {"phone": TEXT, "extension": TEXT, "method": {"enum": ["GET", "POST"]}, "line": LINE}
)
TARGET_PROPERTIES: Final[Schema] = {"app": APP, "serve": SERVE, "caller": CALLER}
APP_OR_SERVE: Final = _rule(
    "app and serve both say what is called: leave one out", {"not": _has("app", "serve")}
)

READ: Final = _object(
    "hears.read",
    dict.fromkeys(READ_FIELDS, SCALAR)
    | {"mode": {"enum": list(MODES)}, "allowed": {"anyOf": [SCALAR, _list(TEXT)]}},
)
SILENCE_LIMITS: Final[Schema] = {
    "anyOf": [DURATION, _list(DURATION, minItems=2, maxItems=2) | {"format": "warn-fail"}],
    "x-message": "a time, or [warn, fail], such as 4s or [2s, 4s]",
}
HEARS: Final = _object(
    "hears",
    {
        "contains": TEXTS,
        "excludes": TEXTS,
        "equals": TEXT,
        "matches": TEXT | {"format": "regex"},
        "read": {"anyOf": [READ, BOOLEAN]},
        "play": TEXTS,
        "goto": TEXT,
        "ends": {"enum": [True, False, *CALL_ENDINGS]},
        "same": BOOLEAN,
        "within": SILENCE_LIMITS,
    },
)
TOOL_ARGUMENTS: Final[Schema] = {
    "anyOf": [JSON_OBJECT, _list(JSON_OBJECT, minItems=1)],
    "x-message": "the arguments of the call, such as {id: 7}; of several calls, a list of them",
}
FIELD_TYPES: Final[dict[str, Schema]] = {
    "tuple[str, ...]": ANSWER_TEXTS,
    "str": TEXT,
    "FailureKind": {"enum": list(FAILURE_KINDS)},
    "CutReason": {"enum": list(CUT_REASONS)},
    "int": COUNT,
    "tuple[ToolArguments, ...]": TOOL_ARGUMENTS,
}


def _step_value(syntax: StepSyntax) -> Schema:
    """Return the schema of the value of a step's key."""
    if syntax.mapping:
        return _object(syntax.key, {name: FIELD_TYPES[syntax.field_types[name]] for name in syntax.mapping})
    return FIELD_TYPES[syntax.field_types[syntax.value]] if syntax.value else TRUE


def _owners(option: str) -> list[str]:
    """Return the keys of the steps beside which ``option`` may stand."""
    return [syntax.key for syntax in STEP_SYNTAX if option in dict(syntax.options)]


STEP_OPTIONS: Final[dict[str, Schema]] = {
    key: FIELD_TYPES[syntax.field_types[name]] for syntax in STEP_SYNTAX for key, name in syntax.options
}
"""The keys beside a step's own, each with the schema of its value."""

AGENT_REF: Final[Schema] = {"$ref": "#/definitions/agent"}

AGENT: Final = _object(
    "agent",
    {"after": DURATION}
    | {syntax.key: _step_value(syntax) for syntax in STEP_SYNTAX}
    | STEP_OPTIONS
    | {"then": {"anyOf": [AGENT_REF, _list(AGENT_REF, minItems=1)]}},
    rules=[
        _rule(
            f"agent needs one of {', '.join(OUTCOMES)}, and not two of them"
            f" (the text of an answer that is cut: text); a list has one step for each model call",
            _one_of(OUTCOMES),
        ),
        _rule(
            f"after is how long the model takes before one of {', '.join(DELAYED_OUTCOMES)}",
            {"anyOf": [{"not": _has("after")}, *map(_has, DELAYED_OUTCOMES)]},
        ),
        *(_belongs(key, _owners(key)) for key in STEP_OPTIONS),
        _belongs("then", ["calls"]),
    ],
) | {"format": "agent"}
AGENT_STEPS: Final[Schema] = {"anyOf": [AGENT, _list(AGENT)]}
DEFINITIONS: Final = {"agent": AGENT}
CALLED: Final[Schema] = {
    "type": "string",
    "pattern": r"^(/.*|[\w.]+:[\w.]+)$",
    "x-message": "a path of the server, such as /open, or a function, such as shop.room:open",
}
FORM: Final[Schema] = {"type": "object", "title": "data", "additionalProperties": SCALAR}
TURN_EVENT: Final = _object(
    "meanwhile",
    {"hangs_up": TRUE, "presses": KEYS, "posts": PATH, "data": FORM, "calls": CALLED, "after": DURATION},
    rules=[
        _rule(
            f"meanwhile needs one of {', '.join(EVENT_KEYS)}; a list can have several",
            _one_of(EVENT_KEYS),
        ),
        _rule("data is the form of posts", {"anyOf": [{"not": _has("data")}, _has("posts")]}),
    ],
)
FUNCTION: Final[Schema] = {
    "type": "string",
    "pattern": r"^[\w.]+:[\w.]+$",
    "x-message": "a function, such as shop.checks:is_paid",
}
TOOL: Final = _object(
    "tool",
    {"returns": JSON_VALUE, "raises": NONEMPTY_TEXT, "after": DURATION},
    rules=[
        _rule("a tool returns or raises: leave one out", {"not": _has("returns", "raises")}),
        _rule(
            "a tool needs one of returns, raises, after (the tool itself runs then)",
            _any_of(["returns", "raises", "after"]),
        ),
    ],
)
TOOLS: Final[Schema] = {"type": "object", "additionalProperties": TOOL}
EXPECTED_TOOL: Final[Schema] = {
    "anyOf": [
        NONEMPTY_TEXT | {"x-message": "the name of a tool"},
        {
            "type": "object",
            "additionalProperties": JSON_OBJECT,
            "minProperties": 1,
            "maxProperties": 1,
            "x-message": "one tool with its arguments, such as cancel_order: {id: 7}",
        },
    ]
}
AFTERWARDS: Final = _object(
    "afterwards",
    {str(kind): COUNT for kind in LEFTOVER_KINDS} | {"tools": _list(EXPECTED_TOOL), "check": FUNCTION},
)
TURN_RULES: Final = [
    _rule(
        "a turn has one verb: write a turn for each",
        {"oneOf": [{"not": _any_of(VERBS)}, *map(_has, VERBS)]},
    ),
    _rule(
        "a caller who hangs up gets no answer: leave out agent and meanwhile",
        {"not": _has("hangs_up") | _any_of(["agent", "meanwhile"])},
    ),
]


def _turn() -> Schema:
    properties = {
        "says": NONEMPTY_TEXT,
        "presses": KEYS,
        "records": NONEMPTY_TEXT,
        "silent": TRUE,
        "repeats": TRUE,
        "hangs_up": TRUE,
        "hears": {"anyOf": [TEXT, HEARS]},
        "agent": AGENT_STEPS,
        "meanwhile": {"anyOf": [TURN_EVENT, _list(TURN_EVENT, minItems=1) | {"format": "meanwhile"}]},
    }
    return _object("a turn", properties, rules=TURN_RULES)


SCENARIO: Final = _object(
    "a scenario",
    {
        "name": SCENARIO_NAME,
        **TARGET_PROPERTIES,
        "tool": TOOLS,
        "order": NONEMPTY_TEXT,
        "turns": _list(_turn(), minItems=1)
        | {"format": "turns", "x-message": "turns must contain at least one turn"},
        "afterwards": AFTERWARDS,
    },
    required=["name", "turns"],
    rules=[APP_OR_SERVE],
)
SCHEMA: Final[Schema] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    **_object(
        "a call file",
        {
            "name": TEXT,
            **TARGET_PROPERTIES,
            "tool": TOOLS,
            "scenarios": _list(SCENARIO, minItems=1)
            | {"x-message": "scenarios must contain at least one call"},
        },
        required=["scenarios"],
        rules=[APP_OR_SERVE],
    ),
    "definitions": DEFINITIONS,
}
