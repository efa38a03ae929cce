"""Bases of actions and messages: the layout checks their attributes at construction, and renders them.

>>> from dataclasses import dataclass
>>> from yemot_ai.protocol.fields.codecs import Integer
>>> @dataclass(frozen=True, slots=True)
... class Pause(MessageBase, prefix="p", title="a pause", layout=Layout(seconds=Integer())):
...     seconds: int
>>> str(Pause(3)), Pause.TITLE
('p-3', 'a pause')
"""

from __future__ import annotations

from typing import ClassVar

from yemot_ai.protocol.fields.layout import Layout

__all__ = ["ActionBase", "LayoutValue", "MessageBase"]


class LayoutValue:
    """A frozen dataclass whose attributes are the fields of ``LAYOUT``.

    Raises:
        InvalidValueError: an attribute cannot be sent.
    """

    __slots__ = ()
    TITLE: ClassVar[str]
    LAYOUT: ClassVar[Layout]

    def __init_subclass__(cls, *, title: str = "", layout: Layout | None = None) -> None:
        # dataclass(slots=True) creates the class again without its keywords, with a copy of its attributes.
        if title:
            cls.TITLE = title
        if layout is not None:
            cls.LAYOUT = layout

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)


class MessageBase(LayoutValue):
    """A message: ``<prefix>-<fields>``."""

    __slots__ = ()
    PREFIX: ClassVar[str]

    def __init_subclass__(cls, *, prefix: str = "", title: str = "", layout: Layout | None = None) -> None:
        super().__init_subclass__(title=title, layout=layout)
        if prefix:
            cls.PREFIX = prefix

    def __str__(self) -> str:
        return f"{self.PREFIX}-{self.LAYOUT.render(self)}"


class ActionBase(LayoutValue):
    """An action: ``<name>=<fields>``."""

    __slots__ = ()
    NAME: ClassVar[str]

    def __init_subclass__(cls, *, name: str = "", title: str = "", layout: Layout | None = None) -> None:
        super().__init_subclass__(title=title, layout=layout)
        if name:
            cls.NAME = name

    def __str__(self) -> str:
        return f"{self.NAME}={self.LAYOUT.render(self)}"
