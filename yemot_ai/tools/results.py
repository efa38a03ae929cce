"""What a run of a tool returns, as text for the model.

>>> result_text({"status": "מוכנה"})
'{"status": "מוכנה"}'
>>> result_text(None)
'done'
>>> failure_text("there is no order 17")
'{"error": "there is no order 17"}'
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final

from yemot_ai.errors import ToolError

__all__ = ["DONE", "MAX_RESULT", "UNKNOWN", "failure_text", "refusal", "result_text"]

DONE: Final = "done"
"""The result of a function that returns None."""

MAX_RESULT: Final = 20_000
"""Characters of a result; the rest is not sent: the model's context, and the session, are bounded."""

CUT_MARK: Final = " … (the result is longer)"

UNKNOWN: Final = (
    "it is not known whether this was done, because the run was interrupted; "
    "do not call the tool again for this, and say so to the caller"
)


def result_text(value: object) -> str:
    """Return a result as text: a text as it is, another value as JSON; needs pydantic, as tools do.

    Raises:
        TypeError: JSON cannot represent the value.
        ValueError: it cannot, or the value contains itself.
    """
    from pydantic_core import to_jsonable_python  # noqa: PLC0415 - an extra

    if value is None:
        return DONE
    if isinstance(value, str):
        return _bounded(value)
    plain = to_jsonable_python(value, by_alias=False, fallback=_to_json)
    return _bounded(json.dumps(plain, ensure_ascii=False))


def refusal(error: ToolError) -> str:
    """Return why a tool has refused, for ``failure_text``."""
    return _bounded(str(error)) or "it was refused, without a reason"


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_RESULT else text[:MAX_RESULT] + CUT_MARK


def failure_text(message: str) -> str:
    """Return why there is no result, for the model."""
    return json.dumps({"error": message}, ensure_ascii=False)


def _to_json(value: object) -> Any:  # noqa: ANN401 - a value that JSON can represent
    """Return what pydantic does not know: a row of a database, a view, a date of another library."""
    keys = getattr(value, "keys", None)
    if callable(keys):
        return {key: value[key] for key in keys()}  # type: ignore[index]  # it has keys
    if isinstance(value, Collection):
        return list(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} cannot be sent to the model: return a text, or JSON")
