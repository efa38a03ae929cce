"""The calls that are made by hand in one process, each with a number."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.phone.call import PhoneCall
from yemot_ai_testing.phone.replay import find_scenario, replay
from yemot_ai_testing.phone.save import save_call
from yemot_ai_testing.phone.target import DEFAULT_PHONE, PhoneTarget

__all__ = ["NoSuchCallError", "Phone"]

MAX_CALLS = 50
"""Calls that are open at once; more are a mistake of a program."""


class NoSuchCallError(ToolkitError):
    """There is no call with this number, or there are too many."""


class Phone:
    """Calls one target, several times at once if a person wants that.

    Args:
        target: what is called.
        folder: where calls are saved.

    Attributes:
        target: see above.
        calls: the calls, by number, in the order in which they were dialled.
    """

    def __init__(self, target: PhoneTarget, folder: Path = Path()) -> None:
        self.target = target
        self.calls: dict[int, PhoneCall] = {}
        self._folder = folder
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def dial(self, phone: str = DEFAULT_PHONE, extension: str = "") -> int:
        """Begin a call and return its number.

        Raises:
            AppError: the line has no such extension.
            NoSuchCallError: too many calls are open.
        """
        return self._add(lambda: self.target.dial(phone=phone, extension=extension))

    def replay(self, file: str) -> int:
        """Begin to play a scenario and return the number of its call.

        Args:
            file: ``FILE`` or ``FILE::NAME``.

        Raises:
            ScenarioLoadError: the file cannot be read, or has problems.
            AppError: it has no such scenario, or the line does not fit it.
            NoSuchCallError: too many calls are open.
        """
        scenario = find_scenario(file)
        return self._add(lambda: replay(self.target, scenario))

    def call(self, number: int) -> PhoneCall:
        """Return a call.

        Raises:
            NoSuchCallError: there is no such call.
        """
        if number not in self.calls:
            known = ", ".join(map(str, self.calls)) or "none yet: dial"
            raise NoSuchCallError(f"there is no call {number}; there are {known}")
        return self.calls[number]

    def save(self, number: int, name: str) -> Path:
        """Write a call as ``NAME.call.yaml``; see ``save_call``."""
        return save_call(self.target, self.call(number), name, self._folder)

    def _add(self, begin: Callable[[], PhoneCall]) -> int:
        with self._lock:
            if sum(not call.caller.ended for call in self.calls.values()) >= MAX_CALLS:
                raise NoSuchCallError(f"{MAX_CALLS} calls are open: hang up first")
            number = next(self._numbers)
            self.calls[number] = begin()
            return number

    def close(self) -> None:
        """Hang up all calls."""
        for call in self.calls.values():
            call.close()
