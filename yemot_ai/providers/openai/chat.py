"""The Chat Completions API of OpenAI and of compatible servers.

The service keeps no conversation: each turn carries the history. Compatible servers answer a 200 with an
error inside, put the model's thinking into the text, and leave out fields that the SDK's types require; all
of it is read here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from yemot_ai.providers.provider import Reply, Usage
from yemot_ai.providers.sdk.client import ServiceClient, StreamAccumulator
from yemot_ai.providers.sdk.fields import cut_reason, field
from yemot_ai.providers.surrogates import replace_surrogates

if TYPE_CHECKING:  # importing the SDK takes 0.6 s, so it happens at the first turn
    from openai.types.chat import ChatCompletion
    from openai.types.chat.chat_completion import Choice

__all__ = ["SDK_MODULE", "ChatCompletionsAPI"]

SDK_MODULE: Final = "openai.resources.chat.completions"
"""The module of the SDK that this API needs."""


class ChatCompletionsAPI:
    """Requests and responses of Chat Completions.

    Args:
        connection: sends the requests.
        arguments: further arguments of each request, for the SDK.
    """

    def __init__(self, connection: ServiceClient, arguments: Mapping[str, Any] | None = None) -> None:
        self._client = connection
        self._arguments = arguments or {}

    def request(
        self,
        messages: list[dict[str, str]],
        instructions: str | None,
        **options: Any,  # noqa: ANN401 - the SDK's own
    ) -> Callable[[Any], Any]:
        """Return the call for a client of the SDK; a stream reports its tokens only on request."""
        system = [{"role": "system", "content": replace_surrogates(instructions)}] if instructions else []
        usage = {"stream_options": {"include_usage": True}} if options.get("stream") else {}
        return lambda client: client.chat.completions.create(
            model=self._client.model, messages=[*system, *messages], **self._arguments, **options, **usage
        )

    def accumulator(self) -> StreamAccumulator:
        """Return the builder of a completion from its stream."""
        return _ChunkAccumulator(self._client)

    def parse(self, completion: ChatCompletion) -> Reply:
        """Read a completion; see ``StatelessAPI``."""
        choice = _choice(completion, self._client)
        calls = "tool_calls" if field(choice.message, "tool_calls") else ""
        cut = cut_reason(choice.finish_reason) or calls
        return Reply(self._text(choice), completion.id or "", _usage(completion), cut)

    def _text(self, choice: Choice) -> str:
        text = _text(choice.message.content) or choice.message.refusal or ""
        if not text.strip():
            raise self._client.errors.empty(choice.finish_reason)
        return text


def _choice(completion: ChatCompletion, connection: ServiceClient) -> Choice:
    """Return the first choice; raise the error of the completion, or that of the choice (OpenRouter)."""
    _raise_error(completion, connection)
    choice = completion.choices[0]
    _raise_error(choice, connection)
    return choice


def _raise_error(value: object, connection: ServiceClient) -> None:
    if error := field(value, "error"):
        raise connection.errors.from_body({"error": error})


class _ChunkAccumulator:
    """Builds a completion from the chunks of its stream."""

    def __init__(self, connection: ServiceClient) -> None:
        self._client = connection
        self._id = ""
        self._usage: Any = None
        self._finish: str | None = None
        self.complete = False
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._tool_calls: Any = None

    @property
    def ended(self) -> bool:
        return bool(self._finish)

    @property
    def response(self) -> Any:  # noqa: ANN401 - the fields of a ChatCompletion that ``parse`` reads
        message = SimpleNamespace(
            content="".join(self._text), refusal="".join(self._refusal), tool_calls=self._tool_calls
        )
        choice = SimpleNamespace(message=message, finish_reason=self._finish)
        return SimpleNamespace(id=self._id, choices=[choice], usage=self._usage)

    def feed(self, event: Any) -> str:  # noqa: ANN401 - a ChatCompletionChunk, unchecked
        _raise_error(event, self._client)
        self._id = event.id or self._id
        usage = field(event, "usage")
        self._usage = usage or self._usage
        delta = None
        for choice in event.choices or ():
            _raise_error(choice, self._client)
            delta = choice.delta
            self._finish = choice.finish_reason or self._finish
        self.complete = bool(self._finish and usage)
        return "" if delta is None else self._spoken_delta(delta)

    def _spoken_delta(self, delta: Any) -> str:  # noqa: ANN401 - the delta of a chunk
        self._refusal.append(field(delta, "refusal") or "")
        self._tool_calls = self._tool_calls or field(delta, "tool_calls")
        text = _text(delta.content)
        self._text.append(text)
        return text


def _text(content: Any) -> str:  # noqa: ANN401 - a str according to the SDK; a list of parts from some servers
    if content is None or isinstance(content, str):
        return content or ""
    parts = [part for part in content if isinstance(part, Mapping) and part.get("type") == "text"]
    return "".join(part["text"] for part in parts)


def _usage(completion: ChatCompletion) -> Usage | None:
    if completion.usage is None:
        return None
    into = field(completion.usage, "prompt_tokens_details")
    out = field(completion.usage, "completion_tokens_details")
    return Usage.from_counts(
        field(completion.usage, "prompt_tokens"),
        field(into, "cached_tokens"),
        field(completion.usage, "completion_tokens"),
        field(out, "reasoning_tokens"),
    )
