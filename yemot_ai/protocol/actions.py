"""Actions of a response: one frozen dataclass for each action of the official table.

>>> from yemot_ai.protocol import Text
>>> str(Read([Text("רק רגע")], "ai_3w1", Tap(max_digits=1, seconds=1, attempts=1, accept_empty=True)))
'read=t-רק רגע=ai_3w1,no,1,1,1,No,,,,,1,Ok,None,,no'
>>> str(Play([Text("להתראות")])), str(GoToFolder("hangup"))
('id_list_message=t-להתראות', 'go_to_folder=hangup')

No action hangs up; the target ``hangup`` of ``GoToFolder`` does.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from yemot_ai.errors import InvalidValueError
from yemot_ai.protocol.fields.codecs import CONTROL, Choice, FieldWarning, Integer
from yemot_ai.protocol.fields.layout import Layout
from yemot_ai.protocol.fields.text_codecs import EQUALS_SIGN, FolderTarget, FreeText, Regex
from yemot_ai.protocol.fields.values import ActionBase
from yemot_ai.protocol.messages import MESSAGE_TYPES, GoTo, Message
from yemot_ai.protocol.payment import CreditCard
from yemot_ai.protocol.read_modes import (
    READ_RECORD,
    READ_TAP,
    READ_VOICE,
    Mode,
    Record,
    Tap,
    Voice,
    mode_values,
)
from yemot_ai.protocol.routing import Routing, RoutingYemot

__all__ = [
    "ACTIONS",
    "Action",
    "CreditCard",
    "GoToFolder",
    "GoToFolderAndPlay",
    "MusicOnHold",
    "Noop",
    "Play",
    "Read",
    "Routing",
    "RoutingYemot",
    "SimpleAnswer",
]

# Possessive, so that matching a path of a megabyte takes linear time.
_SEGMENT: Final = f"[^/.,&={CONTROL}]++"
_TARGET: Final = FolderTarget(
    re.compile(rf"/|\.|(?:/{_SEGMENT})++|(?:\.\.(?:/\.\.)*+/)?{_SEGMENT}(?:/{_SEGMENT})*+|\.\.(?:/\.\.)*+"),
    "a folder",
)
_MESSAGES: Final = tuple(MESSAGE_TYPES.values())
_LATIN_WORD: Final = re.compile("[A-Za-z0-9_-]+")
_MISTAKEN_WORDS: Final = frozenset({"hangup", "goto", "play", "say", "record", "exit", "end"})


def _file_warnings(text: str) -> Iterator[FieldWarning]:
    dot = text.rfind(".")
    if dot > 0:
        yield "file-extension", dot


def _word_warnings(text: str) -> Iterator[FieldWarning]:
    if text.startswith("api_answer_"):
        yield "answer-setting", 0
    elif not _LATIN_WORD.fullmatch(text) or text.lower() in _MISTAKEN_WORDS:
        yield "bare-word", 0


_GO_TO_FOLDER_AND_PLAY: Final = Layout(
    folder=_TARGET,
    file=(
        FreeText(forbidden=",&", doubtful=EQUALS_SIGN, find_more=_file_warnings),
        "file name or path",
    ),
    stop_ms=(Integer(none_label="the beginning"), "milliseconds to begin at"),
)
_MUSIC_ON_HOLD: Final = Layout(
    name=(FreeText(forbidden=",&", doubtful=EQUALS_SIGN), "the music's name"),
    seconds=Integer(),
    no_return=(Choice({"": False, "no_return": True}), "* does not end it"),
)
_COMMENT: Final = FreeText(forbidden="&", required=False, keeps_spaces=True)
_WORD: Final = Regex(
    re.compile(
        "(?!(id_list_message|read|go_to_folder|go_to_folder_and_play|credit_card|routing_yemot|routing"
        "|music_on_hold|noop|api_log_no)$)[\\w-]+"
    ),
    "a bare word",
    code="simple-answer",
    find_warnings=_word_warnings,
)


def _render_messages(messages: Sequence[Message]) -> str:
    return ".".join(map(str, messages))


def _check_messages(messages: Sequence[Message]) -> tuple[Message, ...]:
    checked = tuple(messages)
    if not checked:
        raise InvalidValueError("empty-messages", "there is no message")
    for message in checked:
        if not isinstance(message, _MESSAGES):
            raise InvalidValueError("message-type", f"{message!r} is not a message")
    if any(isinstance(message, GoTo) for message in checked[:-1]):
        raise InvalidValueError("go-to-not-last", "messages follow a GoTo")
    return checked


@dataclass(frozen=True, slots=True)
class Play(ActionBase, name="id_list_message", title="play messages"):
    """Plays messages; unless another action follows, the caller then leaves the extension [OFF].

    Args:
        messages: at least one; a ``GoTo`` only as the last.
    """

    messages: Sequence[Message]

    def __post_init__(self) -> None:
        object.__setattr__(self, "messages", _check_messages(self.messages))

    def __str__(self) -> str:
        return f"{self.NAME}={_render_messages(self.messages)}"


@dataclass(frozen=True, slots=True)
class Read(ActionBase, name="read", title="take a value"):
    """Plays messages and takes a value, which the next request contains under ``name`` [OFF].

    Args:
        messages: the question, without ``=``, which ends it.
        name: name of the value; must not start with ``Api``, be ``hangup`` or contain ``, = & .`` or
            spaces. A name used twice in a call is sent twice.
        mode: how the value is taken.
        reuse: do not ask if the call already has a value of this name.
    """

    messages: Sequence[Message]
    name: str
    mode: Mode = field(default_factory=Tap)
    reuse: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "messages", _check_messages(self.messages))
        for message in self.messages:
            if any("=" in str(getattr(message, name)) for name in message.LAYOUT.codecs):
                raise InvalidValueError("read-shape", f"{message!r} has a =, which ends the question")
        if not isinstance(self.mode, Tap | Voice | Record):
            raise InvalidValueError("choice", f"{self.mode!r} is not one of Tap, Voice, Record")
        given: tuple[object, object] = self.name, self.reuse
        if all(isinstance(value, str | int) for value in given):  # a cache key
            self.fields()
        else:
            _FIELDS[type(self.mode)].encode({"name": self.name, "reuse": self.reuse})

    def __str__(self) -> str:
        return f"{self.NAME}={_render_messages(self.messages)}={self.fields()}"

    def fields(self) -> str:
        """Return the positional fields in canonical form."""
        return _render_fields(self.name, self.reuse, self.mode)


_FIELDS: Final = {Tap: READ_TAP, Voice: READ_VOICE, Record: READ_RECORD}


# A flow sends few different reads, each many times. typed: True is no number and 1 is no switch.
@functools.lru_cache(maxsize=1024, typed=True)
def _render_fields(name: str, reuse: bool, mode: Mode) -> str:  # noqa: FBT001 - a cached function
    return _FIELDS[type(mode)].render({"name": name, "reuse": reuse, **mode_values(mode)})


@dataclass(frozen=True, slots=True)
class GoToFolder(ActionBase, name="go_to_folder", title="move the caller", layout=Layout(target=_TARGET)):
    """Moves the caller to another extension [OFF].

    Args:
        target: ``/`` root, ``/1/1`` from the root, ``1`` below this one, ``.`` this one again,
            ``..`` or ``../1`` above it, ``hangup`` to end the call.
    """

    target: str


@dataclass(frozen=True, slots=True)
class GoToFolderAndPlay(
    ActionBase,
    name="go_to_folder_and_play",
    title="move the caller into a file",
    layout=_GO_TO_FOLDER_AND_PLAY,
):
    """Moves the caller into a playback extension, at a given position of a file [OFF].

    Args:
        folder: the playback extension.
        file: the file's name or full path.
        stop_ms: start position in milliseconds; None for the start of the file.
    """

    folder: str
    file: str
    stop_ms: int | None = None


@dataclass(frozen=True, slots=True)
class MusicOnHold(ActionBase, name="music_on_hold", title="play music", layout=_MUSIC_ON_HOLD):
    """Plays music; another action may follow [OFF].

    Args:
        name: name of the music.
        seconds: duration, or None.
        no_return: ``*`` does not end it.
    """

    name: str
    seconds: int | None = None
    no_return: bool = False


@dataclass(frozen=True, slots=True)
class Noop(ActionBase, name="noop", title="nothing, with a comment", layout=Layout(comment=_COMMENT)):
    """Does nothing; has a comment [OFF]. Without a comment it is undocumented [?].

    Args:
        comment: any text without ``&`` and line ends.
    """

    comment: str = ""

    def __str__(self) -> str:
        return ActionBase.__str__(self) if self.comment else self.NAME


@dataclass(frozen=True, slots=True)
class SimpleAnswer(ActionBase, title="a simple answer", layout=Layout(word=_WORD)):
    """A bare word: the line plays ``<word>.wav`` and does what ``api_answer_<word>`` says [OFF].

    Args:
        word: letters, digits, ``_`` and ``-``; not the name of an action. Non-Latin letters are not
            confirmed [?].
    """

    word: str

    def __str__(self) -> str:
        return self.word


Action: TypeAlias = (
    Play
    | Read
    | GoToFolder
    | GoToFolderAndPlay
    | CreditCard
    | RoutingYemot
    | Routing
    | MusicOnHold
    | Noop
    | SimpleAnswer
)
"""Any action of a ``Response``."""

ACTIONS: Final = {
    action.NAME: action
    for action in (GoToFolder, GoToFolderAndPlay, CreditCard, RoutingYemot, Routing, MusicOnHold, Noop)
}
"""The actions with one layout, by name; ``Play`` and ``Read`` also have messages."""
