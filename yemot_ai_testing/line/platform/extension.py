"""One folder of the line: the settings of its ``ext.ini``.

>>> Extension(link="https://host/yemot", constants=(("secret", "s3"),)).constants
(('secret', 's3'),)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count, takewhile
from typing import Any

from yemot_ai.protocol import Action, Read
from yemot_ai_testing.line.platform.ini_file import IniWarning
from yemot_ai_testing.line.transports.transport import Method, RequestEncoding

__all__ = ["AUDIO_SUFFIXES", "Extension", "PreQuestion", "audio_stem", "audio_stems"]

AUDIO_SUFFIXES = frozenset({"wav", "ogg", "mp3", "tts"})
"""The suffixes of files that the line can play."""


def audio_stem(name: str) -> str | None:
    """Return the name of an audio file without its suffix, whose case does not matter [?]; else None."""
    stem, _, suffix = name.rpartition(".")
    return stem if stem and suffix.lower() in AUDIO_SUFFIXES else None


def audio_stems(names: Iterable[str]) -> frozenset[str]:
    """Return the names of the audio files among ``names``, without their suffixes."""
    return frozenset(stem for name in names if (stem := audio_stem(name)) is not None)


@dataclass(frozen=True, slots=True)
class PreQuestion:
    """``api_000=…``: a question before the first request [OFF].

    Attributes:
        number: three digits, also the name of the audio file of the question.
        read: the question, with the fields of any read.
        key_sounds: ``api_000_key_2_say=100``: (key, the file that is played for it before the
            question follows again). [OFF]
        lenient_only: only a lenient line understands its fields. [?]
    """

    number: str
    read: Read
    key_sounds: tuple[tuple[str, str], ...] = ()
    lenient_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """The settings of one folder; the defaults are those of the platform.

    Attributes:
        kind: ``type``: ``api``, or ``menu``, ``playfile`` …, which this line only knows as folders. [OFF]
        link: ``api_link``; without it the line plays M1609. [OFF]
        app: the application that is called instead of the link, in this process; not in ``ext.ini``.
        method: ``POST`` with ``api_url_post=yes``. [OFF]
        query: a query string after the link.
        space_as_plus: ``api_add_replace_space=yes``: a space is sent as ``+``. [OFF]
        constants: ``api_add_0``, ``api_add_1`` …: (name, value) pairs in every request. [OFF]
        directed_phone: ``api_add_directed_phone=yes``: send ``ReferredFrom``. [OFF]
        omitted: the ``Api…`` parameters that are switched off (``api_phone_send=no`` …). [OFF]
        say_tts: speak the recognised words back (``api_say_tts``). [OFF]
        voice_ask_ok: let the caller confirm what was recognised (``api_voice_ask_ok``). [OFF]
        waiting_music: the music while the line waits for a response (``api_wait_answer_music_on_hold``,
            ``…_different``); None is silence, an empty string the platform's default music. [OFF]
        waiting_music_continues: each wait continues the music (``…_continue_all_sends``). [OFF]
        end_goto: where a caller goes after the last action of a response (``api_end_goto``); None is one
            level up, and at the root the call ends. [OFF]
        hangup_send: send a request when the caller hangs up (``api_hangup_send``). [OFF]
        hangup_link: where that request is sent instead (``api_hangup_link``). [OFF]
        folder: the folder of files and recordings (``api_dir``); None is the extension's. [OFF]
        record_beep: play a beep before a recording (``api_record_beep``). [OFF]
        log: requests are logged (``api_log``). [OFF]
        say_answer: speak a simple answer (``say_api_answer``). [OFF]
        answers: the actions after a simple answer, by word (``api_answer_<word>``). [OFF]
        local_answers: the actions instead of a request, by ``<param>_<value>`` (``read_answer_…``). [OFF]
        pre_questions: the questions before the first request (``api_000`` …). [OFF]
        muted: system messages that are not played (``muted_messages``, ``muted_M1002``). [OFF]
        messages_max: from which continuation of M0000 downwards they are played (``messages_max``); None is
            upwards from the first. [OFF]
        welcome_once: play M0000 once in a call (``say_first_one_time``). [OFF]
        menu_digits: how many digits the names of a menu's folders have (``digits``). [OFF]
        says_wrong_key: play M1001 for a key without a folder (``M1001_say``). [OFF]
        global_folder: look for a missing file in the shared library (``global_folder_check``). [OFF]
        files: the names of the folder's files; None if unknown.
        keys: all keys and values of the extension, the last of each.
        notes: what a caller who enters finds among the problems: settings and a type that are not
            understood or not simulated.
    """

    kind: str = "api"
    link: str | None = None
    app: object = None
    method: Method = "GET"
    query: str = ""
    space_as_plus: bool = False
    constants: tuple[tuple[str, str], ...] = ()
    directed_phone: bool = False
    omitted: frozenset[str] = frozenset()
    say_tts: bool = True
    voice_ask_ok: bool = False
    waiting_music: str | None = None
    waiting_music_continues: bool = False
    end_goto: str | None = None
    hangup_send: bool = True
    hangup_link: str | None = None
    folder: str | None = None
    record_beep: bool = True
    log: bool = True
    say_answer: bool = False
    answers: Mapping[str, tuple[Action, ...]] = field(default_factory=dict)
    local_answers: Mapping[str, tuple[Action, ...]] = field(default_factory=dict)
    pre_questions: tuple[PreQuestion, ...] = ()
    muted: frozenset[str] = frozenset()
    messages_max: int | None = None
    welcome_once: bool = False
    menu_digits: int = 1
    says_wrong_key: bool = False
    global_folder: bool = False
    files: frozenset[str] | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[IniWarning, ...] = ()

    @property
    def is_api(self) -> bool:
        """Whether a server decides here (``type=api``)."""
        return self.kind == "api"

    @property
    def request_encoding(self) -> RequestEncoding:
        """How its requests are encoded."""
        return RequestEncoding(self.method, self.query, self.space_as_plus)

    def has_file(self, stem: str) -> bool | None:
        """Whether the folder has an audio file of that name; None if unknown."""
        return None if self.files is None else stem in audio_stems(self.files)

    def message_files(self, code: str) -> tuple[str, ...]:
        """Return the files of a message that can be continued, in the order in which they are played [OFF].

        Args:
            code: ``M0000`` or ``M1000``; without a file of that name its continuations are not played.
        """
        stems = audio_stems(self.files or ())
        if code not in stems:
            return ()
        files = list(takewhile(stems.__contains__, (f"{code}-{number}" for number in count(1))))
        if self.messages_max is not None:
            files = files[: self.messages_max][::-1]
        return (code, *files)
