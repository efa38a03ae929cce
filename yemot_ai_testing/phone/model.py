"""The model behind a line that is called by hand: a script, and an echo where the script has ended.

>>> from yemot_ai import YemotAI
>>> ai = YemotAI(provider=PhoneModel())
>>> ai.reply("c1", "אפשר פיצה?")
'אמרת: אפשר פיצה?'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from yemot_ai import Engine
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
from yemot_ai_testing.doubles.steps import Answer, Step

__all__ = ["PhoneModel"]

ECHO: Final = "אמרת: "


class PhoneModel(ScriptedProvider):
    """A provider that takes the steps of a script, and then repeats what it is asked.

    It answers in real time. What it is asked after a step that a person has added is not checked.

    Args:
        steps: the first steps.
    """

    name = "phone"

    def __init__(self, steps: Sequence[Step] = ()) -> None:
        super().__init__(engine=Engine.shared())
        for step in steps:
            self.add(step)

        self._recordings: list[str] = []

    def records(self, text: str) -> None:
        """Let the next recording that is transcribed have this text."""
        self._recordings.append(text)

    async def transcribe(self, audio: bytes) -> str:
        """Return the text of the oldest recording; of an unknown one, a text that says so."""
        return self._recordings.pop(0) if self._recordings else f"הקלטה של {len(audio)} בתים"

    def _take_step(self, prompt: str) -> Step | None:
        return super()._take_step(prompt) if self.script.steps_left else Answer((f"{ECHO}{prompt}",))
