"""Callers who dial the reference agent, speak, think and hang up, again and again."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from yemot_ai_testing import Caller, FakeCodex
from yemot_ai_testing.errors import ToolkitError

TURNS = 4
"""Utterances of a call."""

FILLER = "רק רגע"
MENU_KEY = "1"
ANSWER = "תשובה"


@dataclass
class Callers:
    """Calls at once, until they are stopped.

    Attributes:
        url: of the server.
        codex: answers each utterance.
        count: how many there are.
        model_seconds: how long an answer takes.
        pause_seconds: how long a caller thinks between two utterances, and between two calls, in the mean.
        calls: how many have ended.
        turns: how many utterances were answered.
        unexpected: what was heard in place of an answer, and errors of the line.
    """

    url: str
    codex: FakeCodex
    count: int
    model_seconds: float
    pause_seconds: float
    calls: int = 0
    turns: int = 0
    unexpected: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, threads: ThreadPoolExecutor) -> list[Future[None]]:
        """Let them call; ``threads`` has at least ``count``."""
        return [threads.submit(self._call_again_and_again, number) for number in range(self.count)]

    def stop(self) -> None:
        """Let each hang up after its turn."""
        self._stop.set()

    def _call_again_and_again(self, number: int) -> None:
        dice = random.Random(number)  # noqa: S311 - when a caller speaks
        while not self._pause(dice):
            try:
                self._call(f"05{number:08}", dice)
            except ToolkitError as error:
                self._note(str(error).splitlines()[0])

    def _call(self, phone: str, dice: random.Random) -> None:
        with Caller(self.url, phone=phone) as caller:
            caller.dial()
            caller.presses(MENU_KEY)
            for turn in range(TURNS):
                if self._pause(dice):
                    break
                self._script_answer()
                self._judge(caller.says(f"שאלה {turn}"))
        with self._lock:
            self.calls += 1

    def _pause(self, dice: random.Random) -> bool:
        """Wait for as long as a person thinks; return whether the calls are stopped."""
        return self._stop.wait(self.pause_seconds * dice.uniform(0.5, 1.5))

    def _script_answer(self) -> None:
        with self._lock:
            self.codex.answers(ANSWER, after=self.model_seconds)

    def _judge(self, heard: str) -> None:
        said = heard.replace(FILLER, "").strip()
        with self._lock:
            self.turns += 1
        if said != ANSWER:
            self._note(said)

    def _note(self, what: str) -> None:
        with self._lock:
            self.unexpected[what] += 1
