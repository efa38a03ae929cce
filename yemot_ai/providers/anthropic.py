"""Anthropic's Messages API as a provider: ``pip install 'yemot-ai[anthropic]'``.

The service keeps no conversation: each turn carries the history. Measured on anthropic 2.12: an error in
a 200 is returned as a message without content, a proxy's page as a plain ``str``, and a client without a
key looks for one on the disk; here it always gets one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from yemot_ai.errors import ConfigurationError
from yemot_ai.providers.provider import JSON, AnswerPart, Exchange, Reply, Usage
from yemot_ai.providers.sdk.client import ServiceClient, StreamAccumulator
from yemot_ai.providers.sdk.options import RequestOptions
from yemot_ai.providers.sdk.service import Service
from yemot_ai.providers.sdk.stateless import StatelessChat
from yemot_ai.providers.sdk.stop_reasons import cut_reason, stop_reason
from yemot_ai.providers.surrogates import replace_surrogates

if TYPE_CHECKING:  # importing the SDK takes 1 s, so it happens at the first turn
    from anthropic.types import Message

__all__ = ["DEFAULT_MODEL", "EFFORTS", "AnthropicProvider"]

DEFAULT_MODEL: Final = "claude-haiku-5-5"
"""The model if neither ``model=`` nor the environment variable ``ANTHROPIC_MODEL`` is set."""

SERVICE: Final = Service(
    name="anthropic", title="Anthropic", default_model=DEFAULT_MODEL, paths=("/v1", "/messages")
)


EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")
"""The efforts that Anthropic knows; each model knows some of them."""


class AnthropicProvider:
    """A provider that uses the Messages API.

    A session is ``{"id": …, "history": [[prompt, answer], …]}``; the oldest exchanges are dropped.

    Args:
        api_key: ``ANTHROPIC_API_KEY`` by default.
        model: ``ANTHROPIC_MODEL``, else ``DEFAULT_MODEL``, by default.
        base_url: another server that speaks the same API, without ``/v1``; ``ANTHROPIC_BASE_URL``
            by default.
        timeout: seconds for one answer, from the first byte sent to the last one read.
        effort: how much the model thinks before it answers: one of ``EFFORTS``.
        max_tokens: maximum tokens of an answer, thoughts included; a longer one is cut; the API
            requires a number.
        temperature: 0 for the likeliest words, up to 1 for others.
        headers: headers of each request.
        extra_body: further fields of each request's body, such as those of a compatible server.
        thinks: ``"before </think>"`` for a model that thinks first and marks only the end of its thoughts:
            nothing is spoken before the mark.

    Raises:
        ConfigurationError: an option, the key, the model or the address cannot be meant.
        MissingExtraError: the SDK is not installed.
        MissingKeyError: there is no key.

    Attributes:
        base_url: the address of the server; None for the service's own.
    """

    name = SERVICE.name
    streams = True

    def __init__(  # noqa: PLR0913 - each is a public option
        self,
        *,
        api_key: str | None = None,
        model: str | None = None,
        base_url: str | None = None,
        max_tokens: int = 1024,
        timeout: float = 60.0,
        effort: str | None = None,
        temperature: float | None = None,
        headers: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        thinks: str | None = None,
    ) -> None:
        options = RequestOptions(effort, max_tokens, temperature, headers or {}, extra_body or {}, thinks)
        options.check_effort(*EFFORTS)
        if temperature is not None and temperature > 1:
            raise ConfigurationError(f"temperature={temperature!r}: give a number from 0 to 1")
        self.base_url = SERVICE.resolve_base_url(base_url)
        self._client = ServiceClient(
            SERVICE,
            module="anthropic.resources.messages",
            key=SERVICE.resolve_key(api_key),
            model=SERVICE.resolve_model(model),
            base_url=self.base_url,
            timeout=timeout,
            thought_end=options.thought_end,
        )
        output = {"output_config": {"effort": effort}} if effort else {}
        arguments = output | options.sdk_arguments(max_tokens="max_tokens")
        if temperature is not None:
            # The SDK has no argument for it: new models take none, others and compatible servers do.
            arguments["extra_body"] = {"temperature": temperature, **(extra_body or {})}
        self._chat = StatelessChat(self._client, _MessagesAPI(self._client, arguments))

    def ask(
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
    ) -> AsyncIterator[AnswerPart]:
        """Answer an utterance; ``history`` is sent as earlier messages.

        Raises:
            SessionLostError: ``session`` is another provider's.
            ProviderError: as in ``Provider.ask``.
        """
        return self._chat.ask(prompt, session, instructions, history, stream=stream)

    @property
    def model(self) -> str:
        """The name of the model."""
        return self._client.model

    async def warm_up(self) -> None:
        """Import the SDK and make its client, so that the first answer does not wait for them.

        Raises:
            ProviderError: there is no client.
        """
        await self._chat.warm_up()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class _MessagesAPI:
    """Requests and responses of the Messages API."""

    def __init__(self, connection: ServiceClient, arguments: Mapping[str, Any]) -> None:
        self._client = connection
        self._arguments = arguments

    def request(
        self,
        messages: list[dict[str, str]],
        instructions: str | None,
        **options: Any,  # noqa: ANN401 - the SDK's own
    ) -> Callable[[Any], Any]:
        system: dict[str, Any] = {"system": replace_surrogates(instructions)} if instructions else {}
        return lambda client: client.messages.create(
            model=self._client.model, messages=messages, **self._arguments, **system, **options
        )

    def accumulator(self) -> StreamAccumulator:
        return _MessageAccumulator()

    def parse(self, message: Message) -> Reply:
        text = self._text(message)
        return Reply(text, message.id or "", _usage(message), cut_reason(message.stop_reason))

    def _text(self, message: Message) -> str:
        error = getattr(message, "error", None)
        if error:
            raise self._client.errors.from_body({"error": error})
        text = "".join(block.text for block in message.content if block.type == "text").strip()
        # Text before a refusal must not be used.
        if not text or message.stop_reason == "refusal":
            raise self._client.errors.empty(message.stop_reason)
        return text


class _MessageAccumulator:
    """Builds a message from the events of its stream."""

    def __init__(self) -> None:
        self.complete = False
        self._start: Any = None
        self._text: list[str] = []
        self._stop_reason = ""
        self._output_tokens: Any = None

    @property
    def ended(self) -> bool:
        return self.complete or bool(self._stop_reason)

    @property
    def response(self) -> Any:  # noqa: ANN401 - the fields of a Message that ``parse`` reads
        block = SimpleNamespace(type="text", text="".join(self._text))
        usage = getattr(self._start, "usage", None)
        if usage is not None and self._output_tokens is not None:
            usage.output_tokens = self._output_tokens
        return SimpleNamespace(
            id=getattr(self._start, "id", None), content=[block], stop_reason=self._stop_reason, usage=usage
        )

    def feed(self, event: Any) -> str:  # noqa: ANN401 - one of the SDK's types
        match event.type:
            case "message_start":
                self._start = event.message
            case "content_block_start" if event.content_block.type == "text":
                return self._add(event.content_block.text)
            case "content_block_delta" if event.delta.type == "text_delta":
                return self._add(event.delta.text)
            case "message_delta":
                self._stop_reason = stop_reason(event.delta.stop_reason) or self._stop_reason
                self._output_tokens = getattr(event.usage, "output_tokens", None)
            case "message_stop":
                self.complete = True
        return ""

    def _add(self, text: str | None) -> str:
        # ``_text`` strips a whole answer; so no leading whitespace is streamed.
        added = (text or "") if self._text else (text or "").lstrip()
        if added:
            self._text.append(added)
        return added


def _usage(message: Message) -> Usage | None:
    if message.usage is None:  # the SDK declares it as always present, but does not check
        return None
    cached = getattr(message.usage, "cache_read_input_tokens", 0)
    written = getattr(message.usage, "cache_creation_input_tokens", 0)
    details = getattr(message.usage, "output_tokens_details", None)
    thinking = getattr(details, "thinking_tokens", 0)
    usage = Usage.from_counts(message.usage.input_tokens, cached, message.usage.output_tokens, thinking)
    # The API counts tokens read from and written to its cache separately.
    return usage + Usage(usage.cached_input_tokens) + Usage.from_counts(written, 0, 0, 0)
