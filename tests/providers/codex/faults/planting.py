"""Plant a fault: replace one function or constant of a module during a test.

A fault is a function that takes pytest's ``MonkeyPatch``::

    @fault(checks.the_environment_is_the_minimum)
    def passes_the_whole_environment(patch: pytest.MonkeyPatch) -> None:
        original = CodexHome.environment

        @replaces(patch, CodexHome, CodexHome.environment)
        def environment(self: CodexHome, extra: Mapping[str, str]) -> dict[str, str]:
            return {**os.environ, **original(self, extra)}

The type checker refuses a missing name, and a replacement with another signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import ParamSpec, TypeAlias, TypeVar

import pytest

from tests.providers.codex.faults.checks import Check
from yemot_ai.providers.codex import capabilities

__all__ = ["Fault", "fault", "faults_of", "replaces", "without"]

P = ParamSpec("P")
T = TypeVar("T")

Plant: TypeAlias = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of the provider.

    Attributes:
        plant: plants it; its name describes the fault.
        check: the check that has to catch it.
        not_with_fake: why the fake cannot show it; empty if it can.
    """

    plant: Plant
    check: Check
    not_with_fake: str = ""

    @property
    def name(self) -> str:
        return self.plant.__name__.replace("_", " ")

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Plant the fault until the block ends.

        Raises:
            AttributeError: the function to replace does not exist: the fault is out of date.
        """
        with pytest.MonkeyPatch.context() as patch:
            # A fault may change the detected capabilities; no other test must see them.
            patch.setattr(capabilities, "_cache", {})
            self.plant(patch)
            yield


def fault(check: Check, *, not_with_fake: str = "") -> Callable[[Plant], Fault]:
    """Make a ``Fault`` of a function that plants it."""
    return lambda plant: Fault(plant, check, not_with_fake)


def faults_of(*modules: ModuleType) -> tuple[Fault, ...]:
    """Return the faults of these modules, in the order of definition."""
    return tuple(value for module in modules for value in vars(module).values() if isinstance(value, Fault))


def replaces(
    patch: pytest.MonkeyPatch, owner: object, original: Callable[P, T]
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate the replacement of ``original``.

    Args:
        patch: undoes it.
        owner: the module or class with the attribute; also a module that imported it.
        original: the function to replace.

    Raises:
        AttributeError: ``owner`` has no such attribute, or another value.
    """
    name = original.__name__
    if getattr(owner, name) != original:
        raise AttributeError(f"{name!r} of {owner!r} is not {original!r}")

    def replaced(faulty: Callable[P, T]) -> Callable[P, T]:
        patch.setattr(owner, name, faulty)
        return faulty

    return replaced


def without(settings: Mapping[str, T], *names: str) -> dict[str, T]:
    """Return ``settings`` without ``names``.

    Raises:
        KeyError: there is no such setting.
    """
    left = dict(settings)
    for name in names:
        del left[name]
    return left
