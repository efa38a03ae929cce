r"""Read ``ext.ini`` files, and warn of lines that may not mean what their author intends.

>>> result = read_ext_ini("type=api\napi_link=http://127.0.0.1/yemot\napi_url_pots=yes\n")
>>> result.extension.link
'http://127.0.0.1/yemot'
>>> print(result.warnings[0])
ext.ini:3: unknown-key: there is no setting 'api_url_pots'; did you mean 'api_url_post'?
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from yemot_ai.errors import ResponseSyntaxError
from yemot_ai.protocol import Action, Read, Response, SimpleAnswer
from yemot_ai_testing.line.platform.ext_keys import KEYS, PARAMETER_KEYS, UNDOCUMENTED, canonical_name
from yemot_ai_testing.line.platform.extension import AUDIO_SUFFIXES, Extension, PreQuestion

__all__ = ["ExtIni", "IniWarning", "decode_ext_ini", "read_ext_ini"]

_PRE_QUESTION: Final = re.compile(r"api_([0-9]{3})")
_KEY_SOUND: Final = re.compile(r"api_([0-9]{3})_key_([0-9*#])_say")
_ADD: Final = re.compile(r"api_add_([0-9]{1,9})")
_ANSWER: Final = re.compile(r"api_answer_(?P<word>.+?)(?:_(?P<number>[0-9]{1,9}))?")
_LOCAL_PREFIX: Final = "read_answer_"


@dataclass(frozen=True, slots=True)
class IniWarning:
    """A warning about an ``ext.ini``.

    Attributes:
        file: its name.
        line: counted from 1; 0 for the whole file.
        code: a stable identifier.
        message: what is wrong, and what to change.
    """

    file: str
    line: int
    code: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.code}: {self.message}"


@dataclass(frozen=True, slots=True)
class ExtIni:
    """The result of reading an ``ext.ini``.

    Attributes:
        extension: the settings.
        warnings: the warnings, ordered by line.
    """

    extension: Extension
    warnings: tuple[IniWarning, ...]


def decode_ext_ini(raw: bytes, name: str) -> tuple[str, tuple[IniWarning, ...]]:
    """Return the text of a file, and a warning if it is not UTF-8; never raises."""
    try:
        return raw.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        text = raw.decode("windows-1255", "replace")
        message = (
            f"byte {error.start} is not UTF-8 (windows-1255?): Hebrew in it arrives garbled; save it as UTF-8"
        )
        return text, (IniWarning(name, 0, "not-utf8", message),)


def read_ext_ini(text: str, *, name: str = "ext.ini", files: frozenset[str] | None = None) -> ExtIni:
    """Read the text of an ``ext.ini``; never raises.

    Args:
        text: lines ``key=value``; ``;`` begins a comment, the last of repeated keys counts.
        name: the name of the file in warnings.
        files: the names of the folder's files, if they are known.
    """
    return _ExtIniParser(name, text, files).result()


class _ExtIniParser:
    """Reads one file."""

    def __init__(self, name: str, text: str, files: frozenset[str] | None) -> None:
        self._name = name
        self._files = files
        self._lines: dict[str, int] = {}
        self._values: dict[str, str] = {}
        self._warnings: list[IniWarning] = []
        for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
            self._read_line(number, line.strip())

    def result(self) -> ExtIni:
        # A folder without a type is a menu [?]; the settings of other types are not read.
        kind = self._values.get("type", "menu")
        if kind != "api":
            extension = Extension(kind=kind, files=self._files, keys=dict(self._values))
        else:
            self._check_keys()
            extension = self._api()
        return ExtIni(extension, tuple(sorted(self._warnings, key=lambda warning: warning.line)))

    def _read_line(self, number: int, line: str) -> None:
        if not line or line.startswith(";"):
            return
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not key:
            self._warn(number, "no-setting", f"{line[:60]!r} is no key=value; the line skips it")
            return
        if key in self._values:
            message = f"{key!r} stands in line {self._lines[key]} already; this one, the last, counts"
            self._warn(number, "repeated-key", message)
        if re.search(r"\s;", value):
            self._warn(
                number, "comment-in-value", f"{value!r} has a ; in it: a comment needs its own line [?]"
            )
        self._values[key], self._lines[key] = value, number

    def _check_keys(self) -> None:
        for key, value in self._values.items():
            if key in UNDOCUMENTED:
                self._warn_key(
                    key, "undocumented-key", f"{key!r} is used in code but not in the official text [CODE]"
                )
            elif canonical_name(key) is None:
                self._warn_key(key, "unknown-key", f"there is no setting {key!r}{_suggestion(key)}")
            elif key in KEYS and (allowed := KEYS[key].expected_instead(value)):
                self._warn_key(key, "value", f"{key}={value!r}: only {allowed} may stand here")

    def _api(self) -> Extension:
        get = self._values.get
        post = self._is_yes("api_url_post")
        if not get("api_link"):
            self._warn(self._lines.get("api_link", 0), "no-link", "api_link is missing: callers hear M1609")
        elif not post and "?" in get("api_link", ""):
            message = (
                "with GET the line adds a second '?' here; send constants by api_add_0=name=value [LIVE]"
            )
            self._warn_key("api_link", "second-question-mark", message)
        music = get("api_wait_answer_music_on_hold_different", "")
        return Extension(
            link=get("api_link") or None,
            method="POST" if post else "GET",
            space_as_plus=self._is_yes("api_add_replace_space"),
            constants=tuple(self._constants()),
            directed_phone=self._is_yes("api_add_directed_phone"),
            omitted=frozenset(name for key, name in PARAMETER_KEYS.items() if get(key) == "no"),
            say_tts=get("api_say_tts") != "no",
            voice_ask_ok=self._is_yes("api_voice_ask_ok"),
            waiting_music=music if self._is_yes("api_wait_answer_music_on_hold") else None,
            waiting_music_continues=self._is_yes("api_wait_answer_music_on_hold_continue_all_sends"),
            end_goto=get("api_end_goto") or None,
            hangup_send=get("api_hangup_send") != "no",
            hangup_link=get("api_hangup_link") or None,
            folder=get("api_dir") or None,
            record_beep=get("api_record_beep") != "no",
            log=get("api_log") != "no",
            say_answer=self._is_yes("say_api_answer"),
            answers=self._answers(),
            local_answers=self._local_answers(),
            pre_questions=tuple(self._pre_questions()),
            muted=frozenset(re.findall(r"M\d{4}", get("muted_messages", ""))),
            files=self._files,
            keys=dict(self._values),
        )

    def _constants(self) -> Iterator[tuple[str, str]]:
        numbered = {int(match[1]): key for key in self._values if (match := _ADD.fullmatch(key))}
        for position, number in enumerate(sorted(numbered)):
            key = numbered[number]
            name, equals, value = self._values[key].partition("=")
            if number != position:
                self._warn_key(
                    key, "api-add-gap", f"api_add_{position} is missing: number them from 0 without gaps"
                )
                return
            if not equals or not name:
                self._warn_key(key, "value", f"{key}={self._values[key]!r}: write {key}=name=value")
            elif name.startswith("Api") or name == "hangup":
                self._warn_key(key, "api-add-name", f"{name!r} is the line's own and cannot be set")
            else:
                yield name, value

    def _answers(self) -> dict[str, tuple[Action, ...]]:
        """Return the actions of ``api_answer_<word>``, ``api_answer_<word>_1`` …, in this order."""
        parts: dict[str, list[tuple[int, str]]] = {}
        for key in self._values:
            match = _ANSWER.fullmatch(key)
            if match:
                parts.setdefault(match["word"], []).append((int(match["number"] or 0), key))
        return {
            word: actions
            for word, keys in parts.items()
            if (actions := self._actions([key for _, key in sorted(keys)]))
        }

    def _local_answers(self) -> dict[str, tuple[Action, ...]]:
        keys = [key for key in self._values if key.startswith(_LOCAL_PREFIX) and canonical_name(key)]
        return {key.removeprefix(_LOCAL_PREFIX): actions for key in keys if (actions := self._actions([key]))}

    def _actions(self, keys: list[str]) -> tuple[Action, ...]:
        source = "&".join(self._values[key] for key in keys)
        try:
            actions = tuple(Response.parse(source))
        except ResponseSyntaxError as error:
            self._warn_key(keys[0], "action", f"{source!r} cannot be done: {error}")
            return ()
        if any(isinstance(action, SimpleAnswer) for action in actions):
            self._warn_key(keys[0], "action", f"{source!r} is a bare word, not an action")
            return ()
        return actions

    def _pre_questions(self) -> Iterator[PreQuestion]:
        key_sounds = self._key_sounds()
        for key in sorted(key for key in self._values if _PRE_QUESTION.fullmatch(key)):
            number = key.removeprefix("api_")
            try:
                read = next(iter(Response.parse(f"read=f-{number}={self._values[key]}")))
            except ResponseSyntaxError as error:
                self._warn_key(key, "pre-question", f"{self._values[key]!r} cannot be asked: {error}")
                continue
            if self._files is not None and not any(
                f"{number}.{ending}" in self._files for ending in AUDIO_SUFFIXES
            ):
                self._warn_key(key, "no-audio", f"there is no {number}.wav, .ogg or .tts to ask it with")
            if isinstance(read, Read):
                yield PreQuestion(number, read, tuple(key_sounds.get(number, ())))

    def _key_sounds(self) -> dict[str, list[tuple[str, str]]]:
        """Return the sound after each key, by question."""
        key_sounds: dict[str, list[tuple[str, str]]] = {}
        for key, value in self._values.items():
            if match := _KEY_SOUND.fullmatch(key):
                key_sounds.setdefault(match[1], []).append((match[2], value))
        return key_sounds

    def _is_yes(self, key: str) -> bool:
        return self._values.get(key) == "yes"

    def _warn_key(self, key: str, code: str, message: str) -> None:
        self._warn(self._lines[key], code, message)

    def _warn(self, line: int, code: str, message: str) -> None:
        self._warnings.append(IniWarning(self._name, line, code, message))


def _suggestion(key: str) -> str:
    close = difflib.get_close_matches(key, KEYS, n=1, cutoff=0.75)
    return f"; did you mean {close[0]!r}?" if close else ""
