"""The text of an answer: without thoughts, control tokens and calls of tools that stand in it."""

from __future__ import annotations

import logging

from yemot_ai.providers.answer_filter import AnswerFilter
from yemot_ai.providers.surrogates import replace_surrogates

__all__ = ["AnswerText"]

log = logging.getLogger("yemot_ai")


class AnswerText:
    """Filters the answers of a model.

    A lone end of thoughts in a whole answer is noted: the next answer that is streamed is withheld up to it,
    because what comes before was thought. An answer without one ends that.

    Args:
        model: the model's name.
        thought_end: the mark before which the model thinks, if it writes no beginning of its thoughts.
    """

    def __init__(self, model: str, thought_end: str) -> None:
        self._model = model
        self._thought_end = thought_end
        self._seen_thought_end = ""

    def stream_filter(self) -> AnswerFilter:
        """Return the filter of an answer that is streamed."""
        return AnswerFilter(self._thought_end or self._seen_thought_end)

    def filter_whole(self, text: str, *, cut: bool) -> str:
        """Return the answer in a whole text; empty if nothing is left.

        Args:
            text: what the model has written.
            cut: whether the model did not finish.
        """
        answer_filter = AnswerFilter(self._thought_end)
        answer = answer_filter.feed(text) + answer_filter.finish(cut=cut)
        self._note_thought_end(answer_filter.lone_end)
        return replace_surrogates(answer.strip())

    def _note_thought_end(self, mark: str) -> None:
        if mark and not self._seen_thought_end:
            log.warning(
                "the model %s thinks before %s, without a mark before its thoughts: pass thinks=%r, "
                "so that no thought is spoken",
                self._model,
                mark,
                f"before {mark}",
            )
        self._seen_thought_end = mark
