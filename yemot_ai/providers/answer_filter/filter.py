"""Remove from a model's text, piece by piece, what is no answer: thoughts, control tokens, calls of tools.

A piece is withheld as long as it may be the beginning of a mark, so the result does not depend on where
the text is split. What came before a lone ``</think>`` was thought; of a stream it has been spoken already.
What follows the end of a thought within a thought is withheld: if the outer thought ends too, it was thought,
and otherwise (a chat template and the model both wrote the beginning) it is the answer.

>>> answer_filter = AnswerFilter()
>>> [answer_filter.feed(piece) for piece in ("<thi", "nk>hm", "</think>", " כן", ", בשמונה.<|im", "_end|>")]
['', '', '', 'כן', ', בשמונה.', '']
>>> answer_of("צריך לענות קצר.</think> השעה שמונה.")
'השעה שמונה.'

All calls of a process share one thread, so the cost of a text is bounded: what comes after ``MAX_LOOKS``
places where a mark could begin is dropped.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from typing import Final

from yemot_ai.providers.answer_filter.joining import JoinedText
from yemot_ai.providers.answer_filter.json_calls import JSONCall, call_start, may_be_call
from yemot_ai.providers.answer_filter.marks import (
    FENCE,
    INCOMPLETE,
    LEADING,
    LEADING_TEXTS,
    LONGEST_END,
    LONGEST_INCOMPLETE,
    MARK_START,
    SILENT,
    Mark,
    ends_thought,
    is_unfinished_mark,
    mark_at,
    text_after,
)

__all__ = ["MAX_LOOKS", "AnswerFilter", "answer_of"]

log = logging.getLogger("yemot_ai")

MAX_LOOKS: Final = 12_000
"""How many places of one text are looked at, which takes a tenth of a second; a spoken answer has fewer."""

_STARTS: Final = re.compile(f"{MARK_START.pattern}|[{{]")
_HEADER_END: Final = re.compile(r"[^\w .=:\-]|[^\x00-\x7f]")
_SLICE: Final = 2_000
"""Characters that are added to the buffer at once: each state copies what it leaves in the buffer."""
_LONGEST_HEADER: Final = 200
_SENTENCE_END: Final = frozenset(".!?:…")
_WORDS: Final = re.compile(r"<(?:action|functions?|invoke|tools?)>", re.IGNORECASE)
"""Beginnings of blocks that may be words of an answer, if no end follows."""


def answer_of(text: str, *, thought_end: str = "", cut: bool = False) -> str:
    """Return the answer in a whole text; the parameters are those of ``AnswerFilter``."""
    answer_filter = AnswerFilter(thought_end)
    return (answer_filter.feed(text) + answer_filter.finish(cut=cut)).strip()


class AnswerFilter:
    """Filter one answer.

    Args:
        thought_end: the mark before which all text is thought, for a model that writes no beginning of its
            thoughts. If the mark does not come, the whole text is the answer.

    Attributes:
        lone_end: the lone end of thoughts that was found; empty without one.
    """

    def __init__(self, thought_end: str = "") -> None:
        self.lone_end = ""
        self._thought_end = thought_end
        self._state: Callable[[AnswerFilter], bool] = (
            AnswerFilter._before_mark if thought_end else AnswerFilter._start
        )
        self._buffer = ""
        self._withheld: list[str] = []
        self._answer = JoinedText()
        self._had_thought = False
        self._block_end: Callable[[Mark], bool] = ends_thought
        self._block_pattern = LEADING[0][1]
        self._kept: list[str] | None = None
        self._open = 0  # thoughts that have begun, one within the other
        self._sign_before_buffer = ""
        self._header = ""
        self._call = JSONCall()
        self._looks = 0

    def feed(self, text: str) -> str:
        """Return the part of the next piece that belongs to the answer."""
        for start in range(0, max(len(text), 1), _SLICE):
            self._buffer += text[start : start + _SLICE]
            while self._state(self):
                pass
            if self._looks > MAX_LOOKS and self._state is not AnswerFilter._drop_rest:
                log.warning("the rest of an answer is dropped: its signs are those of marks, not of words")
                self._state = AnswerFilter._drop_rest
        return self._answer.take()

    def finish(self, *, cut: bool = False) -> str:
        """Return the rest of the answer: what was withheld and is no mark.

        Args:
            cut: whether the model did not finish; a text without ``thought_end`` is then thought.
        """
        rest, self._buffer = self._buffer, ""
        if self._state is AnswerFilter._before_mark:
            return "" if cut else answer_of("".join([*self._withheld, rest]))
        if self._state is AnswerFilter._after_nested:
            return self._answer.take() if cut else self._finish_nested(rest)
        if self._state is AnswerFilter._inside and self._kept is not None and not cut:
            self._answer.gap = ""
            self._answer.add("".join([*self._kept, rest]))
        elif self._state in {AnswerFilter._text, AnswerFilter._start} and not is_unfinished_mark(rest):
            self._answer.add(rest)
        return self._answer.take()

    def _finish_nested(self, rest: str) -> str:
        """Return the rest of the answer: the outer thought has no end of its own."""
        text = "".join([*self._withheld, rest])
        self._withheld.clear()
        self._state = AnswerFilter._text
        return self.feed(text) + self.finish()

    # Each state consumes a part of the buffer; it returns whether the next state can go on. They are kept as
    # functions: a filter that keeps its own method lives until the next collection of cycles.

    def _drop_rest(self) -> bool:
        self._buffer = ""
        return False

    def _before_mark(self) -> bool:
        after = text_after(self._buffer, self._thought_end)
        if after is None:
            tail = len(self._buffer) - len(self._thought_end)
            self._withheld.append(self._buffer[: max(tail, 0)])
            self._buffer = self._buffer[max(tail, 0) :]
            return False
        self._withheld.append(self._buffer[: len(self._buffer) - len(after)])
        # A mark at the very beginning is that of the whole thought.
        thought = "".join(self._withheld).lstrip()[1:]
        self._buffer, self._open = thought, 0
        self._open = sum(mark.kind == "thought" for mark, _ in self._marks())
        self._withheld.clear()
        self._buffer, self._state = after, AnswerFilter._after_nested if self._open else AnswerFilter._text
        return True

    def _start(self) -> bool:
        self._buffer = self._buffer.lstrip()
        lowered = self._buffer.lower()
        for begin, end in LEADING:
            if found := begin.match(self._buffer):
                self._buffer, self._block_pattern = self._buffer[found.end() :], end
                self._state = AnswerFilter._inside_leading
                return True
        if any(text.startswith(lowered) for text in LEADING_TEXTS):
            return False
        self._state = AnswerFilter._text
        return True

    def _inside_leading(self) -> bool:
        if found := self._block_pattern.search(self._buffer):
            self._buffer, self._state = self._buffer[found.end() :], AnswerFilter._text
            return True
        self._buffer = self._buffer[-LONGEST_END:]
        return False

    def _text(self) -> bool:
        found = _STARTS.search(self._buffer)
        if found is None:
            self._answer.add(self._buffer)
            self._buffer = ""
            return False
        self._answer.add(self._buffer[: found.start()])
        self._buffer = self._buffer[found.start() :]
        self._looks += 1
        if not self._answer.line.strip() and may_be_call(self._buffer):  # as JSON at the start of a line
            return self._read_call()
        mark = mark_at(self._buffer, 0) if MARK_START.match(self._buffer) else None
        if mark is INCOMPLETE:
            return False
        if isinstance(mark, Mark) and (self._answer.last != "`" or self._answer.gap):
            self._apply(mark)
        else:  # no mark, or the name of one: `<think>`
            self._answer.add(self._buffer[0])
            self._buffer = self._buffer[1:]
        return True

    def _read_call(self) -> bool:
        start = call_start(self._buffer)
        if start is None:
            return False
        self._call = JSONCall(fenced=start.fenced)
        self._buffer = self._buffer[start.position :]
        self._state = AnswerFilter._inside_call
        return True

    def _inside_call(self) -> bool:
        end = self._call.feed(self._buffer)
        if end is None:
            self._buffer = ""
            return False
        self._answer.note_block()
        self._buffer, self._state = self._buffer[end:], AnswerFilter._text
        if self._call.fenced:
            self._state = AnswerFilter._inside_fence
        return True

    def _inside_fence(self) -> bool:
        after = text_after(self._buffer, FENCE)
        if after is None:
            self._buffer = self._buffer[1 - len(FENCE) :]
            return False
        self._buffer, self._state = after, AnswerFilter._text
        return True

    def _apply(self, mark: Mark) -> None:
        """Take a mark out of the text, and do what it says."""
        raw, self._buffer = self._buffer[: mark.end], self._buffer[mark.end :]
        if mark.kind in {"thought", "thought end", "block"}:
            self._answer.note_block()
        else:
            self._answer.note_token()
        match mark.kind:
            case "thought":
                self._begin_block(ends_thought, [raw] if self._is_inline() else None)
            case "thought end":
                self._drop_thought(raw)
            case "block" if mark.name == FENCE:
                self._state = AnswerFilter._inside_fence
            case "block":
                kept = [raw] if self._is_inline() and _WORDS.fullmatch(raw) else None
                self._begin_block(lambda end: end.kind == "block end" and end.name == mark.name, kept)
            case "header":
                self._header, self._state = "", AnswerFilter._inside_header
            case "role":
                self._enter_message(mark.name)
            case _:
                self._state = AnswerFilter._text

    def _is_inline(self) -> bool:
        """Return whether the buffer stands within a sentence of the answer."""
        line = self._answer.line.rstrip()
        return bool(line) and line[-1] not in _SENTENCE_END

    def _drop_thought(self, mark: str) -> None:
        """Drop what was not given away yet: it was thought."""
        if not self._had_thought:
            self.lone_end = self.lone_end or mark
        self._answer.drop()

    def _begin_block(self, ends: Callable[[Mark], bool], kept: list[str] | None = None) -> None:
        self._block_end, self._kept, self._open, self._sign_before_buffer = ends, kept, 1, ""
        self._state = AnswerFilter._inside

    def _enter_message(self, header: str) -> None:
        if "final" not in header and SILENT.search(header.lower()):
            self._begin_block(lambda mark: mark.kind in {"header", "role", "turn end"})
        else:
            self._state = AnswerFilter._text

    def _inside(self) -> bool:
        for mark, start in self._marks():
            if self._block_end(mark):
                self._end_block(mark)
                return True
            self._open += mark.kind == "thought" and self._sign_before(start) != "`"
        kept = self._skip()
        if self._kept is not None:
            self._kept.append(kept)
        return False

    def _after_nested(self) -> bool:
        """Withhold what follows the end of a thought within a thought."""
        for mark, start in self._marks():
            if mark.kind in {"thought", "thought end"} and self._sign_before(start) != "`":
                self._open += 1 if mark.kind == "thought" else -1
            if not self._open:
                self._withheld.clear()
                self._buffer, self._state = self._buffer[mark.end :], AnswerFilter._text
                return True
        self._withheld.append(self._skip())
        return False

    def _marks(self) -> Iterator[tuple[Mark, int]]:
        """Yield the marks in the buffer, each with its position."""
        for found in MARK_START.finditer(self._buffer):
            self._looks += 1
            mark = mark_at(self._buffer, found.start())
            if mark is INCOMPLETE or self._looks > MAX_LOOKS:
                return
            if isinstance(mark, Mark):
                yield mark, found.start()

    def _sign_before(self, position: int) -> str:
        return self._buffer[position - 1] if position else self._sign_before_buffer

    def _skip(self) -> str:
        """Take out of the buffer what is no beginning of a mark, and return it."""
        tail = max(len(self._buffer) - LONGEST_INCOMPLETE, 0)
        starts = (found.start() for found in MARK_START.finditer(self._buffer, tail))
        unfinished = (at for at in starts if mark_at(self._buffer, at) is INCOMPLETE)
        end = next(unfinished, len(self._buffer))
        skipped, self._buffer = self._buffer[:end], self._buffer[end:]
        self._sign_before_buffer = skipped[-1:] or self._sign_before_buffer
        return skipped

    def _end_block(self, mark: Mark) -> None:
        self._buffer = self._buffer[mark.end :]
        self._kept = None
        self._state = AnswerFilter._text
        if mark.kind == "thought end":
            self._had_thought = True
            self._open -= 1
            self._state = AnswerFilter._after_nested if self._open else AnswerFilter._text
        elif mark.kind == "header":
            self._header, self._state = "", AnswerFilter._inside_header
        elif mark.kind == "role":
            self._enter_message(mark.name)

    def _inside_header(self) -> bool:
        """Read the header of a message, such as ``assistant<|channel|>final<|message|>``."""
        found = _HEADER_END.search(self._buffer)
        if found is None:
            self._extend_header(self._buffer)
            self._buffer = ""
            return False
        self._extend_header(self._buffer[: found.start()])
        self._buffer = self._buffer[found.start() :]
        self._looks += 1
        mark = mark_at(self._buffer, 0) if self._buffer[0] in "<[" else None
        if mark is INCOMPLETE:
            return False
        if isinstance(mark, Mark):
            self._buffer = self._buffer[mark.end :]
            self._extend_header(" ")
            if mark.name not in {"message", "end_header_id", "start_header_id"}:
                return True
        self._enter_message(self._header)
        return True

    def _extend_header(self, text: str) -> None:
        self._header = (self._header + text)[:_LONGEST_HEADER]
