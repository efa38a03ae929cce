"""Settings for what no source confirms about the line; the defaults have the most evidence.

The settings of ``ext.ini`` are an ``Extension``. These are the others: both alternatives are simulated,
so that a test can run an application on either line.

>>> LineSettings(retain_values=True).retain_values
True
>>> line_settings()["two_plays"].choices
('merge', 'second')
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, TypeAlias, TypedDict, get_args

from yemot_ai_testing.errors import AppError

__all__ = [
    "CallerOptions",
    "Confirmation",
    "LineSetting",
    "LineSettings",
    "NestedExtension",
    "RecordingValue",
    "TwoPlays",
    "UnknownWord",
    "line_settings",
]

Confirmation: TypeAlias = Literal["keyboard", "always"]
TwoPlays: TypeAlias = Literal["merge", "second"]
UnknownWord: TypeAlias = Literal["M1607", "leaves"]
RecordingValue: TypeAlias = Literal["path", "ivr2", "bare"]
NestedExtension: TypeAlias = Literal["1/2", "/1/2"]

_CHOICES: Final = {
    "confirmation": get_args(Confirmation),
    "two_plays": get_args(TwoPlays),
    "unknown_word": get_args(UnknownWord),
    "recording_value": get_args(RecordingValue),
    "nested_extension": get_args(NestedExtension),
}


@dataclass(frozen=True, slots=True)
class LineSetting:
    """The description of one line setting.

    Attributes:
        name: the argument of ``Caller`` that sets it.
        default: its default.
        source: the evidence: ``[OFF]``, ``[LIVE]``, ``[LIB]``, ``[CODE]`` or ``[?]``.
        meaning: what it does.
    """

    name: str
    default: Any
    source: str
    meaning: str

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed values; empty if every value of the default's type is allowed."""
        return _CHOICES.get(self.name, ())


def _metadata(source: str, meaning: str) -> dict[str, str]:
    return {"source": source, "meaning": meaning}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSettings:
    """The settings of the line for one call; ``line_settings()`` describes them.

    Raises:
        AppError: a value is not allowed.
    """

    server_timeout: float = field(
        default=10.0,
        metadata=_metadata(
            "[?]", "seconds the line waits for an answer before M1607; claims run from under 10 to 60"
        ),
    )
    retain_values: bool = field(
        default=False,
        metadata=_metadata("[?]", "values stay when an extension is entered (again) in one call"),
    )
    hangup_after_goto: bool = field(
        default=True, metadata=_metadata("[?]", "a hang-up request follows when the server itself hangs up")
    )
    hangup_waits: bool = field(
        default=False,
        metadata=_metadata(
            "[?]", "the hang-up request waits for the answer that is open, instead of overtaking it"
        ),
    )
    hangup_carries_recording: bool = field(
        default=True,
        metadata=_metadata(
            "[CODE]",
            "a recording kept on hang-up arrives together with the hang-up request; else it is only saved",
        ),
    )
    hangup_marker: bool = field(
        default=False, metadata=_metadata("[LIB]", "`ApiHangup=` (empty) stands before `hangup=yes`")
    )
    confirmation: Confirmation = field(
        default="keyboard",
        metadata=_metadata(
            "[?]",
            "when M1353 follows typing (unless field 15 is `no`): only if field 6 is a keyboard, or `always` "
            "as the official text says",
        ),
    )
    two_plays: TwoPlays = field(
        default="merge",
        metadata=_metadata(
            "[?]", "two `id_list_message` in a row: both are heard (`merge`), or only the `second`"
        ),
    )
    unknown_word: UnknownWord = field(
        default="M1607",
        metadata=_metadata(
            "[?]", "a bare word without a file and without actions: `M1607`, or the caller just `leaves`"
        ),
    )
    speech_retries: int = field(
        default=2,
        metadata=_metadata(
            "[?]", "how often unclear speech is asked for again (M1611) before an empty value is sent"
        ),
    )
    silence_retries: int = field(
        default=0,
        metadata=_metadata(
            "[LIB]", "how often silence is met with M1613 and the question before an empty value is sent"
        ),
    )
    recording_value: RecordingValue = field(
        default="path",
        metadata=_metadata(
            "[?]", "a recording's value: `/1/000.wav` (`path`), `ivr2:/1/000.wav` or `1/000.wav` (`bare`)"
        ),
    )
    nested_extension: NestedExtension = field(
        default="1/2", metadata=_metadata("[?]", "how `ApiExtension` writes an extension inside another one")
    )
    music_seconds: float | None = field(
        default=None,
        metadata=_metadata(
            "[?]", "how long `music_on_hold` without seconds plays; None: until the caller presses `*`"
        ),
    )
    enter_id: str = field(
        default="",
        metadata=_metadata("[OFF]", "`ApiEnterID`, if the caller has logged in; its exact form is [?]"),
    )
    enter_id_name: str = field(default="", metadata=_metadata("[OFF]", "`ApiEnterIDName`, as above"))
    referred_from: str = field(
        default="", metadata=_metadata("[OFF]", "`ReferredFrom`, where `api_add_directed_phone=yes`")
    )
    did: str = field(default="0772222770", metadata=_metadata("[OFF]", "`ApiDID`, the system's main number"))
    real_did: str = field(
        default="0772222770", metadata=_metadata("[OFF]", "`ApiRealDID`, the number that was dialled")
    )

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise AppError(f"{name} is one of {', '.join(choices)}, not {getattr(self, name)!r}")


def line_settings() -> dict[str, LineSetting]:
    """Return the descriptions of all settings, by name."""
    return {
        setting.name: LineSetting(
            setting.name, setting.default, setting.metadata["source"], setting.metadata["meaning"]
        )
        for setting in fields(LineSettings)
    }


class CallerOptions(TypedDict, total=False):
    """The keyword options of a ``Caller``.

    The first are the fields of ``LineSettings``; the others replace the settings of ``ext.ini`` for an
    application that is called without one.
    """

    server_timeout: float
    retain_values: bool
    hangup_after_goto: bool
    hangup_waits: bool
    hangup_carries_recording: bool
    hangup_marker: bool
    confirmation: Confirmation
    two_plays: TwoPlays
    unknown_word: UnknownWord
    speech_retries: int
    silence_retries: int
    recording_value: RecordingValue
    nested_extension: NestedExtension
    music_seconds: float | None
    enter_id: str
    enter_id_name: str
    referred_from: str
    did: str
    real_did: str

    query: str
    constants: tuple[tuple[str, str], ...]
    omitted: frozenset[str]
    end_goto: str | None
    hangup_send: bool
    say_tts: bool
    voice_ask_ok: bool
    record_beep: bool
    waiting_music: str | None
    muted: frozenset[str]
    extensions: frozenset[str] | None
