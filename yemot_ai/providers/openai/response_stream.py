"""Build a response of the Responses API from the events of its stream.

What was streamed is the answer. Compatible servers send a last event with an empty ``output``, with the last
token only, or without any; others send texts only when they are finished.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from yemot_ai.providers.openai.response_items import StreamedItems
from yemot_ai.providers.openai.response_text import commentary, part_text, spoken_text
from yemot_ai.providers.sdk.client import ServiceClient
from yemot_ai.providers.sdk.fields import field, items

__all__ = ["ResponseAccumulator"]

_LAST_EVENTS: Final = {
    "response.completed": "completed",
    "response.done": "completed",  # of servers that follow the Realtime API
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
}
"""The events that end a stream, with the status of their response where it has none."""

_FINAL_STATUSES: Final = frozenset({"completed", "incomplete", "failed", "cancelled"})

_Position = tuple[object, object]


class ResponseAccumulator:
    """Builds a response, without commentary; see ``StreamAccumulator``.

    Args:
        connection: makes the errors.
        check: called with the beginning of the response, before any of its text; it may raise.

    Attributes:
        ended: whether the last event was there.
    """

    def __init__(self, connection: ServiceClient, check: Callable[[Any], None] | None = None) -> None:
        self.ended = False
        self._check = check
        self._client = connection
        self._last: Any = None
        self._status = ""
        self._id = ""
        self._commentary: set[object] = set()
        self._part: _Position | None = None
        self._part_texts: dict[_Position, list[str]] = {}
        self._texts: list[str] = []
        self._items = StreamedItems()

    @property
    def complete(self) -> bool:
        """Whether no later event is needed."""
        return self.ended

    @property
    def response(self) -> Any:  # noqa: ANN401 - the fields of a Response that ``parse`` reads
        """Return the response, with the streamed text."""
        output = self._items.with_text("".join(self._texts))
        read = ("error", "incomplete_details", "usage", "store", "previous_response_id")
        fields = {name: field(self._last, name) for name in read}
        return SimpleNamespace(id=self._id, status=self._status, output=output, **fields)

    def feed(self, event: Any) -> str:  # noqa: ANN401 - one of some fifty types of the SDK's
        """Add the next event; return its part of the answer."""
        match event.type:
            case "response.created" | "response.in_progress":
                self._id = field(event.response, "id") or self._id
                if self._check is not None and not self._texts:
                    self._check(event.response)
            case "response.output_item.added":
                self._items.start(event)
                if commentary(event.item):
                    self._commentary |= {field(event.item, "id"), field(event, "output_index")}
            case "response.function_call_arguments.delta" | "response.function_call_arguments.done":
                self._items.add_arguments(event)
            case "response.output_text.delta" | "response.refusal.delta":
                return self._add(event, event.delta)
            case "response.output_text.done" | "response.refusal.done":
                return self._add_rest(event, field(event, "text") or field(event, "refusal"))
            case "response.output_item.done":
                return self._end_item(event)
            case "error":
                raise self._client.errors.from_body(
                    {"code": field(event, "code"), "message": field(event, "message")}
                )
        return self._end(event) if event.type in _LAST_EVENTS else ""

    def _add(self, event: Any, text: str) -> str:  # noqa: ANN401 - an event with a position
        if not isinstance(text, str):
            raise TypeError(type(text).__name__)
        if not text or not self._commentary.isdisjoint(
            {field(event, "item_id"), field(event, "output_index")}
        ):
            return ""
        part = field(event, "output_index"), field(event, "content_index")
        separator = "\n" if self._part not in {None, part} else ""
        self._part = part
        self._part_texts.setdefault(part, []).append(text)
        self._texts += [separator, text]
        return separator + text

    def _add_rest(self, event: Any, whole: object) -> str:  # noqa: ANN401 - as above
        """Add what a finished part has more than was streamed of it."""
        part = field(event, "output_index"), field(event, "content_index")
        return self._add(event, _rest(whole, "".join(self._part_texts.get(part, ()))))

    def _end_item(self, event: Any) -> str:  # noqa: ANN401 - as above
        self._items.finish(event)
        if field(event.item, "type") != "message" or commentary(event.item):
            return ""
        index = field(event, "output_index")
        parts = enumerate(items(field(event.item, "content")))
        positions = [({"output_index": index, "content_index": number}, part) for number, part in parts]
        return "".join(self._add_rest(position, part_text(part)) for position, part in positions)

    def _end(self, event: Any) -> str:  # noqa: ANN401 - the last event
        self.ended = True
        self._last = field(event, "response")
        self._id = field(self._last, "id") or self._id
        status = field(self._last, "status")
        self._status = status if status in _FINAL_STATUSES else _LAST_EVENTS[event.type]
        output = items(field(self._last, "output"))
        self._items.add_missing(output)
        rest = _rest(spoken_text(output), "".join(self._texts))
        self._texts.append(rest)
        return rest


def _rest(whole: object, beginning: str) -> str:
    """Return what ``whole`` has after ``beginning``; empty if it does not begin with it."""
    return whole.removeprefix(beginning) if isinstance(whole, str) and whole.startswith(beginning) else ""
