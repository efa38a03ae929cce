"""Agents written without AIFlow, each with one planted fault."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import ClassVar

from tests.property.faults.handwritten_agent import HANG_UP, Agent, Memory
from tests.property.faults.subject import Fault
from yemot_ai.protocol import Request
from yemot_ai_testing.doubles.steps import Answer, Step
from yemot_ai_testing.history import Budget
from yemot_ai_testing.property import CallMachine, EchoProvider

QUICK = (None, Answer(("",), 1.0), Answer(("",), 4.0))
"""Steps shorter than the line's timeout, because these agents hold a request while the model runs."""


class ByHand(CallMachine):
    """Runs a handwritten agent; a blocking one cannot cancel its model call."""

    agent: ClassVar[type[Agent]]
    model_steps: ClassVar[Sequence[Step | None]] = QUICK
    budget = Budget(hangup=60.0)

    def make_app(self, provider: EchoProvider) -> object:
        return self.agent(provider)


fault = Fault(ByHand, "agent")


@fault("calls the model again for a repeated request", "asked_twice", "unstable")
class AsksTwiceOnRerun(Agent):
    def once(self, memory: Memory, request: Request) -> str:
        return self.react(memory, request)


@fault("has no lock: a repeated request calls the model again while it runs", "asked_twice")
class NoLock(Agent):
    def __call__(self, pairs: Sequence[tuple[str, str]]) -> str:
        request = Request.parse(pairs)
        if request.hangup:
            return self.hung_up(request)
        if request.call_id in self.over:
            return HANG_UP
        return self.once(self.memory(request), request)


@fault("answers with the answer of the previous call", "crossed_calls", "stale")
class AnswersOfThePreviousCall(Agent):
    last = ""

    def ask(self, memory: Memory, request: Request, said: str) -> str:
        before, self.last = self.last, super().ask(memory, request, said)
        return before if before and len(memory.said) == 1 else self.last


@fault("forgets at the third turn", "forgot")
class ForgetsAtTheThirdTurn(Agent):
    def ask(self, memory: Memory, request: Request, said: str) -> str:
        if len(memory.said) == 2:
            memory.session = ""
        return super().ask(memory, request, said)


@fault("starts a new conversation at every turn", "forgot")
class NoMemory(Agent):
    def ask(self, memory: Memory, request: Request, said: str) -> str:
        memory.session = ""
        return super().ask(memory, request, said)


@fault("keeps the state of ended calls", "left_open")
class LeaksOnHangUp(Agent):
    def hung_up(self, request: Request) -> str:
        self.over.add(request.call_id)
        return "noop=ended"


@fault(
    "keeps a call in a place that all share while the model thinks",
    "crossed_sessions",
    "forgot",
)
class CrossesSessions(Agent):
    current = Memory()

    def ask(self, memory: Memory, request: Request, said: str) -> str:
        self.current = memory
        answer, session = self.model.ask_blocking(said, memory.session)
        self.current.session = session
        return answer


@fault("one conversation for all calls", "crossed_sessions")
class OneConversation(Agent):
    session = ""

    def ask(self, memory: Memory, request: Request, said: str) -> str:
        answer, self.session = self.model.ask_blocking(said, self.session)
        return answer


@fault("speaks & unescaped", "invalid")
class SpeaksAmpersand(Agent):
    def ask(self, memory: Memory, request: Request, said: str) -> str:
        return f"{super().ask(memory, request, said)} & שלום"


@fault("speaks Markdown unescaped", "invalid")
class SpeaksMarkdown(Agent):
    def ask(self, memory: Memory, request: Request, said: str) -> str:
        return f"- {super().ask(memory, request, said)}."


@fault("asks forever when the caller is silent", "endless")
class LoopsOnSilence(Agent):
    def silence(self, memory: Memory) -> str:
        return self.listen(memory, "לא שמעתי")


@fault("after silence it reads a value that it already has, in an endless loop", "endless")
class GoesRoundOnSilence(Agent):
    def silence(self, memory: Memory) -> str:
        return f"read=t-לא שמעתי=said_{memory.turn},yes,voice"

    def once(self, memory: Memory, request: Request) -> str:
        return (
            self.react(memory, request) if not self.words_or_none(request) else super().once(memory, request)
        )

    def words_or_none(self, request: Request) -> str:
        return self.words(request) if request.values else "-"


@fault("forgets a call after a pause of 30 s", "forgot", "asked_twice", "unstable")
class RestartsAfterAPause(Agent):
    def memory(self, request: Request) -> Memory:
        now, seen = self.model.clock.now(), getattr(self, "seen", {})
        if now - seen.get(request.call_id, now) > 30:
            old = self.calls.pop(request.call_id)
            self.calls[request.call_id] = Memory(turn=old.turn)
        self.seen = {**seen, request.call_id: now}
        return super().memory(request)


@fault("answers after the hang-up", "spoke_after_hangup", "ran_after_hangup")
class AnswersAfterHangUp(Agent):
    def hung_up(self, request: Request) -> str:
        self.calls.pop(request.call_id, None)
        return "noop=ended"


@fault("sends goodbye to the model after the hang-up", "asked_unsaid")
class AsksAfterHangUp(Agent):
    def hung_up(self, request: Request) -> str:
        memory = self.calls.get(request.call_id)
        ended = super().hung_up(request)
        if memory is not None and memory.said:
            self.model.ask_blocking("סכם את השיחה", memory.session)
        return ended


@fault("holds the request while the model runs", "late", "kept_waiting")
class NeverInTime(Agent):
    def ask(self, memory: Memory, request: Request, said: str) -> str:
        self.model.clock.sleep(12.0)
        return super().ask(memory, request, said)


@fault("has an empty answer at the second turn", "invalid")
class EmptyAnswer(Agent):
    def once(self, memory: Memory, request: Request) -> str:
        return "" if memory.turn == 2 else super().once(memory, request)


@fault(
    "raises the failure of the model",
    "broken",
    "late",
    model_steps=CallMachine.model_steps,
    budget=Budget(hangup=600.0),
)
class LetsFailureOut(Agent):
    def say(self, memory: Memory, request: Request, said: str) -> str:
        return self.ask(memory, request, said)


@fault("calls the model for a poll", "asked_unsaid")
class AsksForAPoll(Agent):
    def ask(self, memory: Memory, request: Request, said: str) -> str:
        if not said.strip("Okoane"):
            said = "Ok"
        return super().ask(memory, request, said)

    def listen(self, memory: Memory, text: str) -> str:
        if memory.turn == 1:
            memory.turn += 1
            return f"read=t-{text}=w_{memory.turn},no,1,1,1,No,,,,,1,Ok,None,,no"
        return super().listen(memory, text)


@fault("counts requests: after a repeated one, the next utterance is lost", "ignored", "unstable")
class LosesTheLastUtterance(Agent):
    lost = False

    def once(self, memory: Memory, request: Request) -> str:
        if request.pairs in memory.answers:
            self.lost = True
        elif self.lost:
            self.lost = False
            return self.listen(memory, "מה אמרת")
        return super().once(memory, request)


@fault("swaps the answers of concurrent calls", "crossed_calls", "stale", "answered_twice")
class SwapsAnswers(Agent):
    asking = 0
    box = ""

    def ask(self, memory: Memory, request: Request, said: str) -> str:
        self.asking += 1
        answer = super().ask(memory, request, said)
        self.asking -= 1
        if self.asking:
            self.box = answer
            return answer
        answer, self.box = self.box or answer, ""
        return answer


@fault("speaks a filler, and answers only at the next utterance", "ignored")
class AnswersOneTurnLate(Agent):
    def say(self, memory: Memory, request: Request, said: str) -> str:
        before, memory.late = memory.late, said
        return super().say(memory, request, before) if before else "רגע"


@fault("speaks the previous answer before the new one", "stale")
class SpeaksTheOldAnswerToo(Agent):
    def ask(self, memory: Memory, request: Request, said: str) -> str:
        before = memory.said[-1].answer if memory.said else ""
        return f"{before}, {super().ask(memory, request, said)}".strip(", ")


@fault("calls the model again until the answer is long, and speaks the first one", "asked_twice")
class AsksUntilItLikes(Agent):
    def ask(self, memory: Memory, request: Request, said: str) -> str:
        first = super().ask(memory, request, said)
        super().ask(memory, request, said)
        return first


@fault("repeats the greeting instead of the third answer", "unheard")
class ForgetsToSpeak(Agent):
    def ask(self, memory: Memory, request: Request, said: str) -> str:
        answer = super().ask(memory, request, said)
        return "שלום" if len(memory.said) == 3 else answer


@fault("answers long numbers itself, wrongly", "ignored")
class IgnoresTheCaller(Agent):
    def say(self, memory: Memory, request: Request, said: str) -> str:
        return "לא הבנתי"


@fault("gives a repeated request another response, without a model call", "unstable")
class AnswersAnew(Agent):
    numbers = itertools.count()

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> str:
        return super().__call__(pairs).replace("=said_", f" {next(self.numbers) % 7}=said_")


@fault(
    "keeps its memory in the process, unknown to other workers", "forgot", "unstable", restarts_workers=True
)
class ForgetsAfterRestart(Agent):
    pass


@fault("does not cancel the model call at the hang-up", "ran_after_hangup", budget=Budget())
class LeavesTheModelThinking(Agent):
    pass
