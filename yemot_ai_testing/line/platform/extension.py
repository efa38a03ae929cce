"""One folder of the line, as its ``ext.ini`` describes it.

>>> Extension(link="https://host/yemot", constants=(("secret", "s3"),)).constants
(('secret', 's3'),)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from yemot_ai_testing.line.transports.transport import RequestEncoding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yemot_ai.protocol import Action, Read
    from yemot_ai_testing.line.transports.transport import Method

__all__ = ["AUDIO_SUFFIXES", "Extension", "PreQuestion"]

AUDIO_SUFFIXES = frozenset({"wav", "ogg", "mp3", "tts"})
"""What a file must end with to be heard."""


@dataclass(frozen=True, slots=True)
class PreQuestion:
    """``api_000=…``: what is asked before the first request [OFF].

    Attributes:
        number: three digits: also the name of the file that asks.
        read: the question, with the fields of any read.
        key_sounds: ``api_000_key_2_say=100``: by key, the file that is heard after it. [?]
    """

    number: str
    read: Read
    key_sounds: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """What the settings of one folder mean; the defaults are those of the platform.

    Attributes:
        kind: ``type``: ``api``, or ``menu``, ``playfile`` …, which this line only knows as places. [OFF]
        link: ``api_link``; None makes the line say M1609. [OFF]
        app: what is called instead of the link, in this process; not part of an ``ext.ini``.
        method: ``POST`` with ``api_url_post=yes``. [OFF]
        query: a query string behind the link.
        space_as_plus: ``api_add_replace_space=yes``: a space is sent as ``+``. [OFF]
        constants: ``api_add_0``, ``api_add_1`` …: (name, value) pairs in every request. [OFF]
        directed_phone: ``api_add_directed_phone=yes``: send ``ReferredFrom``. [OFF]
        omitted: the ``Api…`` parameters that are switched off (``api_phone_send=no`` …). [OFF]
        say_tts: speak the recognised words back (``api_say_tts``). [OFF]
        voice_ask_ok: let the caller approve what was recognised (``api_voice_ask_ok``). [OFF]
        waiting_music: what is heard while the server thinks (``api_wait_answer_music_on_hold``,
            ``…_different``); None is silence, an empty text the system's own music. [OFF]
        waiting_music_continues: each wait goes on where the last one stopped (``…_continue_all_sends``). [OFF]
        end_goto: where a caller goes when the answer says nothing more (``api_end_goto``); None is one
            level up, and at the root the call ends. [OFF]
        hangup_send: tell the server when the caller hangs up (``api_hangup_send``). [OFF]
        hangup_link: where that is told instead (``api_hangup_link``). [OFF]
        folder: where files lie and recordings go (``api_dir``); None is the extension itself. [OFF]
        record_beep: a beep comes before a recording (``api_record_beep``). [OFF]
        log: requests are logged (``api_log``). [OFF]
        say_answer: speak a simple answer (``say_api_answer``). [OFF]
        answers: what the line does after a simple answer, by word (``api_answer_<word>``). [OFF]
        local_answers: what it does instead of a request, by ``<param>_<value>`` (``read_answer_…``). [OFF]
        pre_questions: what is asked before the first request (``api_000`` …). [OFF]
        muted: system messages that are not played (``muted_messages``). [OFF]
        files: the names of the folder's files; None where nobody knows them.
        keys: all keys and values as they were written, the last of each.
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
    files: frozenset[str] | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_api(self) -> bool:
        """Whether a server decides here (``type=api``)."""
        return self.kind == "api"

    @property
    def request_encoding(self) -> RequestEncoding:
        """How its requests are written."""
        return RequestEncoding(self.method, self.query, self.space_as_plus)

    def has_file(self, stem: str) -> bool | None:
        """Whether the folder has a file of that name that can be heard; None where nobody knows."""
        if self.files is None:
            return None
        return any(f"{stem}.{ending}" in self.files for ending in AUDIO_SUFFIXES)
