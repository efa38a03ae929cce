"""Who answers behind an executable under trial: the seam between a fake with a script and all others.

A real binary, a wrapper around one and somebody else's fake are led to a model service on this machine.
A double of ours needs none: it is asked to play the same script itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.fake.install import install_copy
from yemot_ai_testing.conformance.rule import NotApplicable
from yemot_ai_testing.doubles.model_service import responses as api
from yemot_ai_testing.doubles.model_service.server import CODEX_KEY_VARIABLE, ModelServer
from yemot_ai_testing.executable import DOUBLE_MARKER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from yemot_ai_testing.doubles.script import ScriptableModel

__all__ = ["FakeBackend", "ModelBackend", "ServiceBackend", "copy_fake", "is_double"]

RECORDED_OUTPUTS: Final = ("two_messages", "reasoning", "web_search", "no_message")
"""What a model can put out besides one message; on the fake, the recordings of these names."""


class ModelBackend(Protocol):
    """An executable with a model behind it, for one case."""

    @property
    def script(self) -> ScriptableModel:
        """What the model will answer."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """What the process needs in its environment."""
        ...

    @property
    def prompts(self) -> list[str]:
        """What the model was asked, oldest first."""
        ...

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The program, and its arguments with whatever leads it to the model."""
        ...

    def emits_recorded(self, case: str) -> None:
        """Let the model put out one of ``RECORDED_OUTPUTS`` next."""
        ...

    def emits(self, *items: Mapping[str, object], text: str) -> None:
        """Let the model put out items of the service, and a text; ``NotApplicable`` without a service."""
        ...

    def user_messages(self) -> tuple[str, ...]:
        """All that the user said, as the model was told it last; ``NotApplicable`` without a service."""
        ...

    def wait_for_requests(self, count: int) -> None:
        """Wait until the model was asked so often; ``TimeoutError`` if it is not."""
        ...

    def hold(self) -> None:
        """Let the model wait before it answers."""
        ...

    def release(self) -> None:
        """Let it go on."""
        ...

    def close(self) -> None:
        """End it all."""
        ...


def is_double(executable: Path) -> bool:
    """Whether this is one of our doubles."""
    return (executable.parent / DOUBLE_MARKER).exists()


def copy_fake(executable: Path, version: str) -> FakeCodex:
    """Another fake with the same program and the same recordings, and a script of its own."""
    fake = FakeCodex(version if version in recordings.versions() else None)
    install_copy(fake.executable, executable.parents[1])
    return fake


class ServiceBackend:
    """A real binary, or whatever else takes its options, before a scripted model service."""

    def __init__(self, executable: Path) -> None:
        self._executable = executable
        self._model = ModelServer()
        self.script: ScriptableModel = self._model
        self.environment: Mapping[str, str] = {CODEX_KEY_VARIABLE: "none"}

    @property
    def prompts(self) -> list[str]:
        """What the model was asked, oldest first."""
        return [request.prompt for request in self._model.requests]

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The program, and its arguments; the settings stand behind ``exec``, as any caller writes them."""
        command = [str(self._executable), *arguments]
        if arguments[:1] in (("exec",), ("e",)):
            settings = [
                part for item in self._model.codex_config().items() for part in ("-c", "=".join(item))
            ]
            command[2:2] = settings
        return command

    def emits_recorded(self, case: str) -> None:
        """Let the model put out one of ``RECORDED_OUTPUTS`` next."""
        match case:
            case "two_messages":
                self._model.emits(api.message("רגע, אני בודק.", item_id="msg_0"), text="עכשיו שלוש וחצי.")
            case "reasoning":
                self._model.emits(api.reasoning("**Looking at the clock**"), text="עכשיו שלוש וחצי.")
            case "web_search":
                self._model.emits(api.web_search_call("השעה בירושלים"), text="עכשיו שלוש וחצי.")
            case "no_message":
                self._model.emits()
            case _:
                raise LookupError(case)

    def emits(self, *items: Mapping[str, object], text: str) -> None:
        """Let the model put out items, and a text."""
        self._model.emits(*items, text=text)

    def user_messages(self) -> tuple[str, ...]:
        """All that the user said, as the model was told it last."""
        return self._model.requests[-1].user_messages if self._model.requests else ()

    def wait_for_requests(self, count: int) -> None:
        """Wait until the model was asked so often."""
        self._model.wait_for_requests(count)

    def hold(self) -> None:
        """Let the model wait before it answers."""
        self._model.hold()

    def release(self) -> None:
        """Let it go on."""
        self._model.release()

    def close(self) -> None:
        """Stop serving."""
        self._model.close()


class FakeBackend:
    """A twin of a fake: the same program, the same recordings, a script of its own.

    Args:
        executable: the fake on trial; it is read, and never run or scripted itself.
        version: the version that it plays.
    """

    def __init__(self, executable: Path, version: str) -> None:
        self._fake = copy_fake(executable, version)
        self.script: ScriptableModel = self._fake
        self.environment: Mapping[str, str] = {}

    @property
    def prompts(self) -> list[str]:
        """What the fake took to its model, oldest first."""
        return [run.prompt for run in self._fake.requests if run.called_model]

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The program, and its arguments."""
        return [str(self._fake.executable), *arguments]

    def emits_recorded(self, case: str) -> None:
        """Let it play the recording."""
        self._fake.replays(case)

    def emits(self, *_: Mapping[str, object], text: str) -> None:  # noqa: ARG002 - the seam's signature
        """There is no service."""
        raise NotApplicable("a fake asks no model that could put out what was not recorded")

    def user_messages(self) -> tuple[str, ...]:
        """There is no service."""
        raise NotApplicable("a fake asks no model that could be told what was said before")

    def wait_for_requests(self, count: int) -> None:
        """Wait until so many processes have come to the model."""
        self._fake.wait_for_requests(count)

    def hold(self) -> None:
        """Let the processes wait before they answer."""
        self._fake.hold()

    def release(self) -> None:
        """Let them go on."""
        self._fake.release()

    def close(self) -> None:
        """End what still runs."""
        self._fake.close()
