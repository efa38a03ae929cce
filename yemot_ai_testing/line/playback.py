"""What the line lets the caller hear, as events with times; each takes its time on the line's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yemot_ai.protocol import Comment, File, GoTo, Record, SpeechFile, Text
from yemot_ai_testing.line.exchange import LineProblem
from yemot_ai_testing.line.platform.files import home_of, path_of
from yemot_ai_testing.line.transcript import (
    SECONDS_PER_CHARACTER,
    SECONDS_PER_SOUND,
    Beep,
    Ended,
    Moved,
    Sound,
    SystemSound,
    Transcript,
    length_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from yemot_ai.protocol import Message, Read
    from yemot_ai_testing.line.clock import Clock
    from yemot_ai_testing.line.platform.extension import Extension
    from yemot_ai_testing.line.platform.files import Files

__all__ = ["Playing"]


class Playing:
    """The sounds of one call.

    Args:
        clock: the line's time.
        files: what can be played.
        tell: told of a file that is not there.

    Attributes:
        transcript: everything that happened.
        place: the extension whose files and settings count.
        extension: its path.
    """

    def __init__(self, clock: Clock, files: Files, tell: Callable[[LineProblem], None]) -> None:
        self.transcript = Transcript()
        self.place: Extension | None = None
        self.extension = ""
        self._clock = clock
        self._files = files
        self._tell = tell

    def moved(self, extension: str, place: Extension | None) -> None:
        """Let the caller enter a folder, and hear what it says to whoever comes (M0000)."""
        self.extension, self.place = extension, place
        self.transcript.add(Moved(at=self._clock.now(), extension=extension))
        if place is None:
            return
        # M0000 welcomes to an API extension [OFF]; that M1000 speaks for a menu is the file's usual name [?].
        welcomes = ["M0000", *(["M1000"] if place.kind == "menu" else [])]
        for stem in welcomes:
            if place.has_file(stem):
                self.sound(f"f-{stem}", kind="f")

    def ended(self, why: str) -> None:
        """Note that the call has left the application."""
        self.transcript.add(Ended(at=self._clock.now(), why=why))

    def question(self, read: Read) -> None:
        """Ask; [OFF] M1012 and a beep come before a recording."""
        self.messages(read.messages)
        if isinstance(read.mode, Record):
            self.system("M1012")
            if self.place is None or self.place.record_beep:
                beep = Beep(at=self._clock.now())
                self.transcript.add(beep)
                self._clock.spend(beep.seconds)

    def messages(self, messages: Iterable[Message]) -> None:
        """Play messages; a move among them is not this one's business."""
        for message in messages:
            if not isinstance(message, GoTo | Comment) and self._is_there(message):
                written = str(message)
                if isinstance(message, Text):
                    self.sound(message.text, kind="text", seconds=length_of(message))
                else:
                    self.sound(written, kind=written.partition("-")[0], seconds=length_of(message))

    def system(self, code: str) -> None:
        """Let the platform say something itself, unless it is muted [OFF]."""
        if self.place is not None and code in self.place.muted:
            return
        self.transcript.add(SystemSound(at=self._clock.now(), seconds=SECONDS_PER_SOUND, code=code))
        self._clock.spend(SECONDS_PER_SOUND)

    def speech(self, text: str) -> None:
        """Let the line's own voice say ``text``."""
        self.sound(text, kind="text", seconds=len(text) * SECONDS_PER_CHARACTER)

    def own_file(self, stem: str) -> bool:
        """Play a file of the extension, if it is there; tell whether it was."""
        there = self.place is not None and self.place.has_file(stem) is True
        if there:
            self.sound(f"f-{stem}", kind="f")
        return there

    def sound(self, text: str, *, kind: str, seconds: float = SECONDS_PER_SOUND) -> None:
        """Play something."""
        self.transcript.add(Sound(at=self._clock.now(), seconds=seconds, text=text, kind=kind))
        self._clock.spend(seconds)

    def _is_there(self, message: Message) -> bool:
        """Whether a message can be heard; [OFF] a file that is missing is silent."""
        if not isinstance(message, File | SpeechFile) or self.place is None:
            return True
        path = path_of(message.path, self.extension, self.place)
        if path is None or self._files.has(path) is not False:
            return True
        told = (
            f"{message} is silent: there is no {path}, looked for from {home_of(self.extension, self.place)}"
        )
        self._tell(
            LineProblem("warning", "missing-file", told, way_out="record the file, or name the one meant")
        )
        return False
