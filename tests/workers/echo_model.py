"""A model service for many processes, which records their questions."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from yemot_ai_testing import ModelServer
from yemot_ai_testing.doubles.model_service.request import ModelRequest
from yemot_ai_testing.doubles.steps import Answer

__all__ = ["EchoModel", "Question"]


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        answer: the text of its answer; it names the question.
        worker: the id of the process that asked; it is the name of the model in its request.
        earlier: the earlier utterances of the conversation.
    """

    prompt: str
    answer: str
    worker: int
    earlier: tuple[str, ...]


class EchoModel(ModelServer):
    """Answers ``<utterance> תשובה <number>`` after ``thinking`` seconds."""

    def __init__(self, thinking: float = 0.3) -> None:
        super().__init__()
        self.thinking = thinking
        self.questions: list[Question] = []
        self._change = threading.Condition()

    def receive(self, request: ModelRequest) -> Answer:
        *earlier, prompt = request.user_messages
        with self._change:
            answer = f"{prompt} תשובה {len(self.questions)}"
            self.questions.append(Question(prompt, answer, int(request.body["model"]), tuple(earlier)))
            self._change.notify_all()
        return Answer((answer,), self.thinking)

    def wait_for(self, worker: int, *, after: int) -> None:
        """Block until ``worker`` asks a question, after the first ``after`` of all."""
        with self._change:
            assert self._change.wait_for(lambda: len(self.questions) >= after, 30)
            count = len(self.questions)
            asked = self._change.wait_for(
                lambda: any(question.worker == worker for question in self.questions[count:]), 30
            )
        assert asked, "the worker asked nothing"

    def asked(self, prompt: str) -> list[Question]:
        return [question for question in self.questions if question.prompt == prompt]
