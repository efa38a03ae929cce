"""What the line can do: one frozen dataclass for each action of the official table.

>>> from yemot_ai.protocol import Text
>>> str(Read([Text("רק רגע")], "ai_3w1", Tap(max_digits=1, seconds=1, attempts=1, accept_empty=True)))
'read=t-רק רגע=ai_3w1,no,1,1,1,No,,,,,1,Ok,None,,no'
>>> str(Play([Text("להתראות")])), str(GoToFolder("hangup"))
('id_list_message=t-להתראות', 'go_to_folder=hangup')

There is no action that hangs up: the target ``hangup`` does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal, TypeAlias

from yemot_ai.errors import InvalidValueError
from yemot_ai.protocol.fields import CONTROL, Choice, Count, Fixed, Layout, Matching, Numbers, Plain
from yemot_ai.protocol.messages import MESSAGE_TYPES, GoTo, Message
from yemot_ai.protocol.modes import READ_RECORD, READ_TAP, READ_VOICE, Mode, Record, Tap, Voice, attributes

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

_SEGMENT: Final = f"[^/.,&={CONTROL}]+"
_TARGET: Final = Matching(
    re.compile(rf"/|\.|(/{_SEGMENT})+|(\.\.(/\.\.)*/)?{_SEGMENT}(/{_SEGMENT})*|\.\.(/\.\.)*"),
    "a folder",
    code="target",
)
_ANY: Final = Plain(forbidden=",&=", required=False)
_SOME: Final = Plain(forbidden=",&=")
_DIGITS: Final = Matching(re.compile("[0-9]{1,20}"), "a phone number of up to 20 digits")


def _rendered(messages: Sequence[Message]) -> str:
    return ".".join(map(str, messages))


def _checked(messages: Sequence[Message]) -> tuple[Message, ...]:
    checked = tuple(messages)
    if not checked:
        raise InvalidValueError("empty-messages", "there is no message")
    for one in checked:
        if not isinstance(one, tuple(MESSAGE_TYPES.values())):
            raise InvalidValueError("message-type", f"{one!r} is no message")
    if any(isinstance(one, GoTo) for one in checked[:-1]):
        raise InvalidValueError("go-to-not-last", "messages follow a GoTo")
    return checked


@dataclass(frozen=True, slots=True)
class Play:
    """Plays messages; unless another action follows, the caller then leaves the extension. [OFF]

    Args:
        messages: at least one; a ``GoTo`` only as the last.
    """

    messages: Sequence[Message]
    NAME: ClassVar = "id_list_message"

    def __post_init__(self) -> None:
        object.__setattr__(self, "messages", _checked(self.messages))

    def __str__(self) -> str:
        return f"id_list_message={_rendered(self.messages)}"


@dataclass(frozen=True, slots=True)
class Read:
    """Plays messages and takes a value, which the next request carries under ``name``. [OFF]

    Args:
        messages: the question.
        name: the value's name: not beginning with ``Api`` or ``hangup``, without ``, = & .`` or spaces.
            A name used twice in a call is sent twice.
        mode: how the value is taken.
        reuse: do not ask if the call already has a value of this name.
    """

    messages: Sequence[Message]
    name: str
    mode: Mode = field(default_factory=Tap)
    reuse: bool = False
    NAME: ClassVar = "read"

    def __post_init__(self) -> None:
        object.__setattr__(self, "messages", _checked(self.messages))
        if not isinstance(self.mode, Tap | Voice | Record):
            raise InvalidValueError("choice", f"{self.mode!r} is none of Tap, Voice, Record")
        self.fields()

    def __str__(self) -> str:
        return f"read={_rendered(self.messages)}={self.fields()}"

    def fields(self) -> str:
        """The positional fields, in canonical form."""
        layouts = {Tap: READ_TAP, Voice: READ_VOICE, Record: READ_RECORD}
        values = {"name": self.name, "reuse": self.reuse, **attributes(self.mode)}
        return layouts[type(self.mode)].render(values)


@dataclass(frozen=True, slots=True)
class GoToFolder:
    """Moves the caller to another extension. [OFF]

    Args:
        target: ``/`` root, ``/1/1`` from the root, ``1`` below this one, ``.`` this one again,
            ``..`` or ``../1`` above it, ``hangup`` to end the call.
    """

    target: str
    NAME: ClassVar = "go_to_folder"
    LAYOUT: ClassVar = Layout(target=_TARGET)

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)

    def __str__(self) -> str:
        return f"go_to_folder={self.LAYOUT.render(self)}"


@dataclass(frozen=True, slots=True)
class GoToFolderAndPlay:
    """Moves the caller into a playback extension, at a given place of a file. [OFF]

    Args:
        folder: the playback extension.
        file: the file's name or full path.
        stop_ms: where to begin, in milliseconds from its beginning; None for the beginning.
    """

    folder: str
    file: str
    stop_ms: int | None = None
    NAME: ClassVar = "go_to_folder_and_play"
    LAYOUT: ClassVar = Layout(folder=_TARGET, file=_SOME, stop_ms=Count())

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)

    def __str__(self) -> str:
        return f"go_to_folder_and_play={self.LAYOUT.render(self)}"


@dataclass(frozen=True, slots=True)
class CreditCard:
    """Takes a payment; the next request carries ``CreditCard_CODE`` (and ``CreditCard_All``). [OFF]

    Args:
        provider: the clearing house, e.g. ``pelecard``.
        amount: the sum, e.g. ``100`` or ``99.90``.
        shop: the shop's number.
        max_payments: the most payments.
        currency: ``1`` shekel, ``2`` dollar.
        deal: the clearing house's kind of deal, e.g. ``DebitPaymntsType``.
        user: the shop's user name.
        terminal: the shop's terminal.
        password: the shop's password.
        return_all: send all that the clearing house said (``CreditCard_All``).
        ask_phone: ask for the caller's phone number.
        ask_name: ask for the caller's name by speech.
        no_ask: do not ask for approval.
        token: make a token besides the payment, or instead of it.
        go_back: let ``*`` leave (``CreditCard_CODE=GoBack``); else the line asks for ever.
    """

    provider: str
    amount: str
    shop: str = ""
    max_payments: int | None = None
    currency: Literal["", "1", "2"] = ""
    deal: str = ""
    user: str = ""
    terminal: str = ""
    password: str = field(default="", repr=False)
    return_all: bool = False
    ask_phone: bool = False
    ask_name: bool = False
    no_ask: bool = False
    token: Literal["", "CreateToken", "CreateTokenOnly"] = ""
    go_back: bool = False
    NAME: ClassVar = "credit_card"
    LAYOUT: ClassVar = Layout(
        provider=_SOME,
        amount=Matching(re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?"), "a sum such as 100 or 99.90"),
        shop=_ANY,
        max_payments=Count(),
        currency=Choice({"": "", "1": "1", "2": "2"}),
        deal=_ANY,
        user=_ANY,
        terminal=_ANY,
        password=_ANY,
        return_all=Choice({"": False, "all": True}),
        ask_phone=Choice({"": False, "EnterPhone": True}),
        ask_name=Choice({"": False, "NameStt": True}),
        no_ask=Choice({"": False, "NoAsk": True}),
        token=Choice({"": "", "CreateToken": "CreateToken", "CreateTokenOnly": "CreateTokenOnly"}),
        go_back=Choice({"": False, "GoBack": True}),
    )

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)

    def __str__(self) -> str:
        return f"credit_card={self.LAYOUT.render(self)}"


@dataclass(frozen=True, slots=True)
class RoutingYemot:
    """Moves the caller to another system of the platform. [OFF]

    Args:
        number: the system's number.
    """

    number: str
    NAME: ClassVar = "routing_yemot"
    LAYOUT: ClassVar = Layout(number=_DIGITS)

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)

    def __str__(self) -> str:
        return f"routing_yemot={self.LAYOUT.render(self)}"


@dataclass(frozen=True, slots=True)
class Routing:
    """Dials other phones for the caller. [OFF]

    The official text names the positions; what it says of their values is not repeated here, and
    they are sent as given.

    Args:
        numbers: whom to dial.
        start: field 2.
        multiple: field 4: dial several at once.
        dial: field 5: which of the numbers to dial, e.g. ``("1", "2")``.
        your_id: field 6: the number shown.
        record: field 7.
        end_time: field 9.
        end_goto: field 10: where to go afterwards.
        music: field 11.
        answer_play: field 12.
        answer_tfr: field 13.
        tfr_hangup_goto: field 14.
        email: field 15.
        email_name: field 16.
    """

    numbers: tuple[str, ...]
    start: str = ""
    multiple: bool = False
    dial: tuple[str, ...] = ()
    your_id: str = ""
    record: str = ""
    end_time: str = ""
    end_goto: str = ""
    music: str = ""
    answer_play: str = ""
    answer_tfr: str = ""
    tfr_hangup_goto: str = ""
    email: str = ""
    email_name: str = ""
    NAME: ClassVar = "routing"
    LAYOUT: ClassVar = Layout(
        numbers=Numbers(required=True),
        start=_ANY,
        _tor=Fixed(),
        multiple=Choice({"": False, "no": False, "yes": True}),
        dial=Numbers(),
        your_id=_ANY,
        record=_ANY,
        _sms=Fixed(),
        end_time=_ANY,
        end_goto=_ANY,
        music=_ANY,
        answer_play=_ANY,
        answer_tfr=_ANY,
        tfr_hangup_goto=_ANY,
        email=_ANY,
        email_name=_ANY,
    )

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)

    def __str__(self) -> str:
        return f"routing={self.LAYOUT.render(self)}"


@dataclass(frozen=True, slots=True)
class MusicOnHold:
    """Plays music; another action may follow. [OFF]

    Args:
        name: the music's name.
        seconds: how long, or None.
        no_return: ``*`` does not end it.
    """

    name: str
    seconds: int | None = None
    no_return: bool = False
    NAME: ClassVar = "music_on_hold"
    LAYOUT: ClassVar = Layout(name=_SOME, seconds=Count(), no_return=Choice({"": False, "no_return": True}))

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)

    def __str__(self) -> str:
        return f"music_on_hold={self.LAYOUT.render(self)}"


@dataclass(frozen=True, slots=True)
class Noop:
    """Nothing, with a comment. [OFF]; without one it is not documented. [?]

    Args:
        comment: anything but ``&`` and line ends.
    """

    comment: str = ""
    NAME: ClassVar = "noop"
    LAYOUT: ClassVar = Layout(comment=Plain(forbidden="&", required=False))

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)

    def __str__(self) -> str:
        return f"noop={self.comment}" if self.comment else "noop"


@dataclass(frozen=True, slots=True)
class SimpleAnswer:
    """A bare word: the line plays ``<word>.wav`` and does what ``api_answer_<word>`` says. [OFF]

    Args:
        word: ASCII letters, digits, ``_`` and ``-``; not the name of an action.
    """

    word: str
    LAYOUT: ClassVar = Layout(
        word=Matching(
            re.compile(
                "(?!(id_list_message|read|go_to_folder|go_to_folder_and_play|credit_card|routing_yemot|routing"
                "|music_on_hold|noop|api_log_no)$)[A-Za-z0-9_-]+"
            ),
            "a bare word",
            code="simple-answer",
        )
    )

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)

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
"""Anything that can stand in a ``Response``."""

ACTIONS: Final = {
    one.NAME: one
    for one in (GoToFolder, GoToFolderAndPlay, CreditCard, RoutingYemot, Routing, MusicOnHold, Noop)
}
"""The actions that are one layout, by name; ``Play`` and ``Read`` have messages besides."""
