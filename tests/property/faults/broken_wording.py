"""Handwritten agents that say something else than their model, each with one planted fault."""

from __future__ import annotations

from tests.property.faults.broken_agents import ByHand
from tests.property.faults.handwritten_agent import Agent, Memory
from tests.property.faults.subject import Fault, healthy
from yemot_ai.protocol import Request, speakable
from yemot_ai_testing.doubles.steps import Answer
from yemot_ai_testing.property.model_steps import LONG_ANSWER, MARKDOWN_ANSWER, PLAIN_ANSWER

FINAL_LETTERS = "ךםןףץ"


class SpeakingAgent(Agent):
    """Speaks whole answers, in messages of up to 150 words."""

    def say(self, memory: Memory, request: Request, said: str) -> str:
        return self.messages(super().say(memory, request, said))

    def messages(self, text: str) -> str:
        return ".".join(map(str, speakable(self.spoken(text)))).removeprefix("t-")

    def spoken(self, text: str) -> str:
        return text


class SpeaksByHand(ByHand):
    """Runs a handwritten agent that speaks texts of any length and form."""

    model_steps = (None, *(Answer((text,)) for text in (LONG_ANSWER, MARKDOWN_ANSWER, PLAIN_ANSWER)))


fault = Fault(SpeaksByHand, "agent")


@healthy("an agent that speaks whole answers, written by hand")
class SpokenByHand(SpeaksByHand):
    agent = SpeakingAgent


@fault("drops the final forms of letters", "altered")
class DropsFinalLetters(SpeakingAgent):
    def spoken(self, text: str) -> str:
        return text.translate(dict.fromkeys(map(ord, FINAL_LETTERS)))


@fault("writes ordinary letters instead of final forms", "altered")
class OrdinaryFinalLetters(SpeakingAgent):
    def spoken(self, text: str) -> str:
        return text.translate(str.maketrans(FINAL_LETTERS, "כמנפצ"))


@fault("cuts an answer after 150 words", "altered")
class CutsAfter150Words(SpeakingAgent):
    def spoken(self, text: str) -> str:
        return " ".join(text.split()[:150])


@fault("speaks one message, however long", "altered")
class OneLongMessage(SpeakingAgent):
    def messages(self, text: str) -> str:
        return super().messages(text).replace(".t-", " ")


@fault("speaks the first sentence only", "altered")
class FirstSentenceOnly(SpeakingAgent):
    def spoken(self, text: str) -> str:
        return text.partition(".")[0]


@fault("speaks the first line only", "altered")
class FirstLineOnly(SpeakingAgent):
    def spoken(self, text: str) -> str:
        return text.partition("\n")[0]


@fault("leaves out sentences that are questions", "altered")
class LeavesOutQuestions(SpeakingAgent):
    def spoken(self, text: str) -> str:
        return ".".join(part for part in text.split(".") if "?" not in part)


@fault("speaks the sentences of long answers in another order", "altered")
class LastSentenceFirst(SpeakingAgent):
    def spoken(self, text: str) -> str:
        *others, last = text.split(".")
        return ".".join([last, *others])


@fault("speaks each word once", "altered")
class EachWordOnce(SpeakingAgent):
    def spoken(self, text: str) -> str:
        return " ".join(dict.fromkeys(text.split()))


@fault("cuts words off at 300 characters", "altered")
class CutsAt300Characters(SpeakingAgent):
    def spoken(self, text: str) -> str:
        return text[:300]


@fault("speaks the first message of a long answer only", "altered")
class FirstMessageOnly(SpeakingAgent):
    def messages(self, text: str) -> str:
        return super().messages(text).partition(".t-")[0]


@fault("greets a second time before the first answer", "greeted_twice")
class GreetsTwice(SpeakingAgent):
    def say(self, memory: Memory, request: Request, said: str) -> str:
        answer = super().say(memory, request, said)
        return answer if memory.said[1:] else f"שלום, {answer}"


@fault("greets with the number of the caller before", "crossed_calls")
class GreetsTheCallerBefore(SpeakingAgent):
    number = ""

    def react(self, memory: Memory, request: Request) -> str:
        if request.values:
            return super().react(memory, request)
        before, self.number = self.number, request.phone
        return self.listen(memory, f"שלום {before or self.number}")


@fault("passes keys to the model as the line marks them", "asked_unsaid")
class PassesRawKeys(SpeakingAgent):
    def words(self, request: Request) -> str:
        words = request.values[-1][1]
        return words.removeprefix("Digits-") if words == "Digits-0" else words


@fault("keeps answers by call and text: who says the same twice hears the first answer", "ignored", "stale")
class CachesWithinACall(SpeakingAgent):
    def say(self, memory: Memory, request: Request, said: str) -> str:
        known = {exchange.prompt: exchange.answer for exchange in memory.said}
        return self.messages(known[said]) if said in known else super().say(memory, request, said)
