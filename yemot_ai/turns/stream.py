"""Telling: the sentences of a turn that still runs, written down as they become whole.

Whoever works on a turn hands over what the model writes; whoever answers the line finds the whole
sentences in the session, in this process or in another one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

from yemot_ai.errors import CallEndedError, StoreError
from yemot_ai.turns.sentences import SentenceSplitter

__all__ = ["AnswerStream", "OvertakenError", "TurnNotifier", "wait_for_event"]

log = logging.getLogger("yemot_ai")

WRITE_INTERVAL: Final = 0.5
"""Seconds between two writings where others share the store; the first sentence does not wait."""

OWNERSHIP_CHECK_INTERVAL: Final = 1.0
"""Seconds between two looks whether the turn is still ours while there is nothing to write."""

TurnKey = tuple[str, str]
WritePieces = Callable[[tuple[str, ...], str], Awaitable[None]]


class OvertakenError(Exception):
    """The turn is not ours any more: our lease ran out while we worked, or the caller interrupted."""


class AnswerStream:
    """What is told of one turn; lives on the engine's loop, around the work on the turn.

    Args:
        write: writes sentences, and what is played before them, into the turn.
        immediate: whether writing costs nothing, and nobody else can take the turn away.

    Attributes:
        pieces: the whole sentences so far.
        written: how many of them are written down.

    Raises:
        OvertakenError: on leaving: the turn was taken away, and the work was cancelled for it.
        CallEndedError: likewise, the call has ended.
    """

    __slots__ = (
        "_finished",
        "_immediate",
        "_lost_error",
        "_new_pieces",
        "_splitter",
        "_spoken_before",
        "_waiters",
        "_work_task",
        "_write",
        "_write_now",
        "_writer_task",
        "pieces",
        "written",
    )

    def __init__(self, write: WritePieces, *, immediate: bool) -> None:
        self.pieces: list[str] = []
        self._waiters = 0
        self._write = write
        self._immediate = immediate
        self._splitter = SentenceSplitter()
        self._spoken_before = ""
        self._finished = False
        self.written = 0
        self._new_pieces = asyncio.Event()
        self._write_now = asyncio.Event()
        self._work_task: asyncio.Task[object] | None = None
        self._writer_task: asyncio.Task[None] | None = None
        self._lost_error: Exception | None = None

    @property
    def has_pieces(self) -> bool:
        """Whether there is a sentence that somebody may have heard."""
        return bool(self.pieces)

    def start_ownership_checks(self) -> None:
        """From now on see whether the turn is still ours, also while nothing is written."""
        if not self._immediate:
            self._start_writer()

    def speak_before(self, rendered: str) -> None:
        """Let ``rendered`` messages be played before the first sentence."""
        self._spoken_before = rendered

    def feed(self, text: str) -> None:
        """Take what the model has written next."""
        self._add_pieces(self._splitter.feed(text))

    def finish(self) -> None:
        """Take what is left as the last sentence; the end of the turn will write all of it down."""
        self.pieces += self._splitter.flush()
        self._finished = True

    def reset(self) -> None:
        """Forget the beginning of a sentence: the model is asked once more."""
        self._splitter = SentenceSplitter()

    async def flush_until(self, event: asyncio.Event) -> None:
        """Wait for ``event``; meanwhile, what there is is written without waiting for more."""
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
        if self._writer_task is None:
            return
        self._writer_task.cancel()
        try:
            await asyncio.wait({self._writer_task})
        except asyncio.CancelledError:
            if self._lost_error is None:
                raise
        if self._lost_error is not None:
            if self._work_task is not None and self._work_task.uncancel():
                raise asyncio.CancelledError  # somebody else has cancelled it, too
            raise self._lost_error

    @property
    def _check_interval(self) -> float | None:
        """Seconds after which to see whether the turn is still ours; where nobody can take it: never."""
        return None if self._immediate else OWNERSHIP_CHECK_INTERVAL

    def _add_pieces(self, sentences: list[str]) -> None:
        if not sentences:
            return
        self.pieces += sentences
        self._new_pieces.set()
        if self._waiters:
            self._write_now.set()
        self._start_writer()

    def _start_writer(self) -> None:
        if self._writer_task is None:
            self._writer_task = asyncio.create_task(self._write_pieces())

    async def _write_pieces(self) -> None:
        while True:
            await wait_for_event(self._new_pieces, seconds=self._check_interval)
            self._new_pieces.clear()
            self._write_now.clear()
            if self._finished:
                return  # or an answer that comes at once would be spoken in two parts
            upto = len(self.pieces)
            try:
                await self._write(tuple(self.pieces), self._spoken_before)
            except StoreError as error:
                log.debug("sentences cannot be written down yet: %s", error)
                await asyncio.sleep(WRITE_INTERVAL)
                continue
            except (CallEndedError, OvertakenError) as lost:
                self._lost_error = lost
                if self._work_task is not None:
                    self._work_task.cancel()
                return
            told, self.written = upto > self.written, upto
            if told and not self._immediate:
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


async def wait_for_event(event: asyncio.Event, *, seconds: float | None) -> None:
    """Wait for ``event``, for at most ``seconds`` (None: without a limit)."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
