"""The calls in the responses that a service has stored: the request that continues one has their results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yemot_ai_testing.doubles.model_service.tool_checks import ids_of, unpaired_problem
from yemot_ai_testing.doubles.model_service.validation import MalformedRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["IssuedCalls"]


class IssuedCalls:
    """Remembers the calls of each response."""

    def __init__(self) -> None:
        self._calls: dict[str, tuple[str, ...]] = {}

    def note(self, response: Mapping[str, Any]) -> None:
        """Remember the calls of a response of the Responses API; another body has none."""
        output = response.get("output")
        if isinstance(output, list):
            self._calls[str(response.get("id"))] = ids_of(output, "function_call", "call_id")

    def check(self, request: Mapping[str, Any]) -> None:
        """Check the body of a request that continues a response.

        Raises:
            MalformedRequestError: a result has no call, or a call has no result.
        """
        calls = self._calls.get(str(request.get("previous_response_id")))
        if calls is None:
            return
        items = request.get("input")
        sent = items if isinstance(items, list) else []
        known = (*calls, *ids_of(sent, "function_call", "call_id"))
        if problem := unpaired_problem(known, ids_of(sent, "function_call_output", "call_id")):
            raise MalformedRequestError(problem)
