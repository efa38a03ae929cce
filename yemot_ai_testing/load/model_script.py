"""The model of a load test: it answers every prompt with a number, and records what it was asked.

>>> script = LoadScript(History(now=lambda: 0.0))
>>> script.take("אמירה 7001")
Answer(pieces=('תשובה 1 על אמירה 7001',), after=0.0)
>>> [type(event).__name__ for event in script.history.events]
['ModelAsked', 'ModelAnswered']
"""

from __future__ import annotations

from yemot_ai_testing.doubles.script import Script
from yemot_ai_testing.doubles.steps import Answer, Step
from yemot_ai_testing.history import History, ModelAnswered, ModelAsked
from yemot_ai_testing.history.correlation import answer_text, latest_utterance_id

__all__ = ["LoadScript"]


class LoadScript(Script):
    """A script without an end.

    Args:
        history: where the model calls are recorded.
        seconds: how long the model takes for an answer.

    Attributes:
        history: the same.
        asked: how often the model was asked.
    """

    __slots__ = ("_seconds", "asked", "history")

    def __init__(self, history: History, seconds: float = 0.0) -> None:
        super().__init__()
        self.history = history
        self.asked = 0
        self._seconds = seconds

    def take(self, prompt: str) -> Step | None:
        """Return an answer that names its number and the utterance."""
        model_call_id, now = str(self.history.next_number()), self.history.now()
        self.asked += 1
        utterance_id, text = latest_utterance_id(prompt), answer_text(model_call_id, prompt)
        if utterance_id:  # else no caller has said it, as for a greeting
            self.history.add(ModelAsked(now, model_call_id, prompt, utterance_id))
            self.history.add(ModelAnswered(now + self._seconds, model_call_id, text=text))
        return Answer((text,), self._seconds)
