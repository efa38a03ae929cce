"""A healthy agent written without AIFlow; its methods are overridden to plant faults."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from yemot_ai.errors import ProviderError
from yemot_ai.protocol import Request
from yemot_ai.providers import Exchange
from yemot_ai_testing.property import EchoProvider

__all__ = ["Agent", "Memory"]

LEAVE = "id_list_message=t-להתראות&go_to_folder=hangup"
HANG_UP = "go_to_folder=hangup"


@dataclass
class Memory:
    """The state of a call.

    Attributes:
        answers: the answer to each request that had one.
        session: the model's conversation.
        said: what was said and answered, in this conversation.
    """

    answers: dict[tuple[tuple[str, str], ...], str] = field(default_factory=dict)
    session: str = ""
    said: list[Exchange] = field(default_factory=list)
    turn: int = 0
    silences: int = 0
    late: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)


class Agent:
    """Listens, calls the model, answers; one lock per call, one response per request."""

    def __init__(self, model: EchoProvider) -> None:
        self.model = model
        self.calls: dict[str, Memory] = {}
        self.over: set[str] = set()
        self.lock = threading.Lock()

    def open_calls(self) -> int:
        return len(self.calls)

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> str:
        request = Request.parse(pairs)
        if request.hangup:
            return self.hung_up(request)
        if request.call_id in self.over:
            return HANG_UP
        memory = self.memory(request)
        with memory.lock:
            return self.once(memory, request)

    def memory(self, request: Request) -> Memory:
        with self.lock:
            return self.calls.setdefault(request.call_id, Memory())

    def hung_up(self, request: Request) -> str:
        self.over.add(request.call_id)
        self.calls.pop(request.call_id, None)
        return "noop=ended"

    def once(self, memory: Memory, request: Request) -> str:
        """Give a repeated request the same response."""
        if request.call_id in self.over:
            return HANG_UP
        if request.pairs not in memory.answers:
            memory.answers[request.pairs] = self.react(memory, request)
        return memory.answers[request.pairs]

    def react(self, memory: Memory, request: Request) -> str:
        if not request.values:
            return self.listen(memory, "שלום")
        said = self.words(request)
        if not said:
            return self.silence(memory)
        memory.silences = 0
        if said == "0":
            memory.session, memory.said = "", []
            return self.listen(memory, "שלום")
        return self.listen(memory, self.say(memory, request, said))

    def words(self, request: Request) -> str:
        return request.values[-1][1].removeprefix("Digits-")

    def silence(self, memory: Memory) -> str:
        memory.silences += 1
        return LEAVE if memory.silences == 3 else self.listen(memory, "לא שמעתי")

    def say(self, memory: Memory, request: Request, said: str) -> str:
        try:
            return self.ask(memory, request, said)
        except ProviderError:
            return "סליחה, נסו שוב"

    def ask(self, memory: Memory, request: Request, said: str) -> str:
        answer, memory.session = self.model.ask_blocking(said, memory.session)
        memory.said.append(Exchange(said, answer))
        return answer

    def listen(self, memory: Memory, text: str) -> str:
        memory.turn += 1
        return f"read=t-{text}=said_{memory.turn},no,voice"
