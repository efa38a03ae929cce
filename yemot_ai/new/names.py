"""The name of a project, and of its module.

>>> ProjectName.parse("corner-bakery").module
'corner_bakery'
"""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from dataclasses import dataclass
from typing import Final, Self

from yemot_ai.errors import ConfigurationError

__all__ = ["ProjectName"]

_NAME: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
"""What a distribution and, with ``_`` for ``-``, a module can be named."""

_TAKEN: Final = frozenset({"calls", "conftest", "extensions", "reports", "test", "tests", "wheels"})
"""Files and folders of a project, and a package of some Pythons."""


@dataclass(frozen=True, slots=True)
class ProjectName:
    """A name that the index and Python accept.

    Attributes:
        name: of the project, as it was given.
        module: of its module.
    """

    name: str
    module: str

    @classmethod
    def parse(cls, name: str) -> Self:
        """Check a name.

        Raises:
            ConfigurationError: if no module can have it, or another one has it.
        """
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"{name!r} cannot be the name of a project: use a-z, 0-9, - and _, beginning with a letter, "
                "such as library; --into FOLDER writes it into a folder of any other name"
            )
        module = name.lower().replace("-", "_")
        if keyword.iskeyword(module) or keyword.iskeyword(name):
            raise ConfigurationError(f"{name!r} is a word of Python itself: {_alternative(name)}")
        if module in _TAKEN or _is_installed(module):
            raise ConfigurationError(
                f"{module!r} is the name of another module or folder, which this one would hide: "
                f"{_alternative(name)}"
            )
        return cls(name, module)


def _alternative(name: str) -> str:
    return f"choose another name, such as {name.lower()}-line"


def _is_installed(module: str) -> bool:
    if module in sys.stdlib_module_names:
        return True
    spec = importlib.util.find_spec(module)
    return spec is not None and spec.origin is not None  # a folder in the working directory has no origin
