"""What a model writes that is no answer: thoughts, control tokens, calls of tools."""

from yemot_ai.providers.answer_filter.filter import AnswerFilter, answer_of

__all__ = ["AnswerFilter", "answer_of"]
