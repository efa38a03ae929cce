"""Build a message of the Messages API from the events of its stream."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from yemot_ai.providers.sdk.fields import field
from yemot_ai.providers.sdk.stop_reasons import stop_reason

__all__ = ["MessageAccumulator"]


class MessageAccumulator:
    """Builds a message; see ``StreamAccumulator``."""

    def __init__(self) -> None:
        self.complete = False
        self._start: Any = None
        self._has_text = False
        self._blocks: list[_Block] = []
        self._open: dict[object, _Block] = {}
        self._stop_reason = ""
        self._output_tokens: Any = None

    @property
    def ended(self) -> bool:
        """Whether the text has ended."""
        return self.complete or bool(self._stop_reason)

    @property
    def response(self) -> Any:  # noqa: ANN401 - the fields of a Message that are read
        """Return the message."""
        usage = getattr(self._start, "usage", None)
        if usage is not None and self._output_tokens is not None:
            usage.output_tokens = self._output_tokens
        return SimpleNamespace(
            id=getattr(self._start, "id", None),
            content=[block.content for block in self._blocks],
            stop_reason=self._stop_reason,
            usage=usage,
        )

    def feed(self, event: Any) -> str:  # noqa: ANN401 - one of the SDK's types
        """Add the next event; return its part of the text."""
        match event.type:
            case "message_start":
                self._start = event.message
            case "content_block_start":
                return self._start_block(field(event, "index"), event.content_block)
            case "content_block_delta":
                return self._add_delta(field(event, "index"), event.delta)
            case "message_delta":
                self._stop_reason = stop_reason(event.delta.stop_reason) or self._stop_reason
                self._output_tokens = getattr(event.usage, "output_tokens", None)
            case "message_stop":
                self.complete = True
        return ""

    def _start_block(self, index: object, content: Any) -> str:  # noqa: ANN401 - a block
        block = self._add_block(index, content)
        return self._add_text(block, field(content, "text")) if content.type == "text" else ""

    def _add_delta(self, index: object, delta: Any) -> str:  # noqa: ANN401 - one of the SDK's types
        block = self._open.get(index)
        # Compatible servers leave out the start of a text.
        if block is None or (delta.type == "text_delta" and block.type != "text"):
            block = self._add_block(index, SimpleNamespace(type="text"))
        match delta.type:
            case "text_delta":
                return self._add_text(block, delta.text)
            case "input_json_delta":
                block.input.append(delta.partial_json or "")
            case "thinking_delta":
                block.thinking.append(delta.thinking or "")
            case "signature_delta":
                block.signature.append(delta.signature or "")
        return ""

    def _add_block(self, index: object, start: Any) -> _Block:  # noqa: ANN401 - a block
        """Add a block; compatible servers number two of them alike."""
        self._open[index] = block = _Block(start)
        self._blocks.append(block)
        return block

    def _add_text(self, block: _Block, text: str | None) -> str:
        # A whole answer is stripped; so no leading whitespace is streamed.
        added = (text or "") if self._has_text else (text or "").lstrip()
        if added:
            self._has_text = True
            block.text.append(added)
        return added


class _Block:
    """One block of the content.

    Args:
        start: the block as its start has it.
    """

    def __init__(self, start: Any) -> None:  # noqa: ANN401 - a block
        self._start = start
        self.type: str = start.type
        self.text: list[str] = []
        self.input: list[str] = []
        self.thinking: list[str] = [field(start, "thinking") or ""]
        self.signature: list[str] = [field(start, "signature") or ""]

    @property
    def content(self) -> Any:  # noqa: ANN401 - the fields of a block that are read
        """Return the whole block; compatible servers write a whole input into the start."""
        return SimpleNamespace(
            type=self.type,
            id=field(self._start, "id"),
            name=field(self._start, "name"),
            data=field(self._start, "data"),
            input="".join(self.input) or field(self._start, "input"),
            text="".join(self.text),
            thinking="".join(self.thinking),
            signature="".join(self.signature),
        )
