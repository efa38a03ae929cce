"""What a run of a tool returns, as text for the model.

>>> result_text({"status": "מוכנה"})
'{"status": "מוכנה"}'
>>> result_text(None)
'done'
>>> failure_text("there is no order 17")
'{"error": "there is no order 17"}'
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Final

__all__ = ["DONE", "MAX_RESULT", "UNKNOWN", "failure_text", "result_text"]

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
    """Return a result as text: a text as it is, another value as JSON.

    Raises:
        TypeError: JSON cannot represent the value.
        ValueError: the value contains itself, or a number that JSON does not have.
    """
    if value is None:
        return DONE
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_to_json)
    return text if len(text) <= MAX_RESULT else text[:MAX_RESULT] + CUT_MARK


def failure_text(message: str) -> str:
    """Return why there is no result, for the model."""
    return json.dumps({"error": message}, ensure_ascii=False)


def _to_json(value: object) -> Any:  # noqa: ANN401 - a value that JSON can represent
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    dump = getattr(value, "model_dump", None)  # a model of pydantic
    if callable(dump):
        return dump(mode="json")
    if hasattr(value, "isoformat"):  # a date, a time
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} cannot be sent to the model: return a text, or JSON")
