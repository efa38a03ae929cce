"""Anthropic's Messages API as a provider: ``pip install 'yemot-ai[anthropic]'``.

The service keeps no conversation: each turn carries the history. Measured on anthropic 2.12: an error in
a 200 is returned as a message without content, a proxy's page as a plain ``str``, and a client without a
key looks for one on the disk; here it always gets one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from yemot_ai.errors import ConfigurationError
from yemot_ai.providers.anthropic.messages import MessagesAPI
from yemot_ai.providers.provider import JSON, AnswerPart, Exchange, ToolRequest
from yemot_ai.providers.sdk.client import ServiceClient
from yemot_ai.providers.sdk.options import RequestOptions
from yemot_ai.providers.sdk.service import Service
from yemot_ai.providers.sdk.stateless import StatelessChat

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
    takes_tools = True

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
        self._chat = StatelessChat(self._client, MessagesAPI(self._client, arguments))

    def ask(  # noqa: PLR0913 - the arguments of ``ToolProvider.ask``
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
        tools: ToolRequest | None = None,
    ) -> AsyncIterator[AnswerPart]:
        """Answer an utterance, or call tools; ``history`` is sent as earlier messages.

        Raises:
            SessionLostError: ``session`` is another provider's.
            ProviderError: as in ``Provider.ask``.
        """
        return self._chat.ask(prompt, session, instructions, history, stream=stream, tools=tools)

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
