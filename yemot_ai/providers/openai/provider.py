"""OpenAI and compatible servers as a provider: ``pip install 'yemot-ai[openai]'``.

provider = OpenAIProvider(model="gpt-5.5", timeout=30.0)
ai = YemotAI(provider=provider)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from yemot_ai.errors import ConfigurationError
from yemot_ai.providers.openai import chat as openai_chat
from yemot_ai.providers.openai import responses as openai_responses
from yemot_ai.providers.openai.stored_responses import StoredResponsesChat
from yemot_ai.providers.provider import JSON, AnswerPart, Exchange, ToolRequest
from yemot_ai.providers.sdk.client import ServiceClient
from yemot_ai.providers.sdk.options import RequestOptions
from yemot_ai.providers.sdk.service import Service
from yemot_ai.providers.sdk.stateless import StatelessChat

__all__ = ["DEFAULT_MODEL", "EFFORTS", "OpenAIProvider"]

DEFAULT_MODEL: Final = "gpt-5.5"
"""The model if neither ``model=`` nor the environment variable ``OPENAI_MODEL`` is set."""

SERVICE: Final = Service(
    name="openai",
    title="OpenAI",
    default_model=DEFAULT_MODEL,
    paths=("/chat/completions", "/completions", "/responses"),
)


EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""The efforts that OpenAI knows; each model knows some of them."""

_OPENAI_URL: Final = "https://api.openai.com/v1"
_HOSTS_WITH_NEWER_NAME: Final = ("openai.com", "azure.com")


class OpenAIProvider:
    """A provider that uses the Responses API or Chat Completions.

    A session is ``{"response_id": …}`` if OpenAI keeps the conversation, and otherwise
    ``{"id": …, "history": [[prompt, answer], …]}``; the oldest exchanges are dropped.

    Args:
        api_key: ``OPENAI_API_KEY`` by default; any text for a server that needs none.
        model: ``OPENAI_MODEL``, else ``DEFAULT_MODEL``, by default.
        base_url: another server with the same API, with its ``/v1``; ``OPENAI_BASE_URL`` by default.
        api: ``"responses"``, or ``"chat"`` for servers that only have Chat Completions.
        store: whether OpenAI keeps the conversation (for at least 30 days, according to OpenAI); with
            False, and with Chat Completions, each turn carries the history.
        timeout: seconds for one answer, from the first byte sent to the last one read.
        effort: how much the model thinks before it answers: one of ``EFFORTS``.
        max_tokens: maximum tokens of an answer, thoughts included; a longer one is cut.
        temperature: 0 for the likeliest words, up to 2 for others.
        headers: headers of each request.
        extra_body: further fields of each request's body, such as those of a compatible server.
        thinks: ``"before </think>"`` for a model that thinks first and marks only the end of its thoughts:
            nothing is spoken before the mark.

    Raises:
        ConfigurationError: there is no such ``api``, it cannot store, or an option, the key, the model or the
            address cannot be meant.
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
        api: Literal["responses", "chat"] = "responses",
        store: bool | None = None,
        timeout: float = 60.0,
        effort: str | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        headers: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        thinks: str | None = None,
    ) -> None:
        if api not in {"responses", "chat"}:
            raise ConfigurationError(f"api={api!r}: use 'responses' or 'chat'")
        if api == "chat" and store:
            raise ConfigurationError("store=True goes with api='responses': Chat Completions keep nothing")
        options = RequestOptions(effort, max_tokens, temperature, headers or {}, extra_body or {}, thinks)
        options.check_effort(*EFFORTS)
        self.base_url = address = SERVICE.resolve_base_url(base_url)
        self._client = ServiceClient(
            SERVICE,
            module=openai_chat.SDK_MODULE if api == "chat" else openai_responses.SDK_MODULE,
            key=SERVICE.resolve_key(api_key),
            model=SERVICE.resolve_model(model),
            base_url=address,
            timeout=timeout,
            thought_end=options.thought_end,
        )
        arguments = _chat_arguments(options, address) if api == "chat" else _responses_arguments(options)
        self._chat = _make_chat(api, self._client, arguments, store=store)

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
        """Answer an utterance, without commentary and thinking, or call tools.

        ``history`` is sent as earlier messages.

        Raises:
            SessionLostError: ``session`` is of another API or ``store``, or OpenAI no longer knows it.
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


def _make_chat(
    api: str, connection: ServiceClient, arguments: Mapping[str, Any], *, store: bool | None
) -> StatelessChat | StoredResponsesChat:
    if api == "chat":
        return StatelessChat(connection, openai_chat.ChatCompletionsAPI(connection, arguments))
    if store is False:
        unstored = openai_responses.ResponsesAPI(connection, store=False, arguments=arguments)
        return StatelessChat(connection, unstored)
    return StoredResponsesChat(connection, arguments)


def _chat_arguments(options: RequestOptions, base_url: str | None) -> dict[str, Any]:
    """Return the options for Chat Completions; compatible servers have the older name of ``max_tokens``."""
    host = urlsplit(base_url or _OPENAI_URL).hostname or ""
    newer = host.endswith(_HOSTS_WITH_NEWER_NAME)
    return options.sdk_arguments(
        effort="reasoning_effort",
        max_tokens="max_completion_tokens" if newer else "max_tokens",
        temperature="temperature",
    )


def _responses_arguments(options: RequestOptions) -> dict[str, Any]:
    reasoning = {"reasoning": {"effort": options.effort}} if options.effort else {}
    return reasoning | options.sdk_arguments(max_tokens="max_output_tokens", temperature="temperature")
