r"""Build the text of an answer from the messages of a turn, also if Codex restarts the model's stream.

Codex retries a stream that breaks off, and the model writes its answer from the beginning, in the same or
in other words. What the caller has heard cannot be taken back. So text is passed on in whole sentences, as
they are spoken; at a restart the incomplete sentence is dropped, and of the new text only the sentences
that were not passed on before. What is no answer (thoughts, control tokens, calls of tools) is removed first:

    >>> pieces = []
    >>> answer = AnswerText(pieces.append)
    >>> answer.add("msg_1", "<think>Hours?</think>Open until seven. On Fri")
    >>> answer.restart()
    >>> answer.add("msg_1", "Open until seven. Until one on Friday.")
    >>> answer.complete("msg_1", "Open until seven. Until one on Friday.")
    >>> pieces
    ['Open until seven. ', 'Until one on Friday.']
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from yemot_ai.providers.answer_filter import AnswerFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["AnswerText"]

_ENDS: Final = "|".join(rf"(?<=[.!?…。！？؟׃][^\w\s]{{{count}}}\s)" for count in range(5))
_BOUNDARY: Final = re.compile(rf"\s(?:(?<=\n)|{_ENDS})")
"""The space after the end of a sentence: without the space it is not known to be the end. Only spaces are
looked at: a row of full stops has many places where an end could begin."""

_LONGEST_BOUNDARY: Final = 6
_LIST_NUMBER: Final = re.compile(r"\s*\d{1,3}\.\s")
"""The number of a list item; its full stop does not end a sentence."""

_LONGEST_LIST_NUMBER: Final = 8
_WORD: Final = re.compile(r"\w+")


class AnswerText:
    """The text of one turn's answer; messages are separated by a line end.

    Args:
        on_text: called with each piece: one or more whole sentences, or the rest of a message. None if
            no pieces are wanted: then a restart drops all of an incomplete message.
        thought_end: the mark before which the model thinks, if it marks only the end of its thoughts.

    Attributes:
        text: what ``on_text`` got so far, or would have got.
        thought_end: the lone end of thoughts in the last message; empty without one.
    """

    def __init__(self, on_text: Callable[[str], object] | None, *, thought_end: str = "") -> None:
        self.thought_end = thought_end
        self._on_text = on_text
        self._passed_on: list[str] = []
        self._heard_before: Counter[str] = Counter()
        self._message_id: str | None = None
        self._message: list[str] = []
        self._filter = AnswerFilter(thought_end)
        self._sentence: list[str] = []
        self._is_new_message = False

    @property
    def text(self) -> str:
        """What ``on_text`` got so far, or would have got."""
        return "".join(self._passed_on)

    @property
    def is_open(self) -> bool:
        """Whether a message has begun and is not complete."""
        return self._message_id is not None

    def add(self, message_id: str, delta: str) -> None:
        """Add the next text of a message."""
        if message_id != self._message_id:
            self.end()
            self._message_id = message_id
        self._message.append(delta)
        was_answer = not self._filter.lone_end
        text = self._filter.feed(delta)
        if was_answer and self._filter.lone_end:
            self._sentence = []  # it was thought
        self._hold(text)

    def _hold(self, text: str) -> None:
        before = "".join(self._sentence[-_LONGEST_BOUNDARY:])[-_LONGEST_BOUNDARY:]
        self._sentence.append(text)
        if self._on_text is not None and _BOUNDARY.search(before + text):
            self._pass_on_sentences()

    def complete(self, message_id: str, text: str) -> None:
        """End a message.

        Args:
            message_id: the message.
            text: the whole message. If it is not a continuation of what was added, the latter is the
                message.
        """
        added = "".join(self._message) if message_id == self._message_id else ""
        if text.startswith(added) and text != added:
            self.add(message_id, text.removeprefix(added))
        self.end()

    def end(self, *, cut: bool = False) -> None:
        """End the message that has begun, if there is one: no more of it will come.

        Args:
            cut: whether the model did not finish it.
        """
        if self._message_id is not None:
            self._hold(self._filter.finish(cut=cut))
            self._pass_on("".join(self._sentence))
            self._note_thought_end()
            self._drop_message()

    def restart(self) -> None:
        """Drop the incomplete sentence: the model writes its answer from the beginning."""
        self._heard_before = Counter(map(_words, _sentences(self.text)))
        self._drop_message()

    def _note_thought_end(self) -> None:
        assumed = self.thought_end if self.thought_end in "".join(self._message) else ""
        self.thought_end = self._filter.lone_end or assumed

    def _drop_message(self) -> None:
        self._message_id = None
        self._message, self._sentence = [], []
        self._filter = AnswerFilter(self.thought_end)
        self._is_new_message = bool(self._passed_on)

    def _pass_on_sentences(self) -> None:
        *complete, rest = _split(held := "".join(self._sentence))
        if complete:
            self._pass_on(held.removesuffix(rest))
        self._sentence = [rest]

    def _pass_on(self, text: str) -> None:
        if self._heard_before:
            text = "".join(filter(self._is_new, _sentences(text)))
        if not text:
            return
        if self._is_new_message and not self._passed_on[-1][-1:].isspace():
            text = f"\n{text}"
        self._is_new_message = False
        self._passed_on.append(text)
        if self._on_text is not None:
            self._on_text(text)

    def _is_new(self, sentence: str) -> bool:
        """Return whether the caller has not heard the sentence; each sentence counts once."""
        words = _words(sentence)
        if words and not self._heard_before[words]:
            return True
        self._heard_before[words] -= 1
        return False


def _split(text: str) -> list[str]:
    """Return the complete sentences of a text, then the rest of it, which may be empty."""
    parts = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        end = match.end()
        if end - start > _LONGEST_LIST_NUMBER or not _LIST_NUMBER.fullmatch(text, start, end):
            parts.append(text[start:end])
            start = end
    return [*parts, text[start:]]


def _sentences(text: str) -> Iterator[str]:
    return filter(None, _split(text))


def _words(sentence: str) -> str:
    return " ".join(_WORD.findall(sentence))
