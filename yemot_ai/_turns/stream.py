"""The answer stream: write an answer into its turn, sentence by sentence, while the model generates it.

The work on a turn feeds the stream with the model's text. The request that answers the line finds the
complete sentences, the pieces, in the session, in this process or in another one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

from yemot_ai._runtime.tasks import wait_for_event
from yemot_ai._turns.sentences import SentenceSplitter, keep_whole_words
from yemot_ai.errors import CallEndedError, StoreError

__all__ = ["AnswerStream", "OvertakenError", "TurnNotifier"]

log = logging.getLogger("yemot_ai")

WRITE_INTERVAL: Final = 0.5
"""Seconds between two writes to a shared store; the first piece does not wait."""

OWNERSHIP_CHECK_INTERVAL: Final = 1.0
"""Seconds between two checks that this worker still owns the turn, while there is nothing to write."""

TurnKey = tuple[str, str]
WritePieces = Callable[[tuple[str, ...], str], Awaitable[None]]


class OvertakenError(Exception):
    """This worker no longer owns the turn: its lease ran out, or the caller interrupted the answer."""


class AnswerStream:
    """The answer of one turn while it is generated; a context around the work, on the engine's loop.

    Args:
        immediate: whether the store is immediate: no other worker can overtake this one.

    Attributes:
        write: writes pieces, and the messages to play before them, into the turn; set it before the stream
            is entered.
        pieces: the complete sentences so far.
        spoken_before: the rendered messages to play before the first piece.
        written: how many of them are in the store.

    Raises:
        OvertakenError: on exit, if another owner took the turn and the work was cancelled.
        CallEndedError: on exit, if the call has ended and the work was cancelled.
    """

    __slots__ = (
        "_closed",
        "_finished",
        "_immediate",
        "_lost_error",
        "_new_pieces",
        "_splitter",
        "_waiters",
        "_work_task",
        "_write_now",
        "_writer_task",
        "pieces",
        "spoken_before",
        "write",
        "written",
    )

    write: WritePieces

    def __init__(self, *, immediate: bool) -> None:
        self.pieces: list[str] = []
        self.spoken_before = ""
        self._waiters = 0
        self._immediate = immediate
        self._splitter: SentenceSplitter | None = None
        self._closed = False
        self._finished = False
        self.written = 0
        self._new_pieces = asyncio.Event()
        self._write_now = asyncio.Event()
        self._work_task: asyncio.Task[object] | None = None
        self._writer_task: asyncio.Task[None] | None = None
        self._lost_error: Exception | None = None

    @property
    def has_pieces(self) -> bool:
        """Whether there is a piece that the caller may have heard."""
        return bool(self.pieces)

    def start_ownership_checks(self) -> None:
        """Start to check that this worker still owns the turn, also while there is nothing to write."""
        if not self._immediate:
            self._start_writer()

    def feed(self, text: str) -> None:
        """Add text of the model."""
        if self._splitter is None:
            self._splitter = SentenceSplitter()
        self._add_pieces(self._splitter.feed(text))

    def finish(self) -> None:
        """Make the rest of the text the last piece; the end of the turn writes it to the store."""
        if self._splitter is not None:
            self.pieces += self._splitter.flush()
        self._finished = True

    def end_sentence(self) -> None:
        """Make the rest of the text a piece: the model waits for a tool, and more text follows."""
        if self._splitter is not None:
            rest, self._splitter = self._splitter.flush(), None
            self._add_pieces([f"{sentence.rstrip()} " for sentence in rest])

    def finish_cut(self, text: str) -> None:
        """Make of an answer that was cut the pieces that can be spoken; the end of the turn writes them.

        Args:
            text: the whole answer up to the cut, if the stream was not fed.
        """
        if self._splitter is None:
            self.feed(text)
        if self._splitter is not None:
            for rest in self._splitter.flush():
                spoken = keep_whole_words(rest, is_first=not self.pieces)
                self.pieces += [spoken] if spoken.strip() else []
        self._finished = True

    def close(self) -> None:
        """Write no more pieces: the end of the turn writes them all."""
        self._closed = True
        if self._writer_task is not None:
            self._writer_task.cancel()

    def keep(self, count: int) -> None:
        """Drop all text after the first ``count`` pieces: the answer is too long."""
        del self.pieces[count:]
        self.reset()

    def reset(self) -> None:
        """Drop an incomplete sentence, because the model is asked again."""
        self._splitter = None

    async def flush_until(self, event: asyncio.Event) -> None:
        """Wait for ``event``; until then, write each piece without delay."""
        self._waiters += 1
        if len(self.pieces) > self.written:
            self._write_now.set()
        try:
            await event.wait()
        finally:
            self._waiters -= 1

    async def __aenter__(self) -> Self:
        self._work_task = asyncio.current_task()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        # Its tasks refer to the stream: until the next collection of cycles, the stream would keep the turn.
        writer, self._writer_task = self._writer_task, None
        work, self._work_task = self._work_task, None
        if writer is not None:
            await self._wait_for_writer(writer, work)

    async def _wait_for_writer(self, writer: asyncio.Task[None], work: asyncio.Task[object] | None) -> None:
        try:
            await asyncio.wait({writer})
        except asyncio.CancelledError:
            if self._lost_error is None:
                raise
        if self._lost_error is not None:
            if work is not None and work.uncancel():
                raise asyncio.CancelledError  # the task was cancelled from outside, too
            raise self._lost_error

    @property
    def _check_interval(self) -> float | None:
        """Seconds between two ownership checks; None where no other worker can take the turn."""
        return None if self._immediate else OWNERSHIP_CHECK_INTERVAL

    def _add_pieces(self, sentences: list[str]) -> None:
        if not sentences:
            return
        self.pieces += sentences
        self._new_pieces.set()
        if self._waiters:
            self._write_now.set()
        if self._writer_task is None:  # later: an answer that arrives at once needs no writer
            asyncio.get_running_loop().call_soon(self._start_writer)

    def _start_writer(self) -> None:
        if self._writer_task is None and not self._finished and not self._closed:
            self._writer_task = asyncio.create_task(self._write_pieces())

    async def _write_pieces(self) -> None:
        while True:
            await wait_for_event(self._new_pieces, seconds=self._check_interval)
            self._new_pieces.clear()
            self._write_now.clear()
            if self._finished:
                return  # an answer that arrives at once must not be spoken in two parts
            upto = len(self.pieces)
            try:
                await self.write(tuple(self.pieces), self.spoken_before)
            except StoreError as error:
                log.debug("pieces cannot be written yet: %s", error)
                await asyncio.sleep(WRITE_INTERVAL)
                continue
            except (CallEndedError, OvertakenError) as lost:
                # A second cancellation would interrupt the cleanup of the model.
                if not self._closed and self._work_task is not None and not self._work_task.cancelling():
                    self._lost_error = lost
                    self._work_task.cancel()
                return
            has_written, self.written = upto > self.written, upto
            if has_written and not self._immediate:
                await wait_for_event(self._write_now, seconds=WRITE_INTERVAL)


class TurnNotifier:
    """Wakes the requests of this process that wait for new pieces of a turn; lives on the engine's loop."""

    def __init__(self) -> None:
        self._waiting: dict[TurnKey, list[asyncio.Event]] = {}

    @contextmanager
    def watch(self, key: TurnKey) -> Iterator[asyncio.Event]:
        """Yield an event that each ``notify`` of ``key`` sets."""
        event = asyncio.Event()
        self._waiting.setdefault(key, []).append(event)
        try:
            yield event
        finally:
            self._waiting[key].remove(event)
            if not self._waiting[key]:
                del self._waiting[key]

    def notify(self, key: TurnKey) -> None:
        """Set the events that watch ``key``."""
        for event in self._waiting.get(key, ()):
            event.set()
