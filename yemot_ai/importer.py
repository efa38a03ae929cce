"""Import the object that a text such as ``shop.phone:flow`` names."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any, Final

from yemot_ai.errors import ConfigurationError
from yemot_ai.errors.missing_names import closest

__all__ = ["ImportTargetError", "import_from_string"]


SUFFIX: Final = ".py"


class ImportTargetError(ConfigurationError):
    """A text does not name an object that can be imported."""


def import_from_string(target: str, folders: Iterable[str]) -> object:
    """Return the object that ``module:attr`` names; ``attr`` may have dots.

    An exception that the module raises while it is imported is not caught.

    Args:
        target: the text.
        folders: searched for the module first, and for what it imports later.

    Raises:
        ImportTargetError: if there is no such module or attribute.
    """
    module_name, _, path = target.partition(":")
    if not path or not all(part.isidentifier() for part in module_name.split(".")):
        raise ImportTargetError(
            f"{target!r} is not an application: write module:attr, such as {_suggestion(target)}"
        )
    folders = list(dict.fromkeys(folders))
    # As `python -m` does, and servers that take module:attr.
    sys.path[:0] = [folder for folder in folders if folder not in sys.path]
    try:
        value: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if not f"{module_name}.".startswith(f"{error.name}."):
            raise  # the module exists, but one that it imports does not
        if module_name.endswith(SUFFIX):
            raise ImportTargetError(f"{target!r} is a file: write {_suggestion(target)}") from None
        searched = f"searched for {module_name!r} from {' and '.join(folders)}"
        raise ImportTargetError(f"there is no module {error.name!r} ({searched})") from error
    for name in path.split("."):
        if not hasattr(value, name):
            found = closest(name, [one for one in dir(value) if not one.startswith("_")])
            hint = f"; did you mean {found!r}?" if found else ""
            raise ImportTargetError(f"{target}: {value!r} has no {name!r}{hint}")
        value = getattr(value, name)
    return value


def _suggestion(target: str) -> str:
    """Return what to write instead of the path of a file; an example for any other text.

    >>> _suggestion("./shop/line.py:flow")
    'shop.line:flow'
    """
    name, _, attribute = target.partition(":")
    parts = PurePath(name.removesuffix(SUFFIX)).parts
    if not name.endswith(SUFFIX) or not parts or not all(part.isidentifier() for part in parts):
        return "shop.phone:flow"
    return f"{'.'.join(parts)}:{attribute or 'flow'}"
