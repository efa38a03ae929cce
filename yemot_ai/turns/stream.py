"""Telling: the sentences of a turn that still runs, written down as they become whole.

Whoever works on a turn hands over what the model writes; whoever answers the line finds the whole
sentences in the session, in this process or in another one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, Self

from yemot_ai.errors import CallEndedError, StoreError
from yemot_ai.turns.news import come
from yemot_ai.turns.sentences import Sentences

__all__ = ["OvertakenError", "Telling"]

log = logging.getLogger("yemot_ai")

EVERY: Final = 0.5
"""Seconds between two writings where others share the store; the first sentence does not wait."""

LOOK: Final = 1.0
"""Seconds between two looks whether the turn is still ours while there is nothing to write."""

Write = Callable[[tuple[str, ...], str], Awaitable[None]]


class OvertakenError(Exception):
    """The turn is not ours any more: our lease ran out while we worked, or the caller interrupted."""


class Telling:
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
        "_awaited",
        "_before",
        "_body",
        "_finished",
        "_immediate",
        "_lost",
        "_new",
        "_sentences",
        "_wanted",
        "_write",
        "_writer",
        "pieces",
        "written",
    )

    def __init__(self, write: Write, *, immediate: bool) -> None:
        self.pieces: list[str] = []
        self._awaited = 0
        self._write = write
        self._immediate = immediate
        self._sentences = Sentences()
        self._before = ""
        self._finished = False
        self.written = 0
        self._new = asyncio.Event()
        self._wanted = asyncio.Event()
        self._body: asyncio.Task[object] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._lost: Exception | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there is a sentence that somebody may have heard."""
        return bool(self.pieces)

    def open(self) -> None:
        """From now on see whether the turn is still ours, also while nothing is written."""
        if not self._immediate:
            self._start()

    def play_before(self, rendered: str) -> None:
        """Let ``rendered`` messages be played before the first sentence."""
        self._before = rendered

    def hear(self, text: str) -> None:
        """Take what the model has written next."""
        self._tell(self._sentences.add(text))

    def finish(self) -> None:
        """Take what is left as the last sentence; the end of the turn will write all of it down."""
        self.pieces += self._sentences.rest()
        self._finished = True

    def begin_again(self) -> None:
        """Forget the beginning of a sentence: the model is asked once more."""
        self._sentences = Sentences()

    async def wanted(self, news: asyncio.Event) -> None:
        """Wait for ``news``; meanwhile, what there is is written without waiting for more."""
        self._awaited += 1
        if len(self.pieces) > self.written:
            self._wanted.set()
        try:
            await news.wait()
        finally:
            self._awaited -= 1

    async def __aenter__(self) -> Self:
        self._body = asyncio.current_task()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is None:
            return
        self._writer.cancel()
        try:
            await asyncio.wait({self._writer})
        except asyncio.CancelledError:
            if self._lost is None:
                raise
        if self._lost is not None:
            if self._body is not None and self._body.uncancel():
                raise asyncio.CancelledError  # somebody else has cancelled it, too
            raise self._lost

    @property
    def _patience(self) -> float | None:
        """Seconds after which to see whether the turn is still ours; where nobody can take it: never."""
        return None if self._immediate else LOOK

    def _tell(self, sentences: list[str]) -> None:
        if not sentences:
            return
        self.pieces += sentences
        self._new.set()
        if self._awaited:
            self._wanted.set()
        self._start()

    def _start(self) -> None:
        if self._writer is None:
            self._writer = asyncio.create_task(self._keep_writing())

    async def _keep_writing(self) -> None:
        while True:
            await come(self._new, within=self._patience)
            self._new.clear()
            self._wanted.clear()
            if self._finished:
                return  # or an answer that comes at once would be spoken in two parts
            upto = len(self.pieces)
            try:
                await self._write(tuple(self.pieces), self._before)
            except StoreError as error:
                log.debug("sentences cannot be written down yet: %s", error)
                await asyncio.sleep(EVERY)
                continue
            except (CallEndedError, OvertakenError) as lost:
                self._lost = lost
                if self._body is not None:
                    self._body.cancel()
                return
            told, self.written = upto > self.written, upto
            if told and not self._immediate:
                await come(self._wanted, within=EVERY)
