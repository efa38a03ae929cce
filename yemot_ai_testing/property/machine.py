"""A state machine of many calls at once over one application.

Hypothesis lets callers dial, speak, press, keep silent, repeat requests and hang up, alone and
together, and checks after each step: every utterance was asked exactly once, was answered by its
own answer, and by no conversation but its own. A failure is shrunk to the shortest such evening::

    class TestMyLine(CallMachine.TestCase): ...

To try your own application, derive from ``CallMachine`` and override ``make_app``.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.property.echo import Echo

__all__ = ["CallMachine", "Talk"]

_UTTERANCE = re.compile(r"אמירה \d+")


@dataclass(eq=False, slots=True)
class Talk:
    """One call of a machine.

    Attributes:
        caller: who calls.
        said: what was said, in order.
        conversations: which of the model's conversations were heard.
    """

    caller: Caller
    said: list[str] = field(default_factory=list)
    conversations: set[str] = field(default_factory=set)


class CallMachine(RuleBasedStateMachine):
    """Many calls over one application; each utterance is asked and answered exactly once."""

    talks = Bundle("talks")

    def __init__(self) -> None:
        super().__init__()
        self.provider = Echo()
        self.app = self.make_app(self.provider)
        self._utterances = 0
        self._open: list[Talk] = []
        self._all: list[Talk] = []

    def make_app(self, provider: Echo) -> AIFlow:
        """Make the application under trial: its root is an agent that ``provider`` answers for."""
        flow = AIFlow(YemotAI(provider=provider))

        @flow.ai_agent("")
        def agent(call: object, text: str) -> None:
            """Let the AI answer."""

        return flow

    @initialize()
    def first(self) -> None:
        """Begin with nobody on the line."""
        assert self.app.ai.sessions_open == 0

    @rule(target=talks)
    def dials(self) -> Talk:
        """Somebody calls."""
        talk = Talk(Caller(self.app))
        talk.caller.dial()
        self._open.append(talk)
        self._all.append(talk)
        return talk

    @rule(talk=talks, seconds=st.sampled_from([0, 1, 4, 9]))
    def speaks(self, talk: Talk, seconds: int) -> None:
        """One caller says something; the model thinks for ``seconds``."""
        self.provider.seconds = seconds
        self._speak(talk, self._utterance())

    @rule(first=talks, second=talks, third=talks)
    def speak_together(self, first: Talk, second: Talk, third: Talk) -> None:
        """Several callers speak at the same moment, each in a thread of its own."""
        several = list(dict.fromkeys((first, second, third)))
        self.provider.seconds = 0
        together = threading.Barrier(len(several))

        def one(talk: Talk, utterance: str) -> Callable[[], None]:
            def speak() -> None:
                together.wait(10)
                self._speak(talk, utterance)

            return speak

        _in_threads([one(talk, self._utterance()) for talk in several])

    @rule(talk=talks)
    def repeats(self, talk: Talk) -> None:
        """The line sends its last request again: the answer is the same, byte for byte."""
        before = talk.caller.raw
        talk.caller.repeats()
        assert talk.caller.raw == before

    @rule(talk=talks)
    def starts_anew(self, talk: Talk) -> None:
        """A caller presses 0: the model's conversation begins again."""
        talk.caller.presses("0")
        talk.conversations.clear()

    @rule(talk=consumes(talks))
    def hangs_up(self, talk: Talk) -> None:
        """A caller hangs up."""
        talk.caller.hangs_up()
        self._open.remove(talk)

    @invariant()
    def each_utterance_is_asked_exactly_once(self) -> None:
        """The model was asked what was said, no more, no less, no twice."""
        asked = Counter(prompt for _, prompt in self.provider.asked)
        said = Counter(utterance for talk in self._all for utterance in talk.said)
        assert asked == said

    @invariant()
    def nothing_is_left_of_calls_that_are_over(self) -> None:
        """There is a session for each open call, and no thought without a listener."""
        assert self.app.ai.sessions_open == len(self._open)
        assert self.provider.running == 0

    def teardown(self) -> None:
        """Everybody hangs up."""
        for talk in self._open:
            talk.caller.hangs_up()
        assert self.app.ai.sessions_open == 0

    def _utterance(self) -> str:
        self._utterances += 1
        return f"אמירה {self._utterances}"

    def _speak(self, talk: Talk, utterance: str) -> None:
        talk.said.append(utterance)
        heard = talk.caller.says(utterance)
        assert _UTTERANCE.findall(heard) == [utterance], f"{utterance!r} was answered by {heard!r}"
        talk.conversations.add(heard.rpartition(" ")[2])
        assert len(talk.conversations) == 1, f"one call, several conversations: {talk.conversations}"


def _in_threads(works: list[Callable[[], None]]) -> None:
    """Do all at once; the first failure is raised here."""
    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as failure:  # noqa: BLE001 - raised again in the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
