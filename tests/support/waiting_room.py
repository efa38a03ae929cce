"""An application whose callers wait for a person at the server, in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.support.scenario_calls import Pairs
from yemot_ai_testing.line.clock import VirtualTime

POLL = "read=t-המתינו=w,no,1,1,1,No,,,,,1,Ok,None,,no"
MUSIC = "music_on_hold=ztomao,30&go_to_folder=."
QUESTION = "read=t-במה אפשר לעזור=q,no,voice"
GOODBYE = "id_list_message=t-להתראות&go_to_folder=hangup"


class Seconds:
    """A virtual clock that only advances when the line lets time pass."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Engine:
    clock: VirtualTime = field(default_factory=Seconds)


@dataclass
class AI:
    engine: Engine = field(default_factory=Engine)


@dataclass
class Room:
    """An application whose callers wait for a person at the server, in virtual time.

    Attributes:
        waiting: the response while the room is closed.
        greeting: the response before the caller has spoken; empty for none.
        response: the response now.
        log: what happened, with its time.
    """

    waiting: str = POLL
    greeting: str = ""
    response: str = ""
    ai: AI = field(default_factory=AI)
    log: list[tuple[str, float]] = field(default_factory=list)

    def __call__(self, pairs: Pairs) -> str:
        if ("hangup", "yes") in pairs:
            return "noop=bye"
        if self.greeting and "q" not in dict(pairs):
            return self.greeting
        return self.response or self.waiting

    def set(self, event: str, response: str) -> None:
        self.log.append((event, round(self.ai.engine.clock.now(), 3)))
        self.response = response
