"""A provider as a user might write it with an SDK, which streams; it keeps all rules."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

import openai

from yemot_ai.errors import (
    AnswerCutError,
    AnswerEmptyError,
    AuthenticationError,
    ContextOverflowError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
    RefusedRequestError,
    SessionLostError,
    UnknownModelError,
)
from yemot_ai.providers import JSON, Exchange, Reply, Usage

__all__ = ["ChatClient", "Message"]

Message = dict[str, str]

KINDS: dict[str, type[ProviderError]] = {
    "rate_limit_exceeded": RateLimitedError,
    "invalid_api_key": AuthenticationError,
    "server_error": OverloadedError,
    "context_length_exceeded": ContextOverflowError,
    "insufficient_quota": QuotaExceededError,
    "invalid_prompt": RefusedRequestError,
}


class ChatClient:
    name = "chat-client"
    streams = True

    def __init__(self, base_url: str, *, deadline: float = 60.0) -> None:
        self.base_url = base_url
        self.deadline = deadline
        self._client: openai.AsyncOpenAI | None = None

    @property
    def client(self) -> openai.AsyncOpenAI:
        if self._client is None:
            self._client = openai.AsyncOpenAI(api_key="test", base_url=self.base_url, max_retries=0)
        return self._client

    async def ask(
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
    ) -> AsyncIterator[str | Reply]:
        earlier = self.from_history(history) if session is None else self.from_session(session)
        messages = self.messages(earlier, prompt, instructions)
        try:
            async with contextlib.aclosing(self.pieces(messages)) as pieces:
                async for part in self.parts(pieces, stream=stream):
                    yield part if isinstance(part, str) else self.reply(part, earlier, prompt)
        except TimeoutError as error:
            raise ProviderTimeoutError(seconds=self.deadline, provider=self.name) from error
        except openai.APIStatusError as error:
            raise self.error(error, prompt) from error
        except openai.APIError as error:
            raise ProviderCrashError("the connection broke", provider=self.name) from error

    async def parts(self, pieces: AsyncIterator[str], *, stream: bool) -> AsyncIterator[str | list[str]]:
        """Yield the pieces if they are wanted, then all of them."""
        text: list[str] = []
        async with asyncio.timeout(self.deadline):
            async for piece in pieces:
                text.append(piece)
                if stream:
                    yield piece
        yield text

    async def pieces(self, messages: list[Message]) -> AsyncGenerator[str]:
        request: dict[str, Any] = {"model": "m", "messages": messages, "stream": True}
        response = await self.client.chat.completions.create(**request)
        ended = ""
        async with response:
            try:
                async for chunk in response:
                    for choice in chunk.choices:
                        ended = ended or choice.finish_reason or ""
                        yield choice.delta.content or ""
            except openai.APIError:
                raise
            except Exception as error:
                raise ProviderCrashError("the stream broke", provider=self.name) from error
        if not ended:
            raise ProviderCrashError("the stream has no end", provider=self.name)
        if ended == "length":
            raise AnswerCutError(reason=ended, text="", provider=self.name)

    def messages(self, earlier: list[Message], prompt: str, instructions: str | None) -> list[Message]:
        system = [{"role": "system", "content": instructions}] if instructions else []
        return [*system, *earlier, {"role": "user", "content": self.clean(prompt)}]

    def clean(self, prompt: str) -> str:
        return prompt.encode("utf-8", "replace").decode()

    def from_history(self, history: Sequence[Exchange]) -> list[Message]:
        return [
            message
            for one in history
            for message in (
                {"role": "user", "content": self.clean(one.prompt)},
                {"role": "assistant", "content": self.clean(one.answer)},
            )
        ]

    def from_session(self, session: JSON) -> list[Message]:
        match session:
            case {"messages": [*messages]}:
                return [one for one in messages if isinstance(one, dict)]
        raise SessionLostError("that is no session of this client", thread_id="", provider=self.name)

    def reply(self, text: list[str], earlier: list[Message], prompt: str) -> Reply:
        answer = self.clean("".join(text))
        if not answer.strip():
            raise AnswerEmptyError("no text", provider=self.name)
        said = [{"role": "user", "content": self.clean(prompt)}, {"role": "assistant", "content": answer}]
        return Reply(answer, self.session([*earlier, *said]), Usage(output_tokens=len(answer)))

    def session(self, messages: list[Message]) -> JSON:
        return {"messages": messages}

    def error(self, error: openai.APIStatusError, prompt: str) -> ProviderError:
        del prompt
        message = f"the service answered {error.status_code}"
        if error.code == "model_not_found":
            return UnknownModelError(message, model="m", provider=self.name)
        return KINDS.get(str(error.code), ProviderCrashError)(message, provider=self.name)

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()
