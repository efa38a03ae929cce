"""Clients of a chat API with one fault each."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator

import openai

from tests.conformance.chat_client import ChatClient, Message
from tests.conformance.faults import fault
from yemot_ai.errors import AnswerCutError, ProviderError
from yemot_ai.providers import JSON, Reply, Usage


@fault("changes the list of the session", "session-value")
class ChangesSession(ChatClient):
    def from_session(self, session: JSON) -> list[Message]:
        super().from_session(session)
        return session["messages"]  # type: ignore[index,call-overload,return-value]  # the list itself: the fault

    def reply(self, text: list[str], earlier: list[Message], prompt: str) -> Reply:
        reply = super().reply(text, earlier, prompt)
        earlier += super().from_session(reply.session)[-2:]
        return Reply(reply.text, {"messages": earlier}, reply.usage)


@fault("returns a tuple in the session", "session-json")
class TupleInSession(ChatClient):
    def session(self, messages: list[Message]) -> JSON:
        return {"messages": tuple(messages)}


@fault("returns an object as the session", "session-json")
class ObjectAsSession(ChatClient):
    def session(self, messages: list[Message]) -> JSON:
        return _Messages(messages)  # type: ignore[return-value]  # the fault

    def from_session(self, session: JSON) -> list[Message]:
        return super().from_session({"messages": getattr(session, "messages", None)})


class _Messages:
    def __init__(self, messages: list[Message]) -> None:
        self.messages = messages


@fault("remembers only what the caller said", "session-continued", "session-history-kept")
class ForgetsAnswers(ChatClient):
    def session(self, messages: list[Message]) -> JSON:
        return {"messages": [one for one in messages if one["role"] == "user"]}


@fault("has one history for all calls", "session-calls", "session-workers", "session-history-kept")
class OneHistory(ChatClient):
    said: list[Message]

    def session(self, messages: list[Message]) -> JSON:
        self.said = [*getattr(self, "said", []), *messages[-2:]]
        return {"messages": []}

    def from_session(self, session: JSON) -> list[Message]:
        super().from_session(session)
        return list(getattr(self, "said", []))


@fault(
    "starts a thread for each turn, which never ends",
    "work-growth",
    "work-leftovers",
    "stream-leftovers",
    "close-leftovers",
)
class ThreadForEachTurn(ChatClient):
    stop = threading.Event()

    async def pieces(self, messages: list[Message]) -> AsyncGenerator[str]:
        threading.Thread(target=self.stop.wait, args=(20.0,), daemon=True).start()
        async for piece in super().pieces(messages):
            yield piece


@fault("opens a client for each turn, and closes none", "work-growth", "close-leftovers")
class ClientForEachTurn(ChatClient):
    clients: list[openai.AsyncOpenAI]

    @property
    def client(self) -> openai.AsyncOpenAI:
        self.clients = getattr(self, "clients", [])
        self.clients.append(openai.AsyncOpenAI(api_key="test", base_url=self.base_url, max_retries=0))
        return self.clients[-1]


@fault("keeps the answer that is being written in the provider", "work-own-answers", "stream-own-answers")
class AnswerOnSelf(ChatClient):
    text: list[str]

    async def parts(self, pieces: AsyncIterator[str], *, stream: bool) -> AsyncIterator[str | list[str]]:
        self.text = []
        async for part in super().parts(pieces, stream=True):
            if isinstance(part, str):
                self.text.append(part)
                if stream:
                    yield part
        yield self.text


@fault("takes an answer at its limit of tokens for a whole one", "answer-cut")
class IgnoresTheLimit(ChatClient):
    async def pieces(self, messages: list[Message]) -> AsyncGenerator[str]:
        try:
            async for piece in super().pieces(messages):
                yield piece
        except AnswerCutError:
            return


@fault("lets a lone surrogate of the model through", "answer-surrogate")
class SurrogateInAnswer(ChatClient):
    def reply(self, text: list[str], earlier: list[Message], prompt: str) -> Reply:
        reply = super().reply(text, earlier, prompt)
        return Reply("".join(text), reply.session, reply.usage)


@fault("keeps answers by the words of the question", "answer-fresh")
class KeepsAnswers(ChatClient):
    answers: dict[str, list[str]]

    async def pieces(self, messages: list[Message]) -> AsyncGenerator[str]:
        self.answers = getattr(self, "answers", {})
        words = messages[-1]["content"]
        for piece in self.answers.get(words, ()):
            yield piece
        if words in self.answers:
            return
        answer = []
        async for piece in super().pieces(messages):
            answer.append(piece)
            yield piece
        self.answers[words] = answer


@fault(
    "tries until there is an answer, without an end",
    "failure-rate-limited",
    "failure-unauthorized",
    "failure-overloaded",
    "failure-context-overflow",
    "failure-quota-exceeded",
    "failure-unknown-model",
    "failure-refused-request",
    "failure-private",
    "failure-passes",
)
class TriesForever(ChatClient):
    async def pieces(self, messages: list[Message]) -> AsyncGenerator[str]:
        while True:
            try:
                async for piece in super().pieces(messages):
                    yield piece
            except openai.APIStatusError:
                await asyncio.sleep(0.1)
            else:
                return


@fault("is of no use after an error", "failure-passes")
class ClosedByError(ChatClient):
    def error(self, error: openai.APIStatusError, prompt: str) -> ProviderError:
        self.base_url = "http://127.0.0.1:9"
        self._client = None
        return super().error(error, prompt)


@fault("cannot be closed twice", "close-twice")
class ClosesOnce(ChatClient):
    async def aclose(self) -> None:
        assert self._client is not None
        await super().aclose()


@fault("answers nothing after it was closed", "close-reopened")
class StaysClosed(ChatClient):
    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.close()


@fault("closes nothing", "close-leftovers")
class ClosesNothing(ChatClient):
    async def aclose(self) -> None:
        pass


@fault("sends the prompt twice", "prompt-once")
class SendsPromptTwice(ChatClient):
    def messages(self, earlier: list[Message], prompt: str, instructions: str | None) -> list[Message]:
        return super().messages(
            [*earlier, {"role": "user", "content": self.clean(prompt)}], prompt, instructions
        )


@fault("counts tokens below zero", "answer-usage")
class NegativeUsage(ChatClient):
    def reply(self, text: list[str], earlier: list[Message], prompt: str) -> Reply:
        reply = super().reply(text, earlier, prompt)
        return Reply(reply.text, reply.session, Usage(output_tokens=-1))


@fault(
    "lets the errors of the SDK out",
    "failure-unauthorized",
    "failure-rate-limited",
    "failure-overloaded",
    "failure-context-overflow",
    "failure-quota-exceeded",
    "failure-unknown-model",
    "failure-refused-request",
    "failure-private",
    "failure-passes",
)
class RaisesSDKErrors(ChatClient):
    def error(self, error: openai.APIStatusError, prompt: str) -> ProviderError:
        raise error


@fault("reads a file for a question that begins with @", "prompt-sign")
class ReadsFiles(ChatClient):
    def clean(self, prompt: str) -> str:
        return f"(the file {prompt[1:]})" if prompt.startswith("@") else super().clean(prompt)


@fault("lets an IndexError out for an empty question", "prompt-empty")
class FirstLetter(ChatClient):
    def messages(self, earlier: list[Message], prompt: str, instructions: str | None) -> list[Message]:
        first = prompt.strip()[0]
        return super().messages(
            earlier, f"{first}{prompt[1:]}" if prompt[0] == first else prompt, instructions
        )


@fault("ends a session once only", "session-end")
class EndsOnce(ChatClient):
    async def end_session(self, session: JSON) -> None:
        self.from_session(session).pop()


@fault("ends all sessions with one", "session-end-others")
class EndsAll(ChatClient):
    ended = False

    async def end_session(self, session: JSON) -> None:
        self.ended = True

    def from_session(self, session: JSON) -> list[Message]:
        return [] if self.ended else super().from_session(session)
