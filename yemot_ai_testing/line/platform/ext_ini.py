r"""Read ``ext.ini`` files, and warn of lines that may not mean what their author intends.

>>> result = read_ext_ini("type=api\napi_link=http://127.0.0.1/yemot\napi_url_post=on\n")
>>> result.extension.link
'http://127.0.0.1/yemot'
>>> print(result.warnings[0])
ext.ini:3: value: api_url_post='on': the official text has only yes or no here; the default counts
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count, takewhile
from typing import Final

from yemot_ai.errors import InvalidValueError
from yemot_ai.protocol import Action, Response, SimpleAnswer, lint
from yemot_ai_testing.line.platform.ext_keys import COUNT, PARAMETER_KEYS, find_key
from yemot_ai_testing.line.platform.extension import Extension, PreQuestion, audio_stems
from yemot_ai_testing.line.platform.ini_file import IniFile, IniWarning, Setting, read_ini
from yemot_ai_testing.line.platform.key_checks import check_settings, read_type
from yemot_ai_testing.line.platform.pre_questions import read_pre_questions
from yemot_ai_testing.line.platform.unsimulated import TYPES

__all__ = ["ExtIni", "read_ext_ini", "read_ivr_ini"]

_ADD: Final = re.compile(r"api_add_(0|[1-9][0-9]{0,8})")
_MUTED: Final = re.compile(r"muted_(M[0-9]{4})")
_CONTINUATION: Final = re.compile(r"(M0000|M1000)[-_ ]+[0-9]+")
_ANSWER_PREFIX: Final = "api_answer_"
_LOCAL_PREFIX: Final = "read_answer_"
CONSTANTS_HINT: Final = "send constants by api_add_0=name=value [LIVE]"
EXPECTED_IN_ACTIONS: Final = "play-leaves"
"""The warning for what these actions do on purpose: the next one may stand in another setting."""


@dataclass(frozen=True, slots=True)
class ExtIni:
    """The result of reading an ``ext.ini``.

    Attributes:
        extension: the settings.
        warnings: the warnings, ordered by line.
    """

    extension: Extension
    warnings: tuple[IniWarning, ...]


def read_ext_ini(
    text: str,
    *,
    name: str = "ext.ini",
    files: frozenset[str] | None = None,
    common: IniFile | None = None,
    now: datetime | None = None,
) -> ExtIni:
    """Read the text of an ``ext.ini``; never raises.

    Args:
        text: its lines, see ``read_ini``.
        name: the name of the file in warnings.
        files: the names of the folder's files, if they are known.
        common: the settings of ``ivr.ini``, which count where the file does not set the same key; an empty
            value in the file restores the platform's default [OFF].
        now: the time that expiry dates are compared with; the present by default.
    """
    return _ExtIniReader(read_ini(text, name, now=now), common or IniFile({}), name, files).result()


def read_ivr_ini(text: str, *, name: str = "ivr.ini", now: datetime | None = None) -> IniFile:
    """Read the text of an ``ivr.ini``, the settings of all extensions [OFF]; never raises.

    Args:
        text: its lines, see ``read_ini``.
        name: the name of the file in warnings.
        now: the time that expiry dates are compared with; the present by default.
    """
    ini = read_ini(text, name, now=now)
    return replace(ini, warnings=_by_line((*ini.warnings, *check_settings(ini.settings, ""))))


class _ExtIniReader:
    """Makes an extension of the settings of one file and the common ones."""

    def __init__(self, own: IniFile, common: IniFile, name: str, files: frozenset[str] | None) -> None:
        self._own = own
        self._common = common
        self._name = name
        self._files = files
        self._settings = {**common.settings, **own.settings}
        # An empty value is the default [OFF].
        self._values = {key: setting.value for key, setting in self._settings.items() if setting.value}
        self._warnings = list(own.warnings)

    def result(self) -> ExtIni:
        kind, type_warnings = read_type(self._settings.get("type"))
        self._warnings += type_warnings
        if kind in {"api", "menu"}:  # the settings of other types are not read
            self._warnings += check_settings(self._own.settings, kind)
            self._check_continuations()
        extension = self._api() if kind == "api" else Extension(kind=kind)
        if kind == "menu" and self._has_own_link() and "check_api" not in self._values:
            self._warn("api_link", "no-api", "no server is asked: the type of the extension is not api")
        warnings = _by_line(self._warnings)
        extension = replace(
            extension,
            muted=self._muted(),
            messages_max=self._positive("messages_max"),
            menu_digits=self._positive("digits") or 1,
            says_wrong_key=self._is_yes("M1001_say"),
            welcome_once=self._is_yes("say_first_one_time"),
            files=self._files,
            keys={key: setting.value for key, setting in self._settings.items()},
            notes=(*self._common.warnings, *self._notes(kind, warnings)),
        )
        return ExtIni(extension, warnings)

    def _notes(self, kind: str, warnings: tuple[IniWarning, ...]) -> Iterator[IniWarning]:
        yield from (warning for warning in warnings if warning.code != "no-link")  # the call says M1609
        setting = self._settings.get("type")
        if setting is not None and kind in TYPES - {"api", "menu"}:
            message = f"type={kind} is not simulated: no server is asked, the caller only passes through"
            yield setting.warning("not-simulated", message)

    def _api(self) -> Extension:
        get = self._values.get
        post = self._is_yes("api_url_post")
        if not get("api_link"):
            setting = self._settings.get("api_link", Setting("", self._name, 0))
            self._warnings.append(setting.warning("no-link", "api_link is missing: callers hear M1609"))
        for key in ("api_link", "api_hangup_link"):
            if not post and "?" in get(key, ""):
                message = f"with GET the line adds a second '?' here; {CONSTANTS_HINT}"
                self._warn(key, "second-question-mark", message)
        music = get("api_wait_answer_music_on_hold_different", "")
        return Extension(
            link=get("api_link"),
            method="POST" if post else "GET",
            space_as_plus=self._is_yes("api_add_replace_space"),
            constants=tuple(self._constants()),
            directed_phone=self._is_yes("api_add_directed_phone"),
            omitted=frozenset(name for key, name in PARAMETER_KEYS.items() if self._is_no(key)),
            say_tts=not self._is_no("api_say_tts"),
            voice_ask_ok=self._is_yes("api_voice_ask_ok"),
            waiting_music=music if self._is_yes("api_wait_answer_music_on_hold") else None,
            waiting_music_continues=self._is_yes("api_wait_answer_music_on_hold_continue_all_sends"),
            end_goto=get("api_end_goto"),
            hangup_send=not self._is_no("api_hangup_send"),
            hangup_link=get("api_hangup_link"),
            folder=get("api_dir"),
            record_beep=not self._is_no("api_record_beep"),
            log=not self._is_no("api_log"),
            say_answer=self._is_yes("say_api_answer"),
            answers=self._answers(),
            local_answers=self._local_answers(),
            pre_questions=self._pre_questions(),
            global_folder=self._is_yes("global_folder_check"),
        )

    def _constants(self) -> Iterator[tuple[str, str]]:
        numbered = {int(match[1]): key for key in self._values if (match := _ADD.fullmatch(key))}
        for position, number in enumerate(sorted(numbered)):
            key = numbered[number]
            name, equals, value = self._values[key].partition("=")
            if number != position:
                self._warn(
                    key, "api-add-gap", f"api_add_{position} is missing: number them from 0 without gaps"
                )
                return
            if not equals or not name:
                self._warn(key, "value", f"{key}={self._values[key]!r}: write {key}=name=value")
            elif name.startswith("Api") or name == "hangup":
                self._warn(key, "api-add-name", f"{name!r} is the line's own and cannot be set")
            else:
                yield name, value

    def _answers(self) -> dict[str, tuple[Action, ...]]:
        """Return the actions of each ``api_answer_<word>``, and of ``…_1``, ``…_2`` that follow it [OFF]."""
        parsed = {
            key: self._actions(key)
            for key in self._values
            if key.startswith(_ANSWER_PREFIX) and find_key(key)
        }
        chains = {key: list(_chain(key, parsed)) for key in parsed}
        self._check_chains(chains)
        return {
            key.removeprefix(_ANSWER_PREFIX): actions
            for key, chain in chains.items()
            if (actions := self._chained_actions(chain, parsed))
        }

    def _check_chains(self, chains: Mapping[str, list[str]]) -> None:
        """Warn of ``…_2`` without ``…_1``, where the word without a number is set."""
        chained = {key for chain in chains.values() for key in chain[1:]}
        for key in chains:
            first, _, number = key.rpartition("_")
            if first in chains and number.isdigit() and key not in chained:
                message = f"{key} does not follow {first}: the numbers are 1, 2 … without gaps [OFF]"
                self._warn(key, "answer-gap", message)

    def _chained_actions(
        self, chain: list[str], parsed: Mapping[str, tuple[Action, ...]]
    ) -> tuple[Action, ...]:
        """Return the actions of the keys of ``chain``, up to one that cannot follow."""
        actions = parsed[chain[0]]
        for key in chain[1:]:
            following = parsed[key]
            if not actions or not following:
                break
            try:
                Response((actions[-1], following[0]))
            except InvalidValueError as error:
                self._warn(key, "action", f"it cannot follow {chain[0]}: {error.reason}")
                break
            actions += following
        return actions

    def _local_answers(self) -> dict[str, tuple[Action, ...]]:
        keys = [key for key in self._values if key.startswith(_LOCAL_PREFIX) and find_key(key)]
        return {key.removeprefix(_LOCAL_PREFIX): actions for key in keys if (actions := self._actions(key))}

    def _actions(self, key: str) -> tuple[Action, ...]:
        source = self._values[key]
        problems = [problem for problem in lint(source) if problem.code != EXPECTED_IN_ACTIONS]
        errors = [problem.message for problem in problems if problem.level == "error"]
        if errors:
            self._warn(key, "action", f"{source!r} cannot be done: {'; '.join(errors)}")
            return ()
        actions = tuple(Response.parse(source))
        if any(isinstance(action, SimpleAnswer) for action in actions):
            self._warn(key, "action", f"{source!r} is a bare word, not an action")
            return ()
        for problem in problems:
            self._warn(key, "action", f"{source!r}: {problem.message}")
        return actions

    def _pre_questions(self) -> tuple[PreQuestion, ...]:
        result = read_pre_questions(self._values)
        for warning in result.warnings:
            self._warn(*warning)
        if self._files is None or "api_dir" in self._values:  # api_dir is another folder
            return result.questions
        stems = audio_stems(self._files)
        for question in result.questions:
            if question.number not in stems:
                message = f"there is no {question.number}.wav, .ogg or .tts to ask it with"
                self._warn(f"api_{question.number}", "no-audio", message)
        return result.questions

    def _has_own_link(self) -> bool:
        return bool(self._own.settings.get("api_link", Setting("", self._name, 0)).value)

    def _muted(self) -> frozenset[str]:
        """Return the muted messages: the list, and each message by itself, which is stronger [OFF]."""
        codes = set(re.findall(r"M[0-9]{4}", self._values.get("muted_messages", "")))
        for key in self._values:
            if match := _MUTED.fullmatch(key):
                codes |= {match[1]} if self._is_yes(key) else set()
                codes -= {match[1]} if self._is_no(key) else set()
        return frozenset(codes)

    def _positive(self, key: str) -> int | None:
        value = self._values.get(key, "")
        return int(value) if COUNT.fullmatch(value) else None

    def _check_continuations(self) -> None:
        """Warn of files M0000-2 … that are not played, because one before them is missing [OFF]."""
        extension = Extension(files=self._files)
        played = {file for code in ("M0000", "M1000") for file in extension.message_files(code)}
        for stem in sorted(audio_stems(self._files or ()) - played):
            if match := _CONTINUATION.fullmatch(stem):
                message = f"{stem} is not heard: {match[1]}, {match[1]}-1 … must follow each other [OFF]"
                self._warnings.append(IniWarning(self._name, 0, "continuation", message))

    def _is_yes(self, key: str) -> bool:
        return self._values.get(key, "").lower() == "yes"

    def _is_no(self, key: str) -> bool:
        return self._values.get(key, "").lower() == "no"

    def _warn(self, key: str, code: str, message: str) -> None:
        self._warnings.append(self._settings[key].warning(code, message))


def _chain(key: str, keys: Mapping[str, object]) -> Iterator[str]:
    yield key
    yield from takewhile(keys.__contains__, (f"{key}_{number}" for number in count(1)))


def _by_line(warnings: Iterable[IniWarning]) -> tuple[IniWarning, ...]:
    return tuple(sorted(warnings, key=lambda warning: warning.line))
