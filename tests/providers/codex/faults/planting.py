"""Plant a fault: replace one named function or constant of a module, for as long as a test needs it.

A fault is a function that takes pytest's ``MonkeyPatch``::

    @fault(checks.the_environment_is_the_minimum)
    def passes_the_whole_environment_on(patch: pytest.MonkeyPatch) -> None:
        original = Home.environment

        @replaces(patch, Home, Home.environment)
        def environment(self: Home, extra: Mapping[str, str]) -> dict[str, str]:
            return {**os.environ, **original(self, extra)}

The type checker refuses what does not exist, and a replacement that takes or returns something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import ParamSpec, TypeAlias, TypeVar

import pytest

from tests.providers.codex.faults.checks import Check
from yemot_ai.providers.codex import capabilities as probe

__all__ = ["Fault", "fault", "faults_of", "replaces", "without"]

P = ParamSpec("P")
T = TypeVar("T")

Plant: TypeAlias = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of our reader.

    Attributes:
        plant: plants it; its name says what the fault does.
        check: the check that has to catch it.
        not_with_fake: why it cannot show with the fake, if it cannot.
    """

    plant: Plant
    check: Check
    not_with_fake: str = ""

    @property
    def name(self) -> str:
        return self.plant.__name__.replace("_", " ")

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Replace what the fault replaces until the block ends.

        Raises:
            AttributeError: what is to be replaced is not there: the fault is out of date.
        """
        with pytest.MonkeyPatch.context() as patch:
            # A fault may change what a binary seems to know; no other test must see that.
            patch.setattr(probe, "_cache", {})
            self.plant(patch)
            yield


def fault(check: Check, *, not_with_fake: str = "") -> Callable[[Plant], Fault]:
    """Make a ``Fault`` of a function that plants it."""
    return lambda plant: Fault(plant, check, not_with_fake)


def faults_of(*modules: ModuleType) -> tuple[Fault, ...]:
    """Return the faults that these modules define, in the order of their definition."""
    return tuple(value for module in modules for value in vars(module).values() if isinstance(value, Fault))


def replaces(
    patch: pytest.MonkeyPatch, owner: object, original: Callable[P, T]
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate the function that stands where ``original`` stood.

    Args:
        patch: undoes it.
        owner: the module or class whose attribute it is; a module that imported it is one, too.
        original: what is replaced.

    Raises:
        AttributeError: ``owner`` has no such attribute, or it is something else.
    """
    name = original.__name__
    if getattr(owner, name) != original:
        raise AttributeError(f"{name!r} of {owner!r} is not {original!r}")

    def replaced(faulty: Callable[P, T]) -> Callable[P, T]:
        patch.setattr(owner, name, faulty)
        return faulty

    return replaced


def without(settings: Mapping[str, T], *names: str) -> dict[str, T]:
    """Return the settings that are left without these.

    Raises:
        KeyError: there is no such setting.
    """
    left = dict(settings)
    for name in names:
        del left[name]
    return left
