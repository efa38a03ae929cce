"""Faults of a whole process: locks, threads, tasks, memory that many calls share, cancelled requests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import ClassVar

from tests.property.faults.broken_agents import QUICK, ByHand
from tests.property.faults.broken_streams import StreamingByHand
from tests.property.faults.handwritten_agent import HANG_UP, Agent, Memory
from tests.property.faults.handwritten_streaming_agent import Spoken, StreamingAgent
from tests.property.faults.subject import Fault, FlowMachine, broken
from yemot_ai import AICall, AIFlow
from yemot_ai.errors import ProviderError
from yemot_ai.protocol import Request
from yemot_ai.providers import Exchange
from yemot_ai_testing.doubles.steps import Failure
from yemot_ai_testing.property import EchoProvider

fault = Fault(ByHand, "agent")
polling = Fault(StreamingByHand, "agent")


@fault("one lock around the model, in which all other callers wait", "kept_waiting", "late")
class OneLockAroundTheModel(Agent):
    def __init__(self, model: EchoProvider) -> None:
        super().__init__(model)
        self.model_lock = threading.Lock()

    def ask(self, memory: Memory, request: Request, said: str) -> str:
        with self.model_lock:
            return super().ask(memory, request, said)


@fault(
    "one question in four seconds: the others sleep in a lock", "kept_waiting", "late", model_steps=(None,)
)
class LimitsTheRate(OneLockAroundTheModel):
    def ask(self, memory: Memory, request: Request, said: str) -> str:
        with self.model_lock:
            self.model.clock.sleep(4.0)
            return Agent.ask(self, memory, request, said)


@fault(
    "loses a slot at each failure; without one, callers are told to wait",
    "ignored",
    model_steps=(*QUICK, Failure("overloaded")),
)
class LosesASlotAtAFailure(Agent):
    slots = 3

    def say(self, memory: Memory, request: Request, said: str) -> str:
        if self.slots == 0:
            return "כל הנציגים תפוסים"
        self.slots -= 1
        try:
            answer = self.ask(memory, request, said)
        except ProviderError:
            return "סליחה, נסו שוב"
        self.slots += 1
        return answer


@fault(
    "writes answers into two places in turn, for three callers", "crossed_calls", "stale", "answered_twice"
)
class TwoPlacesForAnswers(Agent):
    asked = 0

    def __init__(self, model: EchoProvider) -> None:
        super().__init__(model)
        self.places = ["", ""]

    def ask(self, memory: Memory, request: Request, said: str) -> str:
        place, self.asked = self.asked % 2, self.asked + 1
        self.places[place] = ""
        answer = super().ask(memory, request, said)
        self.places[place] = self.places[place] or answer
        return self.places[place]


@fault("a thread for each call, which never ends", "left_running")
class AThreadPerCall(Agent):
    def memory(self, request: Request) -> Memory:
        memory = super().memory(request)
        if not request.values and memory.turn == 0:
            threading.Thread(target=threading.Event().wait, args=(20,), daemon=True).start()
        return memory


@fault("a thread for each question, which waits for work that never comes", "left_running")
class AThreadPerQuestion(Agent):
    def ask(self, memory: Memory, request: Request, said: str) -> str:
        threading.Thread(target=threading.Event().wait, args=(20,), daemon=True).start()
        return super().ask(memory, request, said)


@polling("a task for each call, which never ends", "left_running")
class ATaskPerCall(StreamingAgent):
    def __init__(self, model: EchoProvider) -> None:
        super().__init__(model)
        self.watching: set[asyncio.Task[object]] = set()

    def begin(self, memory: Spoken, said: str) -> None:
        super().begin(memory, said)
        self.watching.add(asyncio.create_task(asyncio.Event().wait()))


@fault("keeps the 32 newest calls", "forgot", "unstable", "asked_twice", "left_open", "spoke_after_hangup")
class KeepsTheNewestCalls(Agent):
    def memory(self, request: Request) -> Memory:
        memory = self.calls.pop(request.call_id, None) or Memory()
        self.calls[request.call_id] = memory
        return memory

    def hung_up(self, request: Request) -> str:
        self.over.add(request.call_id)
        self.calls.setdefault(request.call_id, Memory())
        while len(self.calls) > 32:
            self.calls.pop(next(iter(self.calls)))
        return "noop=ended"

    def open_calls(self) -> int:
        return 0


@fault("knows of 16 ended calls", "spoke_after_hangup", "left_open", "ran_after_hangup", "unstable")
class KnowsFewEndedCalls(Agent):
    def hung_up(self, request: Request) -> str:
        ended = super().hung_up(request)
        self.order = [*getattr(self, "order", []), request.call_id][-16:]
        self.over = set(self.order)
        return ended


@fault(
    "numbers its records by the open calls",
    "crossed_sessions",
    "forgot",
    "unstable",
    "asked_twice",
    "stale",
)
class NumbersByOpenCalls(Agent):
    def __init__(self, model: EchoProvider) -> None:
        super().__init__(model)
        self.numbers: dict[str, int] = {}
        self.chats: dict[int, str] = {}

    def ask(self, memory: Memory, request: Request, said: str) -> str:
        number = self.numbers.setdefault(request.call_id, len(self.calls))
        memory.session = self.chats.get(number, "")
        answer = super().ask(memory, request, said)
        self.chats[number] = memory.session
        return answer


@fault("forgets a call after two minutes without a request", "forgot", "asked_twice", "unstable")
class ForgetsAfterTwoMinutes(Agent):
    def memory(self, request: Request) -> Memory:
        now, seen = self.model.clock.now(), getattr(self, "seen", {})
        if now - seen.get(request.call_id, now) > 120:
            self.calls[request.call_id] = Memory(turn=self.calls[request.call_id].turn)
        self.seen = {**seen, request.call_id: now}
        return super().memory(request)


class Remembering(Agent):
    """Remembers callers by their numbers, beyond a call."""

    withheld: ClassVar[Sequence[str]] = ("",)

    def __init__(self, model: EchoProvider) -> None:
        super().__init__(model)
        self.chats: dict[str, str] = {}

    def ask(self, memory: Memory, request: Request, said: str) -> str:
        known = self.chats.get(request.phone, "") if self.may_know(request.phone) else ""
        memory.session = memory.session or known
        answer = super().ask(memory, request, said)
        self.chats[request.phone] = memory.session
        return answer

    def may_know(self, phone: str) -> bool:
        return not phone.startswith("05") and phone not in self.withheld


@fault("takes Anonymous for one caller", "crossed_sessions")
class KnowsAnonymous(Remembering):
    withheld = ("", "private", "0", "0000000000")


@fault("takes a number of zeros for one caller", "crossed_sessions")
class KnowsZeros(Remembering):
    withheld = ("", "private", "0", "Anonymous")


@fault("reads the number of a caller as an integer", "broken")
class ReadsNumbersAsIntegers(Agent):
    def memory(self, request: Request) -> Memory:
        int(request.phone or "0")
        return super().memory(request)


@fault("cuts a value at 1,000 characters", "asked_unsaid", "ignored")
class CutsValues(Agent):
    def words(self, request: Request) -> str:
        return super().words(request)[:1000]


@fault("passes the first twenty words to the model", "asked_unsaid", "ignored")
class TwentyWords(Agent):
    def words(self, request: Request) -> str:
        return " ".join(super().words(request).split()[:20])


class Cancellable(StreamingAgent):
    """Runs a request in the task of its connection, which the server cancels."""

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> str:
        return self.handle_request(pairs)

    def handle_request(self, pairs: Sequence[tuple[str, str]]) -> str:
        return self.model.engine.run(self.ahandle_request(pairs))

    async def ahandle_request(self, pairs: Sequence[tuple[str, str]]) -> str:
        return await self.answer(Request.parse(pairs))


@polling(
    "a cancelled request takes its answer with it",
    "unstable",
    "two_writers",
    "broken",
    "ignored",
    "unheard",
    "late",
    "endless",
)
class LosesACancelledRequest(Cancellable):
    async def answer(self, request: Request) -> str:
        if request.hangup:
            return await self.hung_up(request)
        if request.call_id in self.over:
            return HANG_UP
        try:
            return await self.once(self.calls.setdefault(request.call_id, Spoken()), request)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            return self.listen(self.calls[request.call_id], "סליחה")


@polling("a cancelled request leaves its call locked", "ignored", "unheard", "unstable")
class LeavesTheCallLocked(Cancellable):
    def __init__(self, model: EchoProvider) -> None:
        super().__init__(model)
        self.locked: set[str] = set()

    async def answer(self, request: Request) -> str:
        if request.hangup or request.call_id in self.over:
            return await super().answer(request)
        if request.call_id in self.locked:
            return self.listen(self.calls[request.call_id], "רגע")
        self.locked.add(request.call_id)
        answer = await super().answer(request)
        self.locked.discard(request.call_id)
        return answer


@broken("an order is written above the second question, at each run", "done_twice")
class WritesTheOrderAtEachRun(FlowMachine):
    reset_key = ""

    def add_routes(self, flow: AIFlow) -> None:
        @flow.get("")
        def handler(call: AICall) -> None:
            said = call.read("מה להזמין", mode="stt")
            if not said:
                call.hangup()
                return
            self.effects.add(call.call_id, f"order of {said}")
            more = call.read(self.answer(call, said), mode="stt")
            call.play_message(self.answer(call, more) if more else "להתראות")

    def answer(self, call: AICall, said: str) -> str:
        try:
            return call.ask_ai(said)
        except ProviderError:
            return "סליחה"


class Ordering(ByHand):
    """Runs an agent that writes orders."""

    def make_app(self, provider: EchoProvider) -> object:
        agent = self.agent(provider)
        agent.write = self.effects.add  # type: ignore[attr-defined]  # where its orders go
        return agent


ordering = Fault(Ordering, "agent")


class OrderingAgent(Agent):
    """Writes an order for each utterance."""

    def write(self, call_id: str, order: str) -> None:
        raise NotImplementedError

    def ask(self, memory: Memory, request: Request, said: str) -> str:
        answer = super().ask(memory, request, said)
        self.write(request.call_id, f"order of {said}")
        return answer


@ordering("writes an order again for a repeated request", "done_twice")
class WritesForACopy(OrderingAgent):
    def once(self, memory: Memory, request: Request) -> str:
        if request.pairs in memory.answers and memory.said:
            self.write(request.call_id, f"order of {memory.said[-1].prompt}")
        return super().once(memory, request)


@ordering("writes an order before each try", "done_twice", model_steps=(None, Failure("overloaded")))
class WritesBeforeEachTry(OrderingAgent):
    def say(self, memory: Memory, request: Request, said: str) -> str:
        for _ in range(2):
            self.write(request.call_id, f"order of {said}")
            try:
                return Agent.ask(self, memory, request, said)
            except ProviderError:
                continue
        return "סליחה"


@ordering("welcomes a caller by a message at each silence, too", "done_twice")
class WelcomesAgain(OrderingAgent):
    def listen(self, memory: Memory, text: str) -> str:
        return super().listen(memory, text)

    def react(self, memory: Memory, request: Request) -> str:
        if not request.values or not self.words(request):
            self.write(request.call_id, "welcome message")
        return super().react(memory, request)


@fault("asks with the newest exchanges of all callers", "forgot")
class OneHistoryForAll(Agent):
    def __init__(self, model: EchoProvider) -> None:
        super().__init__(model)
        self.newest: list[tuple[str, Exchange]] = []

    def ask(self, memory: Memory, request: Request, said: str) -> str:
        mine = [exchange for call_id, exchange in self.newest if call_id == request.call_id]
        answer, _ = self.model.ask_blocking(said, history=mine)
        self.newest = [*self.newest, (request.call_id, Exchange(said, answer))][-12:]
        memory.said.append(Exchange(said, answer))
        return answer
