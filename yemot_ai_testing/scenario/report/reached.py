"""What the calls of a run reached of each application: extensions, keys of menus, exits.

Extensions are those that an ``AIFlow`` declares; of any other application those that a call was in. Keys
are those that a question offered: the allowed keys of a ``read`` (field 10 [OFF]), else the digits that the
text of a one-digit question names.

>>> sorted(named_keys("לשיחה הקישו 1, ליציאה הקישו על 2"))
['1', '2']
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from yemot_ai.errors import ResponseSyntaxError
from yemot_ai.protocol import GoToFolder, GoToFolderAndPlay, Read, Response, Tap
from yemot_ai_testing.line.exchange import LineExchange, final_read
from yemot_ai_testing.scenario.report.call_record import CallRecord

__all__ = ["ReachedExtension", "ReachedTarget", "named_keys", "reached_targets"]

_NAMED_KEY: Final = re.compile(r"(?:הקש\w*|הקיש\w*|press)\s+(?:על\s+|את\s+|ב)?(\d)(?!\d)", re.IGNORECASE)
_FROM_FOLDER: Final = "from_folder"
FULL: Final = 100.0


@dataclass(slots=True)
class ReachedExtension:
    """One extension.

    Attributes:
        extension: its name; empty for the root.
        declared_as: what answers in it; empty if the application does not declare it.
        calls: in how many calls it was.
        pressed: the keys of its menus, and whether one was pressed, in the order in which they were offered.
        exits: where its responses led.
    """

    extension: str
    declared_as: str = ""
    calls: int = 0
    pressed: dict[str, bool] = field(default_factory=dict)
    exits: dict[str, None] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Its name with a slash."""
        return f"/{self.extension}"

    @property
    def missing(self) -> list[str]:
        """The keys that no caller pressed."""
        return [key for key, is_pressed in self.pressed.items() if not is_pressed]


@dataclass(frozen=True, slots=True)
class ReachedTarget:
    """One application.

    Attributes:
        called: its name.
        extensions: its extensions, in the order of their names.
    """

    called: str
    extensions: tuple[ReachedExtension, ...]

    @property
    def is_declared(self) -> bool:
        """Whether the application declares its extensions."""
        return any(one.declared_as for one in self.extensions)

    @property
    def extension_counts(self) -> tuple[int, int]:
        """How many extensions were reached, and how many there are."""
        counted = [one for one in self.extensions if one.declared_as or not self.is_declared]
        return sum(one.calls > 0 for one in counted), len(counted)

    @property
    def key_counts(self) -> tuple[int, int]:
        """How many keys of menus were pressed, and how many were offered."""
        pressed = [is_pressed for one in self.extensions for is_pressed in one.pressed.values()]
        return sum(pressed), len(pressed)

    @property
    def missing(self) -> list[str]:
        """What no call reached."""
        extensions = [one.path for one in self.extensions if not one.calls]
        keys = [f"key {key} in {one.path}" for one in self.extensions for key in one.missing]
        return [*extensions, *keys]

    @property
    def percent(self) -> float:
        """How much of the extensions and keys was reached, from 0 to 100."""
        (extensions, all_extensions), (keys, all_keys) = self.extension_counts, self.key_counts
        total = all_extensions + all_keys
        return FULL * (extensions + keys) / total if total else FULL


def reached_targets(calls: Iterable[CallRecord]) -> list[ReachedTarget]:
    """Return what ``calls`` reached, one item for each application, in the order of their names."""
    targets: dict[str, dict[str, ReachedExtension]] = {}
    for call in calls:
        if call.called:
            _add_call(targets.setdefault(call.called, {}), call)
    return [
        ReachedTarget(called, tuple(extensions[name] for name in sorted(extensions)))
        for called, extensions in sorted(targets.items())
    ]


def named_keys(text: str) -> list[str]:
    """Return the digits that a question tells callers to press."""
    return _NAMED_KEY.findall(text)


def _add_call(extensions: dict[str, ReachedExtension], call: CallRecord) -> None:
    for declared in call.declared:
        _extension(extensions, declared.extension).declared_as = declared.declared_as
    exchanges = [one for turn in call.turns for one in turn.exchanges if not one.hangup]
    for name in dict.fromkeys(one.extension for one in exchanges):
        _extension(extensions, name).calls += 1
    for exchange, following in pairwise([*exchanges, None]):
        if exchange is not None:
            _add_exchange(_extension(extensions, exchange.extension), exchange, following)


def _extension(extensions: dict[str, ReachedExtension], name: str) -> ReachedExtension:
    return extensions.setdefault(name, ReachedExtension(name))


def _add_exchange(
    extension: ReachedExtension, exchange: LineExchange, following: LineExchange | None
) -> None:
    extension.exits.update(dict.fromkeys(_exits(exchange.body)))
    read = final_read(exchange.body)
    if read is None:
        return
    values: Mapping[str, str] = dict(following.pairs) if following is not None else {}
    for key in _offered_keys(read):
        extension.pressed[key] = extension.pressed.get(key, False) or values.get(read.name) == key


def _exits(body: str) -> Iterator[str]:
    try:
        actions = list(Response.parse(body))
    except ResponseSyntaxError:
        return
    for action in actions:
        if isinstance(action, GoToFolder) and action.target != ".":
            yield action.target
        elif isinstance(action, GoToFolderAndPlay):
            yield action.folder


def _offered_keys(read: Read) -> Iterable[str]:
    """Return the keys of a menu: whole values, not the digits of a longer number."""
    mode = read.mode
    if not isinstance(mode, Tap) or _FROM_FOLDER in mode.allowed:
        return ()
    if mode.allowed:
        is_menu = mode.max_digits == 1 or any(len(value) > 1 for value in mode.allowed)
        return mode.allowed if is_menu else ()
    return named_keys(" ".join(map(str, read.messages))) if mode.max_digits == 1 else ()
