"""An agent of pydantic-ai as a provider: ``pip install 'yemot-ai[pydantic-ai]'``.

The agent brings its model (Gemini, Groq, Mistral, Ollama …), its tools and its MCP servers; pydantic-ai runs
those inside of one turn. Tools of the flow are offered to it as external ones, which this project runs.
Measured on pydantic-ai 2.68.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from yemot_ai._runtime.tasks import retrieve_exception
from yemot_ai.errors import MissingExtraError
from yemot_ai.providers.provider import JSON, AnswerPart, Exchange, Reply, ToolCalls, ToolRequest
from yemot_ai.providers.sdk.settings import check_seconds

if TYPE_CHECKING:  # an extra
    from pydantic_ai.agent import AbstractAgent

__all__ = ["PydanticAIProvider"]

NAME: Final = "pydantic_ai"


class PydanticAIProvider:
    """A provider that runs an agent of pydantic-ai.

    A session is ``{"id": …, "messages": […]}``: the agent's messages as pydantic-ai writes them, in whole
    exchanges; the oldest ones are dropped.

    The tools of the agent itself run inside pydantic-ai. Nothing keeps their results, so they may run again
    if a turn is retried. What must happen at most once belongs into ``tools=`` of the flow.

    Args:
        agent: the agent; its output is text.
        deps: the dependencies of each run; the same object for all calls.
        timeout: seconds for one answer, all requests and the agent's own tools included.
        streams: whether text is spoken while the model writes the rest. False for an agent whose output
            validators reject or change answers: they see a text when it is whole.

    Raises:
        MissingExtraError: pydantic-ai is not installed.
        ConfigurationError: ``agent`` is no agent, or its output is no text; or the time is none.

    Attributes:
        name: ``pydantic_ai``.
        streams: see above.
        takes_tools: True.
    """

    name = NAME
    takes_tools = True

    def __init__(
        self,
        agent: AbstractAgent[Any, Any],
        *,
        deps: object = None,
        timeout: float = 60.0,
        streams: bool = True,
    ) -> None:
        if importlib.util.find_spec("pydantic_ai") is None:
            raise MissingExtraError(package="pydantic-ai-slim", extra="pydantic-ai")
        from yemot_ai.providers.pydantic_ai.agent_run import AgentRunner  # noqa: PLC0415 - an extra

        check_seconds("timeout", timeout)
        self.streams = streams
        self._runner = AgentRunner(agent, deps, timeout, provider=NAME)

    async def ask(  # noqa: PLR0913 - the arguments of ``ToolProvider.ask``
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
        tools: ToolRequest | None = None,
    ) -> AsyncIterator[AnswerPart]:
        """Answer an utterance; ``instructions`` are added to those of the agent.

        Yields:
            Pieces of text, also of what the model says before it uses a tool; then the reply, or the calls
            of ``tools``.

        Raises:
            SessionLostError: ``session`` is another provider's.
            ProviderError: as in ``Provider.ask``; or the agent waits for an approval, which a line has not.
        """
        turn = self._runner.turn(prompt, session, instructions, history, tools)
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        # A separate task: pydantic-ai and the clients of MCP servers must end in the task they began in,
        # while an answer may be closed by another task than the one that read it.
        running = asyncio.get_running_loop().create_task(
            turn.run(pieces.put_nowait if stream and self.streams else None)
        )
        running.add_done_callback(lambda _: pieces.put_nowait(None))
        running.add_done_callback(retrieve_exception)  # of an answer that is closed, nothing awaits it
        answer: Reply | ToolCalls | None = None
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            answer = await running
        finally:
            if answer is None:
                running.cancel()
                await asyncio.wait({running})
        yield answer

    @property
    def model(self) -> str:
        """The name of the model; empty if the agent has none."""
        return self._runner.model_name
