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
    """A planted fault.

    Attributes:
        name: the wrong behaviour.
        replaces: the original function or method of the program.
        replacement: the function that is called instead.
        caught_by: the rules that fail with it.
    """

    name: str
    replaces: _Function
    replacement: _Function
    caught_by: tuple[str, ...]

    def install(self) -> None:
        """Replace the function in all loaded modules of the program.

        Raises:
            AttributeError: if the program has no such function or method.
        """
        owner, _, name = self.replaces.__qualname__.rpartition(".")
        module = sys.modules[self.replaces.__module__]
        namespace = getattr(module, owner) if owner else module
        if getattr(namespace, name) is not self.replaces:
            raise AttributeError(f"{self.replaces.__qualname__} is not {name} of {module.__name__}")
        # Other modules have imported the function by its name.
        for other in (namespace, *_modules_of_package(module.__name__)):
            if vars(other).get(name) is self.replaces:
                setattr(other, name, self.replacement)


def _modules_of_package(module: str) -> list[Any]:
    package = module.partition(".")[0]
    return [loaded for name, loaded in sys.modules.items() if name.partition(".")[0] == package]


def fault(
    faults: dict[str, Fault], name: str, *, replaces: _F, caught_by: tuple[str, ...]
) -> Callable[[_F], _F]:
    """Add the decorated function to ``faults``; it must have the signature of what it replaces."""

    def add(replacement: _F) -> _F:
        assert name not in faults, name
        faults[name] = Fault(name, replaces, replacement, caught_by)
        return replacement

    return add
