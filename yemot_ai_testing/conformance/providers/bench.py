"""The bench on which a rule of providers is checked: fresh providers, and the model behind them."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from yemot_ai.errors import ConfigurationError, ProviderError
from yemot_ai.providers import JSON, AnyProvider, Exchange, Provider, Reply, SupportsAclose, read_reply
from yemot_ai.providers.adapter import as_provider
from yemot_ai_testing.conformance.providers.backend import CountsRunningCalls, ModelBackend, Received
from yemot_ai_testing.conformance.providers.leftovers import Leftovers
from yemot_ai_testing.conformance.rule import Breach, NotApplicable, NotRun, expect_true

__all__ = ["REFUSALS", "TIMEOUT", "ProviderBench", "expect_no_error", "through_json"]

T = TypeVar("T")

TIMEOUT: Final = 10.0
"""Seconds to wait for an expected event, on a busy machine too."""

POLL_INTERVAL: Final = 0.02

REFUSALS: Final = 6
"""How many failures are scripted for one question: a provider, or its SDK, may repeat it."""


class ProviderBench:
    """Fresh providers over one backend; use it on one event loop.

    Args:
        make_provider: returns a new provider.
        backend: the model behind the providers; None for a provider that answers by itself.
        deadline: seconds after which the providers give up; None if it is not known.

    Attributes:
        provider: the provider under test.
        deadline: as given.
    """

    def __init__(
        self, make_provider: Callable[[], AnyProvider], backend: ModelBackend | None, deadline: float | None
    ) -> None:
        self._make_provider = make_provider
        self._backend = backend
        self._providers: list[Provider] = []
        self._numbers = itertools.count(1)
        self.deadline = deadline
        self.provider = self.new_provider()

    def new_provider(self) -> Provider:
        """Return another provider, as another worker has it.

        Raises:
            Breach: it is no provider.
        """
        try:
            provider = as_provider(self._make_provider())
        except ConfigurationError as error:
            raise Breach("a provider", str(error)) from error
        self._providers.append(provider)
        return provider

    @property
    def backend(self) -> ModelBackend:
        """The model; raise ``NotRun`` if there is none."""
        if self._backend is None:
            raise NotRun("no model can be scripted: give backend=")
        return self._backend

    @property
    def is_scripted(self) -> bool:
        """Whether there is a backend."""
        return self._backend is not None

    def require(self, capability: type) -> Any:  # noqa: ANN401 - a protocol is no type[T] for mypy
        """Return the backend if it has the methods of an optional protocol; else raise ``NotRun``."""
        backend = self.backend
        if isinstance(backend, capability):
            return backend
        methods = ", ".join(f"{name}()" for name in vars(capability) if not name.startswith("_"))
        raise NotRun(f"the backend has no {methods}")

    def require_streaming(self) -> None:
        """Raise ``NotApplicable`` if the provider does not stream."""
        if not self.provider.streams:
            raise NotApplicable("the provider does not stream")

    def word(self, kind: str = "מילה") -> str:
        """Return a text that occurs nowhere else."""
        return f"{kind} {7000 + next(self._numbers)}"

    def answers(self, *texts: str) -> None:
        """Script answers if there is a backend."""
        for text in texts if self.is_scripted else ():
            self.backend.answers(text)

    def refuses(self, kind: str) -> None:
        """Script failures for one question; raise ``NotRun`` if the backend cannot fail in this way."""
        try:
            for _ in range(REFUSALS):
                self.backend.refuses(kind)
        except (ValueError, TypeError) as error:
            raise NotRun(f"the backend cannot fail with {kind}: {error}") from error

    async def ask(
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        provider: Provider | None = None,
    ) -> Reply:
        """Ask a question without streaming; raise ``Breach`` for an error that is no ``ProviderError``.

        Pieces, which the provider must not yield here, are ignored: one rule is about them.
        """
        asked, pieces = provider or self.provider, list[str]()
        parts = asked.ask(prompt, session=session, instructions=instructions, history=history)
        return _checked(await self.in_time(read_reply(parts, asked.name, pieces.append)))

    async def ask_in_pieces(self, prompt: str, *, session: JSON = None) -> tuple[list[str], Reply]:
        """Ask a question with ``stream=True``; return the pieces and the reply."""
        pieces: list[str] = []
        parts = self.provider.ask(prompt, session=session, stream=True)
        reply = await self.in_time(read_reply(parts, self.provider.name, pieces.append))
        return pieces, _checked(reply)

    async def in_time(self, answer: Coroutine[Any, Any, T]) -> T:
        """Wait for an answer; raise ``Breach`` if it takes too long, or for an error of another class."""
        seconds = TIMEOUT + (self.deadline or 0.0)
        try:
            async with asyncio.timeout(seconds) as limit:
                return await answer
        except ProviderError:
            raise
        except Exception as error:  # every other error of a provider is a breach
            if limit.expired():
                raise Breach(f"an answer or an error within {seconds:g} s", "neither") from error
            raise Breach("no error but a ProviderError", f"{type(error).__name__}: {error}") from error

    async def error_of(self, prompt: str, *, stream: bool = False) -> ProviderError:
        """Ask a question that must fail; return the error."""
        try:
            reply = await (self.ask_in_pieces(prompt) if stream else self.ask(prompt))
        except ProviderError as error:
            return error
        raise Breach("a ProviderError", f"an answer: {reply!r}")

    async def received(self, count: int) -> Received:
        """Wait until the model has got ``count`` calls; return the last of them."""
        await self.eventually(lambda: len(self.backend.received()) >= count, f"call {count} of the model")
        return self.backend.received()[count - 1]

    async def received_with(
        self, prompt: str, *, session: JSON = None, provider: Provider | None = None
    ) -> Received:
        """Ask a question that is answered; return what the model got with it."""
        self.backend.answers(self.word("תשובה"))
        await self.ask(prompt, session=session, provider=provider)
        return self.backend.received()[-1]

    async def eventually(self, condition: Callable[[], object], what: str) -> None:
        """Wait until a condition is true; raise ``Breach`` after the timeout."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + TIMEOUT
        while not condition():
            expect_true(loop.time() < deadline, f"{what} within {TIMEOUT:g} s", "it did not happen")
            await asyncio.sleep(POLL_INTERVAL)

    @asynccontextmanager
    async def hanging_question(self, prompt: str) -> AsyncIterator[asyncio.Task[Reply]]:
        """Ask a question that gets no answer, and provide its task when the model has got it."""
        before = len(self.backend.received())
        self.backend.hangs()
        # Without the timeout of ``ask``: it would end a question that keeps others waiting.
        task = asyncio.create_task(read_reply(self.provider.ask(prompt), self.provider.name))
        try:
            await self.received(before + 1)
            yield task
        finally:
            task.cancel()
            await asyncio.wait({task}, timeout=TIMEOUT)

    async def cancel_question(self, prompt: str) -> asyncio.Task[Reply]:
        """Ask a question and cancel it: while the model is silent, or at once if there is no backend.

        Returns:
            The task, which has ended.
        """
        if self.is_scripted:
            async with self.hanging_question(prompt) as task:
                await _cancel(task)
        else:
            task = asyncio.create_task(self.ask(prompt))
            await asyncio.sleep(0)
            await _cancel(task)
        return task

    async def expect_idle(self) -> None:
        """Wait until no call of the model runs, if the backend counts them."""
        backend = self._backend
        if isinstance(backend, CountsRunningCalls):
            await self.eventually(lambda: backend.running() == 0, "the end of the model's work")

    async def settled(self) -> Leftovers:
        """Wait until nothing changes for a moment; return what there is."""
        previous = None
        while (now := Leftovers.count()) != previous:
            previous = now
            await asyncio.sleep(POLL_INTERVAL * 3)
        return now

    async def expect_nothing_left(self, before: Leftovers, *, questions: int) -> None:
        """Wait until so many questions have left nothing behind; raise ``Breach`` after the timeout."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + TIMEOUT / 2
        while surplus := list(Leftovers.count().more_than(before, questions=questions)):
            expect_true(
                loop.time() < deadline, "nothing left behind", f"{', '.join(surplus)} more than before"
            )
            await asyncio.sleep(POLL_INTERVAL)

    async def close(self) -> None:
        """Close the providers that can be closed; the rules about ``aclose`` report its errors."""
        closing = [
            expect_no_error(one.aclose(), "aclose()")
            for one in self._providers
            if isinstance(one, SupportsAclose)
        ]
        await asyncio.gather(*closing, return_exceptions=True)


def _checked(reply: Reply) -> Reply:
    """Return a reply; raise ``Breach`` if its text is none: the rules compare it."""
    expect_true(isinstance(reply.text, str), "Reply.text to be a text", reply)
    return reply


async def expect_no_error(action: Awaitable[object], what: str) -> None:
    """Wait for an action of a provider; raise ``Breach`` if it raises, or takes too long."""
    try:
        async with asyncio.timeout(TIMEOUT):
            await action
    except Exception as error:  # every error is a breach
        raise Breach(f"no error of {what}", f"{type(error).__name__}: {error}") from error


async def _cancel(task: asyncio.Task[Reply]) -> None:
    """Cancel a task; raise ``Breach`` if it does not end."""
    task.cancel()
    await asyncio.wait({task}, timeout=TIMEOUT / 2)
    expect_true(task.done(), f"an end within {TIMEOUT / 2:g} s after the cancellation", "it still runs")


def through_json(session: JSON) -> JSON:
    """Return a session as another worker reads it from the store; raise ``NotRun`` if that is impossible."""
    try:
        stored: JSON = json.loads(json.dumps(session))
    except (TypeError, ValueError) as error:
        raise NotRun("the session is no JSON value: see session-json") from error
    return stored
