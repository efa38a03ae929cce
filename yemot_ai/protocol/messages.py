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
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias, get_args

from yemot_ai.protocol.fields.codecs import CONTROL, FieldWarning, Integer, PaddedInteger
from yemot_ai.protocol.fields.layout import Layout
from yemot_ai.protocol.fields.text_codecs import EQUALS_SIGN, FolderTarget, FreeText, Regex
from yemot_ai.protocol.fields.values import MessageBase
from yemot_ai.protocol.fields.white_space import is_blank
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
"""Characters per message, as projects cut them [CODE]."""

STRAY_COLON: Final = re.compile(
    r"(?<![0-9]):|(?<=[0-9]{3}):|(?<=:[0-9]{2}):|(?<=:[0-9]):|:(?![0-9]{2}(?![0-9:]))"
)
"""A colon that is not part of a time such as 12:30."""

_LINE_ENDS: Final = "\t\n\v\f\r\x85\u2028\u2029"
_UNCONFIRMED: Final = re.compile("[\"'|\\-]")
_FOLDER: Final = f"[^/.,&={CONTROL}]+"
_PERCENT_ENCODED: Final = re.compile("(?:%[0-9A-Fa-f]{2}){2}")


def _text_warnings(text: str) -> Iterator[FieldWarning]:
    if is_blank(text):
        yield "empty-text", 0
    for code, pattern in (("colon", STRAY_COLON), ("percent-encoded", _PERCENT_ENCODED)):
        match = pattern.search(text)
        if match:
            yield code, match.start()


def _path_warnings(text: str) -> Iterator[FieldWarning]:
    unconfirmed = _UNCONFIRMED.search(text)
    if unconfirmed:
        yield "unconfirmed-character", unconfirmed.start()


def _comment_warnings(text: str) -> Iterator[FieldWarning]:
    if not text:
        yield "bare-noop", 0


_TEXT: Final = FreeText(
    forbidden=".\\-&\"'",
    doubtful={**EQUALS_SIGN, "|": "text-bar", **dict.fromkeys(_LINE_ENDS, "text-line-end")},
    code="text-character",
    codes={'"': "text-quote", "'": "text-quote"},
    required=False,
    find_more=_text_warnings,
    keeps_spaces=True,
)
_DIGITS: Final = Regex(re.compile("[0-9]+"), "a row of digits", invalid="^0-9")
_LETTERS: Final = Regex(re.compile("[A-Za-z0-9][A-Za-z0-9 ]*"), "Latin letters", invalid="^A-Za-z0-9 ")
_CODE: Final = Regex(re.compile("[0-9]{4}"), "four digits, without M", invalid="^0-9")
_TARGET: Final = FolderTarget(
    re.compile(f"/|/?{_FOLDER}(/{_FOLDER})*"), "a target without dots such as /1 or hangup"
)
_NAME: Final = FreeText(forbidden=".,&", doubtful=EQUALS_SIGN)
_PATH: Final = FreeText(forbidden=".&", doubtful=EQUALS_SIGN, find_more=_path_warnings)
_COMMENT: Final = FreeText(
    forbidden=".&", doubtful=EQUALS_SIGN, required=False, find_more=_comment_warnings, keeps_spaces=True
)


@dataclass(frozen=True, slots=True)
class Text(MessageBase, prefix="t", title="text, spoken", layout=Layout(text=_TEXT)):
    """Text that the line speaks [OFF].

    Args:
        text: the text, without ``. - & " '``; ``speakable()`` returns such texts. The line speaks about
            150 words per message. That it speaks an empty text, ``=``, ``|`` and line ends is not
            confirmed [?]; a ``Read`` refuses ``=``. A text does not end with a line end.
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
class Number(MessageBase, prefix="n", title="a number", layout=Layout(value=PaddedInteger())):
    """A number, read as one [OFF].

    Args:
        value: a whole number of up to 100 digits, or its ASCII digits. Digits with leading zeros stay as they
            are, but a number is spoken without them [?]: ``Digits`` speaks every digit.
    """

    value: int | str

    def __post_init__(self) -> None:
        MessageBase.__post_init__(self)
        if isinstance(self.value, str):
            object.__setattr__(self, "value", self.LAYOUT.codecs["value"].decode(self.value))


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
    """A comment between messages, which the line ignores [OFF]; an empty one is undocumented [?].

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
