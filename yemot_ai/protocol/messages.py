"""Messages: one frozen dataclass for each message type of the official table.

``str()`` renders the message as it stands in a response. Constructors reject what the line would not
understand.

>>> str(Text("שלום וברכה")), str(File("/8/error")), str(Number(5))
('t-שלום וברכה', 'f-/8/error', 'n-5')
>>> Text("דגל. סוף")
Traceback (most recent call last):
yemot_ai.errors.InvalidValueError: text: '.' is not allowed here (text-character)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias, get_args

from yemot_ai.protocol.fields.codecs import CONTROL, FieldWarning, Integer
from yemot_ai.protocol.fields.layout import Layout
from yemot_ai.protocol.fields.text_codecs import FolderTarget, FreeText, Regex
from yemot_ai.protocol.fields.values import MessageBase
from yemot_ai.protocol.times import Date, HebrewDate, Zmanim

__all__ = [
    "MAX_CHARACTERS",
    "MAX_WORDS",
    "MAX_WORD_CHARACTERS",
    "MESSAGE_TYPES",
    "STRAY_COLON",
    "Comment",
    "Date",
    "Digits",
    "File",
    "GoTo",
    "HebrewDate",
    "Letters",
    "Message",
    "MusicOnHoldMessage",
    "Number",
    "SpeechFile",
    "SystemMessage",
    "Text",
    "Zmanim",
]

MAX_WORDS: Final = 150
"""Words per message, about [OFF]."""
MAX_WORD_CHARACTERS: Final = 300
"""Characters per word, about [OFF]."""
MAX_CHARACTERS: Final = 900
"""Characters per message, as projects cut them [LIVE]."""

STRAY_COLON: Final = re.compile(
    r"(?<![0-9]):|(?<=[0-9]{3}):|(?<=:[0-9]{2}):|(?<=:[0-9]):|:(?![0-9]{2}(?![0-9:]))"
)
"""A colon that is not part of a time such as 12:30."""

_UNCONFIRMED: Final = re.compile("[\"'|\\-]")
_FOLDER: Final = f"[^/.,&={CONTROL}]+"
_PERCENT_ENCODED: Final = re.compile("(?:%[0-9A-Fa-f]{2}){2}")


def _text_warning(text: str) -> FieldWarning | None:
    if not text.strip():
        return "empty-text", 0
    colon = STRAY_COLON.search(text)
    if colon:
        return "colon", colon.start()
    encoded = _PERCENT_ENCODED.search(text)
    return ("percent-encoded", encoded.start()) if encoded else None


def _path_warning(text: str) -> FieldWarning | None:
    unconfirmed = _UNCONFIRMED.search(text)
    return ("unconfirmed-character", unconfirmed.start()) if unconfirmed else None


def _comment_warning(text: str) -> FieldWarning | None:
    return None if text else ("bare-noop", 0)


_TEXT: Final = FreeText(
    forbidden=".\\-&=\"'|",
    code="text-character",
    codes={'"': "text-quote", "'": "text-quote", "|": "text-bar"},
    required=False,
    find_warning=_text_warning,
)
_DIGITS: Final = Regex(re.compile("[0-9]+"), "a row of digits", invalid="^0-9")
_LETTERS: Final = Regex(re.compile("[A-Za-z0-9][A-Za-z0-9 ]*"), "Latin letters", invalid="^A-Za-z0-9 ")
_CODE: Final = Regex(re.compile("[0-9]{4}"), "four digits, without M", invalid="^0-9")
_TARGET: Final = FolderTarget(
    re.compile(f"/|/?{_FOLDER}(/{_FOLDER})*"), "a target without dots such as /1 or hangup"
)
_NAME: Final = Regex(re.compile(f"[^.,&={CONTROL}]+"), "a music's name")
_PATH: Final = FreeText(forbidden=".&=", find_warning=_path_warning)
_COMMENT: Final = FreeText(forbidden=".&=", required=False, find_warning=_comment_warning)


@dataclass(frozen=True, slots=True)
class Text(MessageBase, prefix="t", title="text, spoken", layout=Layout(text=_TEXT)):
    """Text that the line speaks [OFF].

    Args:
        text: the text, without ``. - & = | " '`` and line ends; ``speakable()`` returns such texts.
            The line speaks about 150 words per message. Whether an empty text is silent is not
            confirmed [?].
    """

    text: str


@dataclass(frozen=True, slots=True)
class File(MessageBase, prefix="f", title="a recording", layout=Layout(path=_PATH)):
    """A recording [OFF].

    Args:
        path: file name without extension, e.g. ``000``, ``/8/error``, ``YM_LOCAL/lib/file``.
    """

    path: str


@dataclass(frozen=True, slots=True)
class Digits(MessageBase, prefix="d", title="digits, one by one", layout=Layout(value=_DIGITS)):
    """Digits, read one by one [OFF].

    Args:
        value: ASCII digits.
    """

    value: str


@dataclass(frozen=True, slots=True)
class Number(MessageBase, prefix="n", title="a number", layout=Layout(value=Integer(required=True))):
    """A number, read as one [OFF].

    Args:
        value: a whole number from 0 to 999,999,999.
    """

    value: int


@dataclass(frozen=True, slots=True)
class Letters(MessageBase, prefix="a", title="Latin letters, spelled", layout=Layout(value=_LETTERS)):
    """Latin letters, spelled [OFF].

    Args:
        value: Latin letters, digits and spaces.
    """

    value: str


@dataclass(frozen=True, slots=True)
class SpeechFile(MessageBase, prefix="s", title="a .tts file, spoken", layout=Layout(path=_PATH)):
    """A ``.tts`` file, spoken [OFF].

    Args:
        path: file name without extension.
    """

    path: str


@dataclass(frozen=True, slots=True)
class SystemMessage(MessageBase, prefix="m", title="a message of the system", layout=Layout(code=_CODE)):
    """A message of the system, such as M1005 [OFF].

    Args:
        code: its four digits, without the M.
    """

    code: str


@dataclass(frozen=True, slots=True)
class GoTo(MessageBase, prefix="g", title="moves the caller on", layout=Layout(target=_TARGET)):
    """Moves the caller after the messages before it; the last message of its action [OFF].

    Args:
        target: as in ``go_to_folder``, but without dots, which would end the message:
            ``/``, ``/1/1``, ``1``, ``hangup``.
    """

    target: str


@dataclass(frozen=True, slots=True)
class MusicOnHoldMessage(
    MessageBase, prefix="h", title="music", layout=Layout(name=_NAME, seconds=Integer())
):
    """Music as a message [LIB]; the official table has only the action ``MusicOnHold``.

    Args:
        name: name of the music.
        seconds: duration, or None.
    """

    name: str
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Comment(
    MessageBase, prefix="noop", title="a remark, ignored", layout=Layout(text=(_COMMENT, "comment"))
):
    """A comment between messages, which the line ignores [OFF]; an empty one is undocumented [LIB].

    Args:
        text: the comment, without ``.``.
    """

    text: str = ""

    def __str__(self) -> str:
        return MessageBase.__str__(self) if self.text else self.PREFIX


Message: TypeAlias = (
    Text
    | File
    | Digits
    | Number
    | Letters
    | SpeechFile
    | SystemMessage
    | Zmanim
    | Date
    | HebrewDate
    | GoTo
    | MusicOnHoldMessage
    | Comment
)
"""Any message of ``Play`` and ``Read``."""

MESSAGE_TYPES: Final[dict[str, type[Message]]] = {cls.PREFIX: cls for cls in get_args(Message)}
"""The message types by prefix: the text before their first ``-``."""
