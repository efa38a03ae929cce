"""One request to a model service, parsed."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from yemot_ai_testing.doubles.model_service.validation import MalformedRequestError, check_body, parse_json
from yemot_ai_testing.doubles.script import NO_TOOLS
from yemot_ai_testing.doubles.steps import Answer, Calls, Cut, Transcription, UnknownSession

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["ModelRequest"]

S = TypeVar("S")

_FORM_ENDPOINT: Final = "/audio/transcriptions"


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One request of a client.

    Attributes:
        path: the path of the URL.
        headers: with lower-case names.
        body: the parsed JSON body, or the fields of a form.
        size: bytes of the body, as sent.
        audio: the recording of a transcription request, else None.
    """

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    size: int
    audio: bytes | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, endpoint: str, path: str, headers: Mapping[str, str], raw: bytes) -> Self:
        """Parse a request: JSON, or the multipart form of a transcription.

        Args:
            endpoint: the end of the path of the API.
            path: the path of the URL.
            headers: with lower-case names.
            raw: the body.

        Raises:
            MalformedRequestError: no service accepts it.
        """
        if endpoint != _FORM_ENDPOINT:
            body = parse_json(raw)
            check_body(endpoint, body)
            return cls(path, headers, body, len(raw))
        fields = _form_fields(headers.get("content-type", ""), raw)
        if "file" not in fields:
            raise MalformedRequestError("file: a field of a multipart form is required")
        audio = fields.pop("file")
        return cls(path, headers, {name: _form_text(name, fields[name]) for name in fields}, len(raw), audio)

    @property
    def called_model(self) -> bool:
        """Whether the model has to answer; False for a transcription."""
        return self.audio is None

    def matching_step(self, step: S) -> S | Answer | None:
        """Return the step to run for this request; None if the step does not fit it."""
        if isinstance(step, Transcription):
            return None if self.audio is None else Answer((step.text,), step.after)
        if isinstance(step, UnknownSession):
            return step if self.body.get("previous_response_id") else None
        if isinstance(step, Calls) and not self.tools:
            return None
        return None if isinstance(step, Answer | Cut) and self.audio is not None else step

    def prompt_for_mismatch(self, step: object) -> str:
        """Return the prompt, with why the step did not fit if the prompt does not show it."""
        return f"{self.prompt}{NO_TOOLS}" if isinstance(step, Calls) and not self.tools else self.prompt

    @property
    def prompt(self) -> str:
        """The newest message of the user; for a recording its length, for results alone their number."""
        if self.audio is not None:
            return f"(a recording of {len(self.audio)} bytes)"
        messages = self.user_messages
        if not messages and self.results:
            return f"(the results of {len(self.results)} calls)"
        return messages[-1] if messages else ""

    @property
    def user_messages(self) -> tuple[str, ...]:
        """The messages of the user in this request, oldest first."""
        items = self._input
        if isinstance(items, str):
            return (items,)
        said = (item for item in items if item.get("role") == "user" and not _result_blocks(item))
        return tuple(map(_content_text, said))

    @property
    def instructions(self) -> str | None:
        """The model's instructions; Codex and Chat Completions send them as a first message."""
        instructions = self.body.get("instructions", self.body.get("system"))
        if instructions is not None:
            return _content_text({"content": instructions})
        items = self._input
        messages = [] if isinstance(items, str) else [item for item in items if "tools" not in item]
        first = messages[0] if messages else {}
        return _content_text(first) if first.get("role") in {"developer", "system"} else None

    @property
    def session(self) -> str | None:
        """The id of the previous response, or of the thread of a Codex process."""
        session = self.body.get("previous_response_id") or self.body.get("prompt_cache_key")
        return session if isinstance(session, str) else None

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools that the request offers to the model.

        For its newer models Codex lists them in an item of the input, in namespaces
        (measured, 0.163 and 0.169): a tool of ``collaboration`` is ``collaboration.spawn_agent``.
        """
        items = self._input
        in_input = [] if isinstance(items, str) else [item.get("tools") for item in items]
        lists = (self.body.get("tools"), *in_input)
        return tuple(name for tools in lists for name in _tool_names(tools or ()))

    @property
    def results(self) -> tuple[str, ...]:
        """The results of tools that the request brings, oldest first, as the model reads them."""
        items = self._input
        if isinstance(items, str):
            return ()
        return tuple(result for item in items for result in _results_of(item))

    @property
    def _input(self) -> Any:  # noqa: ANN401 - a client's JSON
        """``input`` of the Responses API, ``messages`` of the others."""
        return self.body.get("input") or self.body.get("messages") or ()


def _form_fields(form: str, raw: bytes) -> dict[str, bytes]:
    """Return the fields of a multipart form (RFC 7578), parsed by the standard library's ``email``."""
    head = f"content-type: {form}\r\n\r\n".encode()
    parts = email.message_from_bytes(head + raw, policy=email.policy.HTTP).iter_parts()
    named = ((part.get_param("name", header="content-disposition"), part) for part in parts)
    return {str(name): bytes(part.get_payload(decode=True) or b"") for name, part in named}


def _form_text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise MalformedRequestError(f"{name}: UTF-8 is required") from error


def _tool_names(tools: Sequence[Mapping[str, Any]], namespace: str = "") -> Iterator[str]:
    for tool in tools:
        function = tool.get("function")  # Chat Completions
        named = function if isinstance(function, dict) else tool
        name = namespace + str(named.get("name", tool.get("type", "")))
        if tool.get("tools"):
            # Tools in "functions" have bare names: it stands for no namespace.
            yield from _tool_names(tool["tools"], "" if name == "functions" else f"{name}.")
        else:
            yield name


def _content_text(item: Mapping[str, Any]) -> str:
    content = item.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def _results_of(item: Mapping[str, Any]) -> list[str]:
    """Return the results in an item of the input, or in a message."""
    if item.get("type") == "function_call_output":
        return [_content_text({"content": item.get("output")})]
    if item.get("role") == "tool":
        return [_content_text(item)]
    return [_content_text(block) for block in _result_blocks(item)]


def _result_blocks(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the results in a message of Anthropic's API."""
    content = message.get("content")
    return (
        [part for part in content if part.get("type") == "tool_result"] if isinstance(content, list) else []
    )
