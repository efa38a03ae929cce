"""The doubles of this toolkit as backends of the rules for providers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Final, TypeAlias

from yemot_ai.providers import AnyProvider
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.real import RealCodex
from yemot_ai_testing.codex.recordings import load_newest
from yemot_ai_testing.codex.sandbox import CodexRun
from yemot_ai_testing.conformance.providers.backend import ModelBackend, Received
from yemot_ai_testing.conformance.providers.suite import OpenedBackend
from yemot_ai_testing.conformance.rule import NotRun
from yemot_ai_testing.doubles.model_service import responses
from yemot_ai_testing.doubles.model_service.request import ModelRequest
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.scripted_double import unchecked
from yemot_ai_testing.doubles.steps import Answer

__all__ = ["opened"]

PIECE_LENGTH: Final = 40
MAX_PIECES: Final = 200
NEVER: Final = 3_600.0
"""Seconds until the next piece of an answer that stops in the middle."""

COMMENTED: Final = "עכשיו שלוש וחצי."
"""The answer after a commentary."""

CODEX_CASES: Final = ("reasoning", "web_search", "tool_call", "two_messages")
"""Recordings of ``codex exec`` in which the model writes more than its answer, which is the last message."""


class _ServerBackend:
    """A ``ModelServer`` as a backend."""

    def __init__(self, server: ModelServer) -> None:
        self.server = server

    def answers(self, text: str) -> None:
        self.server.answers(_pieces(text))

    def refuses(self, kind: str) -> None:
        self.server.fails(kind)  # type: ignore[arg-type]  # it raises ValueError for an unknown kind

    def hangs(self) -> None:
        self.server.hangs()

    def received(self) -> Sequence[Received]:
        return [_received_by_service(request) for request in self.server.requests]

    def hold(self) -> None:
        self.server.hold()

    def release(self) -> None:
        self.server.release()

    def running(self) -> int:
        try:
            self.server.wait_idle(0)
        except TimeoutError:
            return 1
        return 0

    def begins(self, text: str) -> None:
        self.server.answers([text, "…"], every=NEVER)

    def breaks(self, text: str) -> None:
        self.server.drops(_pieces(text))

    def cuts(self, text: str) -> None:
        self.server.cuts("length", _pieces(text))

    def answers_nothing(self) -> None:
        self.server.answers("")

    def forgets(self) -> None:
        if self.server.quirks.keeps_conversations:
            self.server.unknown_session()

    def answers_with_commentary(self) -> Sequence[str]:
        self.server.add(_commentary())
        return [COMMENTED]


class _CodexBackend:
    """A ``FakeCodex`` or a ``RealCodex`` as a backend, for ``codex exec`` or ``codex app-server``."""

    def __init__(self, codex: FakeCodex | RealCodex) -> None:
        self.codex = codex

    def answers(self, text: str) -> None:
        text.encode()  # Codex writes UTF-8, and can have no lone surrogate
        self.codex.answers(_pieces(text))

    def refuses(self, kind: str) -> None:
        self.codex.fails(kind)  # type: ignore[arg-type]  # it raises ValueError for an unknown kind

    def hangs(self) -> None:
        self.codex.hangs()

    def received(self) -> Sequence[Received]:
        return [_received_by_codex(run) for run in self.codex.requests if run.called_model]

    def hold(self) -> None:
        self.codex.hold()

    def release(self) -> None:
        self.codex.release()

    def running(self) -> int:
        if isinstance(self.codex, FakeCodex) and self._serves:
            return self.codex.turns_alive()  # the server runs on
        return self.codex.processes_alive()

    def begins(self, text: str) -> None:
        self.codex.hangs(saying=text)

    def breaks(self, text: str) -> None:
        self.codex.drops(_pieces(text))

    def cuts(self, text: str) -> None:
        self.codex.cuts("length", _pieces(text))

    def answers_nothing(self) -> None:
        self.codex.answers("")

    def garbles(self) -> None:
        self.codex.malformed()

    def answers_with_commentary(self) -> Sequence[str]:
        if isinstance(self.codex, RealCodex):
            self.codex.model.add(_commentary())
            return [COMMENTED]
        if self._serves:
            raise NotRun("a fake `codex app-server` cannot replay recordings of reasoning and tools")
        for case in CODEX_CASES:
            self.codex.replays(case)
        return [_last_message(case) for case in CODEX_CASES]

    @property
    def _serves(self) -> bool:
        """Whether the provider uses ``codex app-server``; it has asked a question."""
        return any("app-server" in run.argv for run in self.codex.requests)


Opened: TypeAlias = "AbstractContextManager[OpenedBackend]"


def opened(
    make_provider: Callable[..., AnyProvider], make_backend: Callable[[], Any] | None
) -> Callable[[], Opened]:
    """Return a function that opens a backend for one rule.

    Args:
        make_provider: returns a provider; it gets what ``make_backend`` returns.
        make_backend: returns a double or a ``ModelBackend``; None for a provider without a model.
    """

    @contextmanager
    def open_backend() -> Iterator[OpenedBackend]:
        if make_backend is None:
            yield None, make_provider
            return
        with ExitStack() as stack:
            made = make_backend()
            backend = _entered(made, stack)
            yield backend, lambda: make_provider(made)

    return open_backend


def _entered(made: Any, stack: ExitStack) -> ModelBackend:  # noqa: ANN401 - what a user's function returns
    match made:
        case ModelServer():
            return _ServerBackend(stack.enter_context(unchecked(made)))
        case FakeCodex() | RealCodex():
            return _CodexBackend(stack.enter_context(unchecked(made)))
    missing = [name for name in ("answers", "refuses", "hangs", "received") if not hasattr(made, name)]
    if missing:
        names = ", ".join(f"{name}()" for name in missing)
        raise TypeError(
            f"{type(made).__name__} is no backend: it has no {names}; a ModelServer and a FakeCodex are"
        )
    if isinstance(made, AbstractContextManager):
        stack.enter_context(made)
    backend: ModelBackend = made
    return backend


def _commentary() -> Answer:
    """Return an answer before which the model thinks, says what it does, and uses a tool."""
    comment = responses.message("רגע, אני בודק.", item_id="msg_0") | {"phase": "commentary"}
    items = (responses.reasoning("**Looking at the clock**"), comment, responses.web_search_call("השעה"))
    # Only the Responses API has items; the others write thoughts if they are servers that show them.
    return Answer((COMMENTED,), items=items, thoughts="The caller asks for the time.")


def _pieces(text: str) -> list[str]:
    """Cut a text into pieces, as a stream has them: also in the middle of words."""
    length = max(PIECE_LENGTH, -(-len(text) // MAX_PIECES))
    return [text[at : at + length] for at in range(0, len(text), length)]


def _received_by_service(request: ModelRequest) -> Received:
    context = "\n".join(_texts(request.body))
    return Received(request.prompt, request.instructions, context, request.session)


def _received_by_codex(run: CodexRun) -> Received:
    context = f"{run.instructions or ''}\n{run.prompt}"
    last = run.thread_id if "--last" in run.argv else ""  # `resume --last` names no thread
    return Received(run.prompt, run.instructions, context, run.session or last or None, run.argv)


def _texts(body: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield all texts in a request, in order; the instructions of some APIs come after the messages."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, Mapping):
        for value in body.values():
            yield from _texts(value)
    elif isinstance(body, Sequence):
        for value in body:
            yield from _texts(value)


def _last_message(case: str) -> str:
    events = [json.loads(line.text) for line in load_newest()[case].stdout]
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    return str([item["text"] for item in items if item["type"] == "agent_message"][-1])
