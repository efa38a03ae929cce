"""The items of a response, from the events of its stream.

Compatible servers leave out events, and the items of the last one. The finished item counts, because only it
has its whole encrypted content; the arguments of a call are in it, or in events of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from yemot_ai.providers.openai.response_text import commentary
from yemot_ai.providers.sdk import fields

__all__ = ["StreamedItems"]


@dataclass(slots=True)
class _StreamedItem:
    item: Any
    arguments: str = ""

    @property
    def content(self) -> Any:  # noqa: ANN401 - an item
        """The item, with the arguments that were streamed if it has none."""
        read = ("id", "call_id", "name", "arguments")
        if fields.field(self.item, "type") != "function_call":
            return self.item
        call = {name: fields.field(self.item, name) for name in read}
        return {**call, "type": "function_call", "arguments": call["arguments"] or self.arguments}

    @property
    def is_spoken(self) -> bool:
        return fields.field(self.item, "type") == "message" and not commentary(self.item)


@dataclass(slots=True)
class StreamedItems:
    """Collects the items of a response, in their order."""

    _items: list[_StreamedItem] = field(default_factory=list)
    _by_place: dict[object, _StreamedItem] = field(default_factory=dict)

    def start(self, event: Any) -> None:  # noqa: ANN401 - an event of the SDK's
        """Add an item that begins."""
        self._add(event, event.item)

    def add_arguments(self, event: Any) -> None:  # noqa: ANN401 - as above
        """Add a part of a call's arguments, or all of them."""
        one = self._find(event, fields.field(event, "item_id"))
        if one is None:
            return
        whole, part = fields.field(event, "arguments"), fields.field(event, "delta")
        one.arguments = whole if isinstance(whole, str) and whole else one.arguments + (part or "")

    def finish(self, event: Any) -> None:  # noqa: ANN401 - as above
        """Replace an item by the finished one."""
        one = self._find(event, fields.field(event.item, "id"))
        if one is None or fields.field(one.item, "type") != fields.field(event.item, "type"):
            self._add(event, event.item)
        else:
            one.item = event.item

    def add_missing(self, output: list[Any]) -> None:
        """Add the items of the last event if the stream has had none of their own, or no such call."""
        known = {fields.field(one.item, "call_id") for one in self._items}
        had_none = not self._items
        for item in output:
            is_call = fields.field(item, "type") == "function_call"
            if had_none or (is_call and fields.field(item, "call_id") not in known):
                self._items.append(_StreamedItem(item))

    def with_text(self, text: str) -> list[Any]:
        """Return the items with one message of all that was spoken, in the place of the last one."""
        message: dict[str, Any] = {"type": "message", "content": [{"type": "output_text", "text": text}]}
        spoken = [number for number, one in enumerate(self._items) if one.is_spoken]
        if not spoken:
            return [message, *(one.content for one in self._items)]
        message["phase"] = fields.field(self._items[spoken[-1]].item, "phase")
        return [
            message if number == spoken[-1] else one.content
            for number, one in enumerate(self._items)
            if number == spoken[-1] or not one.is_spoken
        ]

    def _add(self, event: Any, item: Any) -> None:  # noqa: ANN401 - an event of the SDK's, and an item
        one = _StreamedItem(item)
        self._items.append(one)
        self._by_place[fields.field(event, "output_index")] = self._by_place[fields.field(item, "id")] = one

    def _find(self, event: Any, item_id: object) -> _StreamedItem | None:  # noqa: ANN401 - as above
        by_id = self._by_place.get(item_id) if item_id else None
        return by_id or self._by_place.get(fields.field(event, "output_index"))
