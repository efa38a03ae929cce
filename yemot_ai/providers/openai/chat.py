"""The Chat Completions API of OpenAI and of compatible servers.

The service keeps no conversation: each turn carries the history. Compatible servers answer a 200 with an
error inside, put the model's thinking into the text, and leave out fields that the SDK's types require; all
of it is read here. Some need back what their model has thought before a call (DeepSeek, Gemini).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from yemot_ai.providers.openai.chat_calls import ChunkCalls, extra_contents, message_calls
from yemot_ai.providers.provider import JSON, Reply, ToolCall, ToolCalls, ToolRequest, ToolRound, Usage
from yemot_ai.providers.sdk.client import ServiceClient, StreamAccumulator
from yemot_ai.providers.sdk.fields import field, items, text_of
from yemot_ai.providers.sdk.stop_reasons import cut_reason, interrupts_calls, stop_reason
from yemot_ai.providers.sdk.tools import arguments_json, tool_name
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
        messages: list[dict[str, Any]],
        instructions: str | None,
        **options: Any,  # noqa: ANN401 - the SDK's own
    ) -> Callable[[Any], Any]:
        """Return the call for a client of the SDK; a stream reports its tokens only on request."""
        system = [{"role": "system", "content": replace_surrogates(instructions)}] if instructions else []
        usage = {"stream_options": {"include_usage": True}} if options.get("stream") else {}
        return lambda client: client.chat.completions.create(
            model=self._client.model, messages=[*system, *messages], **self._arguments, **options, **usage
        )

    def tool_options(self, tools: ToolRequest) -> dict[str, Any]:
        """Return the tools, and whether the model may call them."""
        functions = [
            {"name": spec.name, "description": spec.description, "parameters": dict(spec.parameters)}
            for spec in tools.specs
        ]
        specs = [{"type": "function", "function": function} for function in functions]
        return {"tools": specs} | ({} if tools.may_call else {"tool_choice": "none"})

    def round_messages(self, one: ToolRound) -> list[dict[str, Any]]:
        """Return a message of the model with the calls, and one with the result of each."""
        state = one.state if isinstance(one.state, Mapping) else {}
        extras = [*items(state.get("extras")), *(None for _ in one.calls)]
        calls = [_sent_call(call, extra) for call, extra in zip(one.calls, extras, strict=False)]
        message = {
            "role": "assistant",
            "content": replace_surrogates(one.text) or None,
            "tool_calls": calls,
            **({"reasoning_content": state["reasoning"]} if state.get("reasoning") else {}),
        }
        results = [
            {"role": "tool", "tool_call_id": call.id, "content": replace_surrogates(result)}
            for call, result in zip(one.calls, one.results, strict=True)
        ]
        return [message, *results]

    def accumulator(self) -> StreamAccumulator:
        """Return the builder of a completion from its stream."""
        return _ChunkAccumulator(self._client)

    def read_calls(self, completion: ChatCompletion) -> ToolCalls | None:
        """Read the calls of tools in a completion; see ``StatelessAPI``."""
        choice = _choice(completion, self._client)
        message = field(choice, "message") or field(choice, "delta")
        sent = items(field(message, "tool_calls"))
        calls = message_calls(sent)
        if not calls or interrupts_calls(field(choice, "finish_reason")):
            return None
        state = _state(field(message, "reasoning_content"), extra_contents(sent))
        return ToolCalls(calls, _text(message), state, _usage(completion))

    def parse(self, completion: ChatCompletion) -> Reply:
        """Read a completion; see ``StatelessAPI``."""
        choice = _choice(completion, self._client)
        message = field(choice, "message") or field(choice, "delta")
        if message is None and field(choice, "text") is None:
            raise TypeError("a choice without a message")
        reason = field(choice, "finish_reason")
        text = _text(message) or text_of(field(choice, "text"))
        if not text.strip():
            raise self._client.errors.empty(reason)
        calls = "tool_calls" if field(message, "tool_calls") else ""
        return Reply(text, field(completion, "id") or "", _usage(completion), cut_reason(reason) or calls)


def _sent_call(call: ToolCall, extra: JSON) -> dict[str, Any]:
    function = {"name": tool_name(call.name), "arguments": arguments_json(call.arguments)}
    sent = {"id": call.id, "type": "function", "function": function}
    return sent | ({"extra_content": extra} if extra else {})


def _state(reasoning: object, extras: list[JSON]) -> JSON:
    """Return what the service needs back beside the calls; None for nothing."""
    kept: dict[str, JSON] = {"reasoning": reasoning} if isinstance(reasoning, str) and reasoning else {}
    if any(extras):
        kept["extras"] = extras
    return kept or None


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
        self._finish = ""
        self.complete = False
        self._text: list[str] = []
        self._has_deltas = False
        self._calls = ChunkCalls()
        self._message_calls: list[Any] = []
        self._reasoning: list[str] = []

    @property
    def ended(self) -> bool:
        return bool(self._finish)

    @property
    def response(self) -> Any:  # noqa: ANN401 - the fields of a ChatCompletion that ``parse`` reads
        message = SimpleNamespace(
            content="".join(self._text),
            tool_calls=self._calls.tool_calls or self._message_calls,
            reasoning_content="".join(self._reasoning),
        )
        choice = SimpleNamespace(message=message, finish_reason=self._finish)
        return SimpleNamespace(id=self._id, choices=[choice], usage=self._usage)

    def feed(self, event: Any) -> str:  # noqa: ANN401 - a ChatCompletionChunk, unchecked
        _raise_error(event, self._client)
        choices = field(event, "choices")
        if choices is None and (refusal := self._client.errors.refusal_in(event)):
            raise refusal
        self._id = field(event, "id") or self._id
        usage = field(event, "usage")
        self._usage = usage or self._usage
        text = "".join(map(self._feed_choice, items(choices)[:1]))
        self.complete = bool(self._finish and usage)
        return text

    def _feed_choice(self, choice: Any) -> str:  # noqa: ANN401 - a choice of a chunk
        _raise_error(choice, self._client)
        self._finish = stop_reason(field(choice, "finish_reason")) or self._finish
        delta, message = field(choice, "delta"), field(choice, "message")
        text = _text(delta) or text_of(field(choice, "text")) or self._rest(_text(message))
        self._calls.feed(items(field(delta, "tool_calls")))
        self._message_calls = items(field(message, "tool_calls")) or self._message_calls
        if isinstance(reasoning := field(delta, "reasoning_content"), str):
            self._reasoning.append(reasoning)
        self._has_deltas = self._has_deltas or bool(text and delta)
        self._text.append(text)
        return text

    def _rest(self, message: str) -> str:
        """Return what a message has more than the text so far: MiniMax ends its deltas with a whole one.

        Other servers write each piece as a message.
        """
        text = "".join(self._text)
        if message.startswith(text):
            return message.removeprefix(text)
        return "" if self._has_deltas else message


def _text(message: Any) -> str:  # noqa: ANN401 - a message or a delta
    """Return the text of a message; a refusal in the model's own words is an answer."""
    return text_of(field(message, "content")) or text_of(field(message, "refusal"))


def _usage(completion: ChatCompletion) -> Usage | None:
    usage = field(completion, "usage")
    if usage is None:
        return None
    into = field(usage, "prompt_tokens_details")
    out = field(usage, "completion_tokens_details")
    return Usage.from_counts(
        field(usage, "prompt_tokens"),
        field(into, "cached_tokens"),
        field(usage, "completion_tokens"),
        field(out, "reasoning_tokens"),
    )
