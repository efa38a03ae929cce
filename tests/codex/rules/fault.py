"""A fault: a function that replaces one named function or method of the fake Codex's program.

Imported by the program too, which runs without site-packages: only the standard library is used here, and of
it nothing that is slow to import.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

__all__ = ["Fault", "fault"]

_Function = Callable[..., Any]
_F = TypeVar("_F", bound=_Function)


class Fault(NamedTuple):
    """A mistake that a fake could make.

    Attributes:
        name: what it does.
        replaces: the function or method of the program, as it is without the fault.
        replacement: what is called instead.
        caught_by: the cases or rules that fail with it.
    """

    name: str
    replaces: _Function
    replacement: _Function
    caught_by: tuple[str, ...]

    def install(self) -> None:
        """Put the replacement wherever the loaded modules of the program name what it replaces.

        Raises:
            AttributeError: the program has no such function or method.
        """
        owner, _, name = self.replaces.__qualname__.rpartition(".")
        module = sys.modules[self.replaces.__module__]
        place = getattr(module, owner) if owner else module
        if getattr(place, name) is not self.replaces:
            raise AttributeError(f"{self.replaces.__qualname__} is not what {module.__name__} calls {name}")
        # Other modules have imported the function by its name.
        for one in (place, *_modules_beside(module.__name__)):
            if vars(one).get(name) is self.replaces:
                setattr(one, name, self.replacement)


def _modules_beside(module: str) -> list[Any]:
    package = module.partition(".")[0]
    return [one for name, one in sys.modules.items() if name.partition(".")[0] == package]


def fault(
    faults: dict[str, Fault], name: str, *, replaces: _F, caught_by: tuple[str, ...]
) -> Callable[[_F], _F]:
    """Enter the decorated function in ``faults``; its signature has to be that of what it replaces."""

    def enter(replacement: _F) -> _F:
        assert name not in faults, name
        faults[name] = Fault(name, replaces, replacement, caught_by)
        return replacement

    return enter
