"""Anthropic's Messages API as a provider: ``pip install 'yemot-ai[anthropic]'``.

The service remembers nothing: each turn carries what was said before. Measured on anthropic 2.12:
an error in a 200 comes back as a message without content, a proxy's page as a plain ``str``, and a
client without a key looks for others on the disk; here it is given one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from yemot_ai.errors import (
    AnswerEmptyError,
    AuthenticationError,
    ConfigurationError,
    ContextOverflowError,
    OverloadedError,
    QuotaExceededError,
    RateLimitedError,
)
from yemot_ai.providers.provider import JSON, Exchange, Reply, Usage
from yemot_ai.providers.sdk.client import ServiceClient, StreamAccumulator
from yemot_ai.providers.sdk.service import Service
from yemot_ai.providers.sdk.stateless import ParsedReply, StatelessChat
from yemot_ai.providers.surrogates import replace_surrogates

if TYPE_CHECKING:  # importing the SDK costs 1 s: it is done at the first turn
    from anthropic.types import Message

__all__ = ["DEFAULT_MODEL", "AnthropicProvider"]

DEFAULT_MODEL: Final = "claude-haiku-5-5"
"""Asked when neither ``model=`` nor the environment variable ``ANTHROPIC_MODEL`` names another."""

SERVICE: Final = Service(
    name="anthropic",
    title="Anthropic",
    default_model=DEFAULT_MODEL,
    error_types={
        "api_error": OverloadedError,
        "authentication_error": AuthenticationError,
        "billing_error": QuotaExceededError,
        "overloaded_error": OverloadedError,
        "permission_error": AuthenticationError,
        "rate_limit_error": RateLimitedError,
        "request_too_large": ContextOverflowError,
        "timeout_error": OverloadedError,
    },
)


class AnthropicProvider:
    """Answers through the Messages API.

    A session is ``{"id": …, "history": [[prompt, answer], …]}``, of which the oldest part is
    forgotten in time.

    Args:
        api_key: ``ANTHROPIC_API_KEY`` unless given.
        model: ``ANTHROPIC_MODEL``, else ``DEFAULT_MODEL``, unless given.
        base_url: another server that speaks the same API, without ``/v1``; ``ANTHROPIC_BASE_URL``
            unless given.
        max_tokens: the longest answer, in tokens; the API wants to be told.
        timeout: seconds for one answer, from the first byte sent to the last one read.

    Raises:
        ConfigurationError: ``max_tokens`` is not positive.
        MissingExtraError: the SDK is not installed.
        MissingKeyError: there is no key.
    """

    name = SERVICE.name

    def __init__(
        self,
        *,
        api_key: str | None = None,
        model: str | None = None,
        base_url: str | None = None,
        max_tokens: int = 1024,
        timeout: float = 60.0,
    ) -> None:
        if max_tokens < 1:
            raise ConfigurationError(f"max_tokens={max_tokens!r}: give 1 or more")
        self._client = ServiceClient(
            SERVICE,
            client_class="AsyncAnthropic",
            module="anthropic.resources.messages",
            key=SERVICE.resolve_key(api_key),
            model=SERVICE.resolve_model(model),
            base_url=base_url,
            timeout=timeout,
        )
        self._chat = StatelessChat(self._client, _MessagesAPI(self._client, max_tokens))

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        """Answer the first utterance; ``history`` is what was said before."""
        return await self._chat.start(prompt, instructions, history)

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        """Answer a further utterance.

        Raises:
            SessionLostError: ``session`` is another provider's.
        """
        return await self._chat.resume(session, prompt, instructions)

    def stream(
        self,
        session: JSON,
        prompt: str,
        *,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
    ) -> AsyncIterator[str | Reply]:
        """Answer piece by piece.

        Raises:
            ProviderError: as in the other two methods, also when the stream breaks off.
        """
        return self._chat.stream(session, prompt, instructions, history)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class _MessagesAPI:
    """Asks over the Messages API."""

    def __init__(self, connection: ServiceClient, max_tokens: int) -> None:
        self._client = connection
        self._max_tokens = max_tokens

    def request(
        self,
        messages: list[dict[str, str]],
        instructions: str | None,
        **options: Any,  # noqa: ANN401 - the SDK's own
    ) -> Callable[[Any], Any]:
        told: dict[str, Any] = {"system": replace_surrogates(instructions)} if instructions else {}
        return lambda client: client.messages.create(
            model=self._client.model, max_tokens=self._max_tokens, messages=messages, **told, **options
        )

    def accumulator(self) -> StreamAccumulator:
        return _MessageAccumulator()

    def parse(self, message: Message) -> ParsedReply:
        return ParsedReply(self._spoken_text(message), message.id or "", _usage(message))

    def _spoken_text(self, message: Message) -> str:
        refused = getattr(message, "error", None)
        if refused:
            raise self._client.error_from_body({"error": refused})
        if message.stop_reason == "model_context_window_exceeded":
            raise ContextOverflowError("the answer ran out of the context window", provider=SERVICE.name)
        text = "".join(block.text for block in message.content if block.type == "text").strip()
        # What was written before a refusal is not meant to be used.
        if not text or message.stop_reason == "refusal":
            why = f"Anthropic answered without text ({message.stop_reason})"
            raise AnswerEmptyError(why, provider=SERVICE.name)
        return text


class _MessageAccumulator:
    """A message that is being written."""

    def __init__(self) -> None:
        self.response: Any = None
        self._start: Any = None
        self._text: list[str] = []
        self._end: Any = None

    def feed(self, event: Any) -> str:  # noqa: ANN401 - one of the SDK's types
        match event.type:
            case "message_start":
                self._start = event.message
            case "content_block_delta" if event.delta.type == "text_delta":
                # What ``_spoken_text`` takes off a whole answer is not begun with, either.
                heard: str = event.delta.text if self._text else event.delta.text.lstrip()
                if heard:
                    self._text.append(heard)
                return heard
            case "message_delta":
                self._end = event
            case "message_stop" if self._start is not None and self._end is not None:
                self.response = self._build_message()
        return ""

    def _build_message(self) -> Any:  # noqa: ANN401 - what ``_read`` reads of a Message
        block = SimpleNamespace(type="text", text="".join(self._text))
        stop_reason = self._end.delta.stop_reason
        usage = self._start.usage
        if usage is not None and self._end.usage is not None:
            usage.output_tokens = self._end.usage.output_tokens
        return SimpleNamespace(id=self._start.id, content=[block], stop_reason=stop_reason, usage=usage)


def _usage(message: Message) -> Usage | None:
    if message.usage is None:  # the SDK promises a usage, and checks nothing
        return None
    cached = getattr(message.usage, "cache_read_input_tokens", 0)
    written = getattr(message.usage, "cache_creation_input_tokens", 0)
    details = getattr(message.usage, "output_tokens_details", None)
    thinking = getattr(details, "thinking_tokens", 0)
    told = Usage.from_counts(message.usage.input_tokens, cached, message.usage.output_tokens, thinking)
    # The API counts what it read from and wrote to its cache apart.
    return told + Usage(told.cached_input_tokens) + Usage.from_counts(written, 0, 0, 0)
