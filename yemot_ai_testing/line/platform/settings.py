"""Settings for what no source confirms about the line; the defaults have the most evidence.

The settings of ``ext.ini`` are an ``Extension``. These are the others: both alternatives are simulated,
so that a test can run an application on either line.

>>> LineSettings(retain_values=True).retain_values
True
>>> line_settings()["two_plays"].choices
('merge', 'second')
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, Final, Literal, TypeAlias, TypedDict, get_args, get_type_hints

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


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSettings:
    """The settings of the line for one call; ``line_settings()`` describes them.

    Raises:
        AppError: a value is not allowed.
    """

    server_timeout: Annotated[
        float, "[?]", "seconds the line waits for an answer before M1607; claims run from under 10 to 60"
    ] = 10.0
    retain_values: Annotated[bool, "[?]", "values stay when an extension is entered (again) in one call"] = (
        False
    )
    hangup_after_goto: Annotated[bool, "[?]", "a hang-up request follows when the server itself hangs up"] = (
        True
    )
    hangup_waits: Annotated[
        bool, "[?]", "the hang-up request waits for the answer that is open, instead of overtaking it"
    ] = False
    hangup_carries_recording: Annotated[
        bool,
        "[CODE]",
        "a recording kept on hang-up arrives together with the hang-up request; else it is only saved",
    ] = True
    hangup_marker: Annotated[bool, "[LIB]", "`ApiHangup=` (empty) stands before `hangup=yes`"] = False
    confirmation: Annotated[
        Confirmation,
        "[?]",
        "when M1353 follows typing (unless field 15 is `no`): only if field 6 is a keyboard, or `always` "
        "as the official text says",
    ] = "keyboard"
    two_plays: Annotated[
        TwoPlays, "[?]", "two `id_list_message` in a row: both are heard (`merge`), or only the `second`"
    ] = "merge"
    lenient: Annotated[
        bool,
        "[?]",
        "a field that is not understood counts as its default, and surplus fields are ignored, each with a "
        "warning; else M1607",
    ] = False
    accept_any_2xx: Annotated[
        bool, "[?]", "the body of an HTTP status 201 to 299 is used as that of 200; else M1607"
    ] = False
    follow_redirects: Annotated[
        bool, "[?]", "HTTP status 301, 302, 303, 307 and 308 are followed, at most 5 in a row; else M1607"
    ] = False
    new_call_id_per_extension: Annotated[
        bool,
        "[LIVE]",
        "`ApiCallId` changes when the caller enters another API extension; `ApiYFCallId` stays",
    ] = False
    unknown_word: Annotated[
        UnknownWord,
        "[?]",
        "a bare word without a file and without actions: `M1607`, or the caller just `leaves`",
    ] = "M1607"
    speech_retries: Annotated[
        int, "[?]", "how often unclear speech is asked for again (M1611) before an empty value is sent"
    ] = 2
    silence_retries: Annotated[
        int, "[LIB]", "how often silence is met with M1613 and the question before an empty value is sent"
    ] = 0
    recording_value: Annotated[
        RecordingValue,
        "[?]",
        "a recording's value: `/1/000.wav` (`path`), `ivr2:/1/000.wav` or `1/000.wav` (`bare`)",
    ] = "path"
    nested_extension: Annotated[
        NestedExtension, "[?]", "how `ApiExtension` writes an extension inside another one"
    ] = "1/2"
    music_seconds: Annotated[
        float | None,
        "[?]",
        "how long `music_on_hold` without seconds plays; None: until the caller presses `*`",
    ] = None
    enter_id: Annotated[str, "[OFF]", "`ApiEnterID`, if the caller has logged in; its exact form is [?]"] = ""
    enter_id_name: Annotated[str, "[OFF]", "`ApiEnterIDName`, as above"] = ""
    referred_from: Annotated[str, "[OFF]", "`ReferredFrom`, where `api_add_directed_phone=yes`"] = ""
    did: Annotated[str, "[OFF]", "`ApiDID`, the system's main number"] = "0772222770"
    real_did: Annotated[str, "[OFF]", "`ApiRealDID`, the number that was dialled"] = "0772222770"

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise AppError(f"{name} is one of {', '.join(choices)}, not {getattr(self, name)!r}")
        for setting in fields(self):
            value = getattr(self, setting.name)
            expected = _expected_instead(setting.default, value)
            if expected:
                raise AppError(f"{setting.name} is {expected}, not {value!r}")


def _expected_instead(default: object, value: object) -> str:
    """Return what is expected if ``value`` has not the type of ``default``; else an empty string."""
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "True or False"
    if isinstance(default, str):
        return "" if isinstance(value, str) else "a string: a number would lose its leading zeros"
    if value is None and default is None:
        return ""
    types = int if isinstance(default, int) else int | float
    return (
        "" if isinstance(value, types) and not isinstance(value, bool) and value >= 0 else "a number from 0"
    )


def line_settings() -> dict[str, LineSetting]:
    """Return the descriptions of all settings, by name."""
    hints = get_type_hints(LineSettings, include_extras=True)
    return {
        setting.name: LineSetting(setting.name, setting.default, *hints[setting.name].__metadata__)
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
    lenient: bool
    accept_any_2xx: bool
    follow_redirects: bool
    new_call_id_per_extension: bool
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
    path: str
