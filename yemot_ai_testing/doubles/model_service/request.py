"""What a client asked of a model service: one request, read."""

from __future__ import annotations

import email
import email.policy
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeVar

from yemot_ai_testing.doubles.steps import Answer, Transcription

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["ModelRequest"]

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What a client asked of the model.

    Attributes:
        path: the path of the URL.
        headers: with lower-case names.
        body: the parsed JSON body, or the fields of a form.
        size: bytes of the body, as sent.
        audio: the recording that is to be transcribed, if it is one.
    """

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    size: int
    audio: bytes | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, path: str, headers: Mapping[str, str], raw: bytes) -> Self:
        """Read a request: JSON, or the form in which recordings are sent.

        Args:
            path: the path of the URL.
            headers: with lower-case names.
            raw: the body.
        """
        form = headers.get("content-type", "")
        if not form.startswith("multipart/form-data"):
            return cls(path, headers, json.loads(raw), len(raw))
        fields = _form_fields(form, raw)
        audio = fields.pop("file", b"")
        body = {name: value.decode() for name, value in fields.items()}
        return cls(path, headers, body, len(raw), audio)

    @property
    def called_model(self) -> bool:
        """Whether the model was asked to answer, and not only what it hears."""
        return self.audio is None

    def matching_step(self, step: S) -> S | Answer | None:
        """Return what is played of a step; None where it is no step for such a request."""
        if isinstance(step, Transcription):
            return None if self.audio is None else Answer((step.text,), step.after)
        return None if isinstance(step, Answer) and self.audio is not None else step

    @property
    def prompt(self) -> str:
        """The newest words of the user; of a recording, how long it is."""
        if self.audio is not None:
            return f"(a recording of {len(self.audio)} bytes)"
        said = self.user_messages
        return said[-1] if said else ""

    @property
    def user_messages(self) -> tuple[str, ...]:
        """Everything the user said in this request, oldest first."""
        given = self._input
        if isinstance(given, str):
            return (given,)
        return tuple(_content_text(item) for item in given if item.get("role") == "user")

    @property
    def instructions(self) -> str | None:
        """How the model was told to answer; Codex and Chat Completions say it in a first message."""
        told = self.body.get("instructions", self.body.get("system"))
        if told is not None:
            return _content_text({"content": told})
        given = self._input
        spoken = [] if isinstance(given, str) else [item for item in given if "tools" not in item]
        first = spoken[0] if spoken else {}
        return _content_text(first) if first.get("role") in {"developer", "system"} else None

    @property
    def session(self) -> str | None:
        """What it continues: a previous response, or the thread a Codex process names."""
        earlier = self.body.get("previous_response_id") or self.body.get("prompt_cache_key")
        return earlier if isinstance(earlier, str) else None

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools that the model was offered.

        For its newer models Codex tells them in an item of the input, and puts them in namespaces
        (measured, 0.163 and 0.169): a tool of ``collaboration`` is ``collaboration.spawn_agent``.
        """
        given = self._input
        told = [] if isinstance(given, str) else [item.get("tools", ()) for item in given]
        return tuple(name for tools in (self.body.get("tools", ()), *told) for name in _tool_names(tools))

    @property
    def _input(self) -> Any:  # noqa: ANN401 - a client's JSON
        """What Responses call ``input``, and the other APIs ``messages``."""
        return self.body.get("input", self.body.get("messages", ()))


def _form_fields(form: str, raw: bytes) -> dict[str, bytes]:
    """Read a form (RFC 7578) by the standard library's reader of mail, which knows its parts."""
    head = f"content-type: {form}\r\n\r\n".encode()
    parts = email.message_from_bytes(head + raw, policy=email.policy.HTTP).iter_parts()
    named = ((part.get_param("name", header="content-disposition"), part) for part in parts)
    return {str(name): bytes(part.get_payload(decode=True)) for name, part in named}


def _tool_names(tools: Sequence[Mapping[str, Any]], namespace: str = "") -> Iterator[str]:
    for tool in tools:
        name = namespace + str(tool.get("name", tool.get("type", "")))
        if "tools" in tool:
            # What is in "functions" goes by its bare name: it is where tools are without a namespace.
            yield from _tool_names(tool["tools"], "" if name == "functions" else f"{name}.")
        else:
            yield name


def _content_text(item: Mapping[str, Any]) -> str:
    content = item.get("content", "")
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)
