"""The model behind an executable under test.

A real binary, a wrapper around one and a fake of another project use a model service on this machine. A
fake of this toolkit needs none: it has a script itself.
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
"""Model output other than one message; the fake replays the recordings of these names."""


class ModelBackend(Protocol):
    """An executable with its model, for one rule."""

    @property
    def script(self) -> ScriptableModel:
        """The script of the model."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that the process needs in its environment."""
        ...

    @property
    def prompts(self) -> list[str]:
        """The prompts that the model got, oldest first."""
        ...

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the command line, with the options that select the model."""
        ...

    def emits_recorded(self, case: str) -> None:
        """Script one of ``RECORDED_OUTPUTS``."""
        ...

    def emits(self, *items: Mapping[str, object], text: str) -> None:
        """Script output items of the service and a text; raise ``NotApplicable`` without a service."""
        ...

    def user_messages(self) -> tuple[str, ...]:
        """Return the user's messages in the last request; raise ``NotApplicable`` without a service."""
        ...

    def wait_for_requests(self, count: int) -> None:
        """Wait until the model was called ``count`` times; raise ``TimeoutError`` otherwise."""
        ...

    def hold(self) -> None:
        """Block the calls to the model."""
        ...

    def release(self) -> None:
        """Unblock the calls."""
        ...

    def close(self) -> None:
        """Stop the model and the processes."""
        ...


def is_double(executable: Path) -> bool:
    """Return whether the executable is a double of this toolkit."""
    return (executable.parent / DOUBLE_MARKER).exists()


def copy_fake(executable: Path, version: str) -> FakeCodex:
    """Return a new fake with the same program and recordings, and an empty script."""
    fake = FakeCodex(version if version in recordings.versions() else None)
    install_copy(fake.executable, executable.parents[1])
    return fake


class ServiceBackend:
    """A real binary, or another program with its options, and a scripted model service."""

    def __init__(self, executable: Path) -> None:
        self._executable = executable
        self._model = ModelServer()
        self.script: ScriptableModel = self._model
        self.environment: Mapping[str, str] = {CODEX_KEY_VARIABLE: "none"}

    @property
    def prompts(self) -> list[str]:
        """The prompts that the model got, oldest first."""
        return [request.prompt for request in self._model.requests]

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the command line, with the settings after ``exec``."""
        command = [str(self._executable), *arguments]
        if arguments[:1] in (("exec",), ("e",)):
            settings = [
                part for item in self._model.codex_config().items() for part in ("-c", "=".join(item))
            ]
            command[2:2] = settings
        return command

    def emits_recorded(self, case: str) -> None:
        """Script one of ``RECORDED_OUTPUTS``."""
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
        """Script output items and a text."""
        self._model.emits(*items, text=text)

    def user_messages(self) -> tuple[str, ...]:
        """Return the user's messages in the last request."""
        return self._model.requests[-1].user_messages if self._model.requests else ()

    def wait_for_requests(self, count: int) -> None:
        """Wait until the model was called ``count`` times."""
        self._model.wait_for_requests(count)

    def hold(self) -> None:
        """Block the calls to the model."""
        self._model.hold()

    def release(self) -> None:
        """Unblock the calls."""
        self._model.release()

    def close(self) -> None:
        """Stop the service."""
        self._model.close()


class FakeBackend:
    """A copy of a fake: the same program and recordings, with a new script.

    Args:
        executable: the fake under test; it is copied, and never run or scripted itself.
        version: the version that it imitates.
    """

    def __init__(self, executable: Path, version: str) -> None:
        self._fake = copy_fake(executable, version)
        self.script: ScriptableModel = self._fake
        self.environment: Mapping[str, str] = {}

    @property
    def prompts(self) -> list[str]:
        """The prompts of the model calls, oldest first."""
        return [run.prompt for run in self._fake.requests if run.called_model]

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the command line."""
        return [str(self._fake.executable), *arguments]

    def emits_recorded(self, case: str) -> None:
        """Script a replay of the recording."""
        self._fake.replays(case)

    def emits(self, *_: Mapping[str, object], text: str) -> None:  # noqa: ARG002 - the protocol's signature
        """Raise ``NotApplicable``."""
        raise NotApplicable("a fake calls no model service, so it has recorded output only")

    def user_messages(self) -> tuple[str, ...]:
        """Raise ``NotApplicable``."""
        raise NotApplicable("a fake calls no model service, so earlier messages are not sent")

    def wait_for_requests(self, count: int) -> None:
        """Wait until ``count`` processes have called the model."""
        self._fake.wait_for_requests(count)

    def hold(self) -> None:
        """Block the processes before they answer."""
        self._fake.hold()

    def release(self) -> None:
        """Unblock the processes."""
        self._fake.release()

    def close(self) -> None:
        """Kill the processes that still run."""
        self._fake.close()
