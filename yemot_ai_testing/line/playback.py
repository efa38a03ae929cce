"""Playback: every sound is an event with a time, and advances the line's clock by its duration."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from yemot_ai.protocol import Comment, File, GoTo, Message, Read, Record, SpeechFile, Text
from yemot_ai_testing.line.clock import Clock
from yemot_ai_testing.line.exchange import LineProblem
from yemot_ai_testing.line.platform.extension import Extension
from yemot_ai_testing.line.platform.files import LineFiles, file_path, files_folder
from yemot_ai_testing.line.transcript import (
    DEFAULT_SOUND_SECONDS,
    SECONDS_PER_CHARACTER,
    Audible,
    Beep,
    CallEnded,
    ExtensionEntered,
    Sound,
    SystemSound,
    Transcript,
)

__all__ = ["Playback"]


class Playback:
    """The sounds of one call.

    Args:
        clock: the line's clock.
        files: the audio files of the line.
        report_problem: called with the problem of a missing file.

    Attributes:
        transcript: all events of the call.
        extension_settings: the settings of the caller's extension.
        extension: its path.
    """

    def __init__(self, clock: Clock, files: LineFiles, report_problem: Callable[[LineProblem], None]) -> None:
        self.transcript = Transcript()
        self.extension_settings: Extension | None = None
        self.extension = ""
        self._clock = clock
        self._files = files
        self._report_problem = report_problem
        self._welcomed: set[str] = set()

    def enter_extension(self, extension: str, extension_settings: Extension | None) -> None:
        """Record that the caller enters a folder, and play its welcome (M0000)."""
        self.extension, self.extension_settings = extension, extension_settings
        self.transcript.add(ExtensionEntered(at=self._clock.now(), extension=extension))
        if extension_settings is None:
            return
        # M0000 is the welcome of any extension, M1000 the message of a menu [OFF].
        codes = [] if extension_settings.welcome_once and extension in self._welcomed else ["M0000"]
        codes += ["M1000"] if extension_settings.kind == "menu" else []
        self._welcomed.add(extension)
        for code in codes:
            self.play_own_message(code)

    def end_call(self, reason: str) -> None:
        """Record that the call has left the application."""
        self.transcript.add(CallEnded(at=self._clock.now(), reason=reason))

    def play_question(self, read: Read) -> None:
        """Play the question; before a recording also M1012 and a beep [OFF]."""
        self.play_messages(read.messages)
        if isinstance(read.mode, Record):
            self.play_system_message("M1012")
            if self.extension_settings is None or self.extension_settings.record_beep:
                self._play(Beep(at=self._clock.now()))

    def play_messages(self, messages: Iterable[Message]) -> None:
        """Play messages; a ``GoTo`` among them is left to the caller of this method."""
        for message in messages:
            if not isinstance(message, GoTo | Comment) and self._is_audible(message):
                if isinstance(message, Text):
                    self.speak(message.text)
                else:
                    self.play_sound(str(message), kind=message.PREFIX)

    def play_system_message(self, code: str) -> None:
        """Play a message of the platform, unless it is muted [OFF]."""
        if self.extension_settings is not None and code in self.extension_settings.muted:
            return
        self._play(SystemSound(at=self._clock.now(), seconds=DEFAULT_SOUND_SECONDS, code=code))

    def speak(self, text: str) -> None:
        """Play ``text`` in the line's text-to-speech voice."""
        self.play_sound(text, kind="text", seconds=len(text) * SECONDS_PER_CHARACTER)

    def play_own_message(self, code: str) -> None:
        """Play the files of a message of the extension: M0000, M0000-1 … [OFF]."""
        for stem in self.extension_settings.message_files(code) if self.extension_settings else ():
            self.play_own_file(stem)

    def play_own_file(self, stem: str) -> None:
        """Play a file of the extension if it exists."""
        if self.extension_settings is not None and self.extension_settings.has_file(stem):
            self.play_sound(f"f-{stem}", kind="f")

    def play_existing_file(self, name: str) -> None:
        """Play a file if it exists, in ``api_dir`` or else in the extension."""
        settings = self.extension_settings
        path = None if settings is None else file_path(name, self.extension, settings)
        if path is not None and self._files.exists(path):
            self.play_sound(f"{File.PREFIX}-{name}", kind=File.PREFIX)

    def play_file(self, name: str) -> None:
        """Play a file that no message of a response names; a missing one is silent [OFF]."""
        shown = f"{File.PREFIX}-{name}"
        if self._has_file(name, shown):
            self.play_sound(shown, kind=File.PREFIX)

    def play_sound(self, text: str, *, kind: str, seconds: float = DEFAULT_SOUND_SECONDS) -> None:
        """Record a sound, and advance the clock by its duration."""
        self._play(Sound(at=self._clock.now(), seconds=seconds, text=text, kind=kind))

    def _play(self, event: Audible) -> None:
        self.transcript.add(event)
        self._clock.advance(event.seconds)

    def _is_audible(self, message: Message) -> bool:
        """Whether a message can be heard; a missing file is silent [OFF]."""
        return not isinstance(message, File | SpeechFile) or self._has_file(message.path, str(message))

    def _has_file(self, name: str, shown: str) -> bool:
        """Whether a file can be heard; report one that is missing."""
        if self.extension_settings is None:
            return True
        path = file_path(name, self.extension, self.extension_settings)
        if path is None or self.extension_settings.global_folder or self._files.exists(path) is not False:
            return True
        folder = files_folder(self.extension, self.extension_settings)
        problem = f"{shown} is silent: there is no {path}, looked for from {folder}"
        self._report_problem(
            LineProblem("warning", "missing-file", problem, hint="record the file, or name the one meant")
        )
        return False
