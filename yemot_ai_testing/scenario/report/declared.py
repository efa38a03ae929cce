"""The extensions that an application declares, so that a report can name those that no call reached.

>>> class Menu:
...     routes = {"": print, "/info": print}
>>> [str(extension) for extension in declared_extensions(Menu())]
['handler /', 'handler /info']
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["DeclaredExtension", "ExtensionKind", "declared_extensions"]

ExtensionKind: TypeAlias = Literal["handler", "agent"]


@dataclass(frozen=True, slots=True)
class DeclaredExtension:
    """An extension of an application.

    Attributes:
        extension: its name, without slashes around it; empty for the root.
        declared_as: what answers in it.
    """

    extension: str
    declared_as: ExtensionKind

    def __str__(self) -> str:
        return f"{self.declared_as} /{self.extension}"


def declared_extensions(app: object) -> tuple[DeclaredExtension, ...]:
    """Return the extensions of an ``AIFlow``, or of yemot-flow's ``Flow``; none for other applications."""
    kinds: dict[ExtensionKind, object] = {
        "handler": getattr(app, "routes", None),
        "agent": getattr(app, "agents", None),
    }
    return tuple(
        DeclaredExtension(name.strip("/"), kind)
        for kind, extensions in kinds.items()
        if isinstance(extensions, Mapping)
        for name in extensions
        if isinstance(name, str)
    )
