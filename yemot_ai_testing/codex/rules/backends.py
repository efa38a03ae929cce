"""The model behind an executable under test.

A real binary, a wrapper around one and a fake of another project use a model service on this machine. A
fake of this toolkit needs none: it has a script itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.fake.install import install_copy
from yemot_ai_testing.conformance.rule import NotApplicable
from yemot_ai_testing.doubles.model_service import responses as api
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.executable import DOUBLE_MARKER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["STREAM_RETRIES", "Backend", "CodexModel", "breaks_stream", "copy_fake", "is_double"]

STREAM_RETRIES: Final = "model_providers.yemot_ai_testing.stream_max_retries"
"""How often Codex asks again after a broken stream; ``ModelServer.codex_options`` sets 0."""

CodexModel: TypeAlias = FakeCodex | ModelServer
"""What answers an executable: a fake is its own model."""


@dataclass(frozen=True, slots=True)
class Backend:
    """An executable with its model, for one rule.

    Attributes:
        executable: the executable to run.
        model: its model; it has the script of every double.
    """

    executable: Path
    model: CodexModel

    @classmethod
    def open(cls, executable: Path, version: str) -> Backend:
        """Return the executable with a fresh model; a fake is copied, and never run or scripted itself."""
        if is_double(executable):
            fake = copy_fake(executable, version)
            return cls(fake.executable, fake)
        return cls(executable, ModelServer())

    @property
    def service(self) -> ModelServer:
        """The model service.

        Raises:
            NotApplicable: if the executable is a fake.
        """
        if isinstance(self.model, FakeCodex):
            raise NotApplicable("a fake calls no model service, so it has recorded output only")
        return self.model

    @property
    def prompts(self) -> list[str]:
        """The prompts that the model got, oldest first."""
        return [request.prompt for request in self.model.requests if request.called_model]

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the command line, with the options that select the model after ``exec``."""
        command = [str(self.executable), *arguments]
        if isinstance(self.model, ModelServer) and arguments[:1] in (("exec",), ("e",)):
            command[2:2] = self.model.codex_options()
        return command

    def emits_recorded(self, case: str) -> tuple[str, ...]:
        """Script the model output of the recording ``case``; return the agent's messages in it."""
        items = list(_recorded_items(case))
        messages = tuple(item["text"] for item in items if item["type"] == "agent_message")
        if isinstance(self.model, FakeCodex):
            self.model.replays(case)
        elif messages:
            self.model.emits(*map(_output_item, items[:-1]), text=messages[-1])
        else:
            self.model.emits()
        return messages


def breaks_stream(model: CodexModel, text: str) -> None:
    """Script a stream that breaks off after ``text``, which Codex asks for again."""
    if isinstance(model, FakeCodex):
        model.reconnects(text)
    else:
        model.drops(text)


def is_double(executable: Path) -> bool:
    """Return whether the executable is a double of this toolkit."""
    return (executable.parent / DOUBLE_MARKER).exists()


def copy_fake(executable: Path, version: str) -> FakeCodex:
    """Return a new fake with the same program and recordings, and an empty script."""
    fake = FakeCodex(version if version in recordings.versions() else None)
    install_copy(fake.executable, executable.parents[1])
    return fake


def _recorded_items(case: str) -> Iterator[dict[str, Any]]:
    for line in recordings.load_newest()[case].stdout:
        event = json.loads(line.text)
        if event["type"] == "item.completed" and event["item"]["type"] != "error":
            yield event["item"]


def _output_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the output of the service that Codex shows as ``item``."""
    match item["type"]:
        case "reasoning":
            return api.reasoning(item["text"])
        case "web_search":
            return api.web_search_call(item["query"])
    return api.message(item["text"], item_id="msg_0")
