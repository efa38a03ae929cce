"""What the line lets the caller hear, as events with times; each takes its time on the line's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yemot_ai.protocol import Comment, File, GoTo, Record, SpeechFile, Text
from yemot_ai_testing.line.exchange import LineProblem
from yemot_ai_testing.line.platform.files import file_path, files_folder
from yemot_ai_testing.line.transcript import (
    DEFAULT_SOUND_SECONDS,
    SECONDS_PER_CHARACTER,
    Beep,
    CallEnded,
    ExtensionEntered,
    Sound,
    SystemSound,
    Transcript,
    duration_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from yemot_ai.protocol import Message, Read
    from yemot_ai_testing.line.clock import Clock
    from yemot_ai_testing.line.platform.extension import Extension
    from yemot_ai_testing.line.platform.files import LineFiles

__all__ = ["Playback"]


class Playback:
    """The sounds of one call.

    Args:
        clock: the line's time.
        files: what can be played.
        report_problem: told of a file that is not there.

    Attributes:
        transcript: everything that happened.
        extension_settings: the extension whose files and settings count.
        extension: its path.
    """

    def __init__(self, clock: Clock, files: LineFiles, report_problem: Callable[[LineProblem], None]) -> None:
        self.transcript = Transcript()
        self.extension_settings: Extension | None = None
        self.extension = ""
        self._clock = clock
        self._files = files
        self._report_problem = report_problem

    def enter_extension(self, extension: str, extension_settings: Extension | None) -> None:
        """Let the caller enter a folder, and hear what it says to whoever comes (M0000)."""
        self.extension, self.extension_settings = extension, extension_settings
        self.transcript.add(ExtensionEntered(at=self._clock.now(), extension=extension))
        if extension_settings is None:
            return
        # M0000 welcomes to an API extension [OFF]; that M1000 speaks for a menu is the file's usual name [?].
        welcomes = ["M0000", *(["M1000"] if extension_settings.kind == "menu" else [])]
        for stem in welcomes:
            if extension_settings.has_file(stem):
                self.play_sound(f"f-{stem}", kind="f")

    def end_call(self, reason: str) -> None:
        """Note that the call has left the application."""
        self.transcript.add(CallEnded(at=self._clock.now(), reason=reason))

    def play_question(self, read: Read) -> None:
        """Ask; [OFF] M1012 and a beep come before a recording."""
        self.play_messages(read.messages)
        if isinstance(read.mode, Record):
            self.play_system_message("M1012")
            if self.extension_settings is None or self.extension_settings.record_beep:
                beep = Beep(at=self._clock.now())
                self.transcript.add(beep)
                self._clock.advance(beep.seconds)

    def play_messages(self, messages: Iterable[Message]) -> None:
        """Play messages; a move among them is not this one's business."""
        for message in messages:
            if not isinstance(message, GoTo | Comment) and self._is_audible(message):
                written = str(message)
                if isinstance(message, Text):
                    self.play_sound(message.text, kind="text", seconds=duration_of(message))
                else:
                    self.play_sound(written, kind=written.partition("-")[0], seconds=duration_of(message))

    def play_system_message(self, code: str) -> None:
        """Let the platform say something itself, unless it is muted [OFF]."""
        if self.extension_settings is not None and code in self.extension_settings.muted:
            return
        self.transcript.add(SystemSound(at=self._clock.now(), seconds=DEFAULT_SOUND_SECONDS, code=code))
        self._clock.advance(DEFAULT_SOUND_SECONDS)

    def speak(self, text: str) -> None:
        """Let the line's own voice say ``text``."""
        self.play_sound(text, kind="text", seconds=len(text) * SECONDS_PER_CHARACTER)

    def play_own_file(self, stem: str) -> bool:
        """Play a file of the extension, if it is there; tell whether it was."""
        there = self.extension_settings is not None and self.extension_settings.has_file(stem) is True
        if there:
            self.play_sound(f"f-{stem}", kind="f")
        return there

    def play_sound(self, text: str, *, kind: str, seconds: float = DEFAULT_SOUND_SECONDS) -> None:
        """Play something."""
        self.transcript.add(Sound(at=self._clock.now(), seconds=seconds, text=text, kind=kind))
        self._clock.advance(seconds)

    def _is_audible(self, message: Message) -> bool:
        """Whether a message can be heard; [OFF] a file that is missing is silent."""
        if not isinstance(message, File | SpeechFile) or self.extension_settings is None:
            return True
        path = file_path(message.path, self.extension, self.extension_settings)
        if path is None or self._files.exists(path) is not False:
            return True
        told = f"{message} is silent: there is no {path}, looked for from {files_folder(self.extension, self.extension_settings)}"
        self._report_problem(
            LineProblem("warning", "missing-file", told, hint="record the file, or name the one meant")
        )
        return False
