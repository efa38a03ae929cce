"""What a model service means when it refuses a request: its body, its kind of error, its wait.

>>> body = ErrorBody.parse({"error": {"code": 429, "message": "Try again in 7m12s"}})
>>> refusal_kind(body).kind, body.retry_after
('rate_limited', 432.0)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from yemot_ai.lazy_names import lazy_names

if TYPE_CHECKING:
    from yemot_ai.providers.refusals.body import ErrorBody
    from yemot_ai.providers.refusals.found import is_whole_body, refusal_in
    from yemot_ai.providers.refusals.limit_notice import LimitNotice
    from yemot_ai.providers.refusals.table import refusal_kind
    from yemot_ai.providers.refusals.waits import wait_from_text
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "ErrorBody": ".body",
            "LimitNotice": ".limit_notice",
            "is_whole_body": ".found",
            "refusal_in": ".found",
            "refusal_kind": ".table",
            "wait_from_text": ".waits",
        },
    )

__all__ = ["ErrorBody", "LimitNotice", "is_whole_body", "refusal_in", "refusal_kind", "wait_from_text"]
