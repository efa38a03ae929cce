"""Names of a package that are imported when they are used: an application pays only for what it needs."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping

__all__ = ["lazy_names"]


def lazy_names(package: str, modules: Mapping[str, str]) -> Callable[[str], object]:
    """Return a package's ``__getattr__`` (PEP 562).

    The package imports the same names for type checkers, in ``if TYPE_CHECKING``.

    Args:
        package: the ``__name__`` of the package.
        modules: by name, its module, as ``importlib.import_module`` takes it: ``.module`` is in the package.
    """

    def get(name: str) -> object:
        if name not in modules:
            from yemot_ai.errors.missing_names import missing_name  # noqa: PLC0415 - after a mistake only

            raise missing_name(package, name)
        value = getattr(importlib.import_module(modules[name], package), name)
        setattr(sys.modules[package], name, value)  # found without this function from now on
        return value

    return get
