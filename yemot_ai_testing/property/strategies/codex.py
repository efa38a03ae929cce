"""A strategy for the output of ``codex exec --json``, made from recordings of the real one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, TypeAlias

from hypothesis import strategies as st

from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.recordings import Recording
from yemot_ai_testing.property.strategies.json_values import any_json
from yemot_ai_testing.property.strategies.kinds import of_kinds
from yemot_ai_testing.property.strategies.texts import model_texts

__all__ = ["CodexStream", "StreamKind", "codex_streams"]

StreamKind: TypeAlias = Literal["answered", "failed", "truncated", "interleaved", "unknown", "malformed"]

Event: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CodexStream:
    """One run of ``codex exec --json``.

    Attributes:
        lines: the lines of its standard output, without line ends.
        exit_code: the exit code as ``Popen`` reports it.
        stderr: its standard error.
    """

    lines: tuple[bytes, ...]
    exit_code: int = 0
    stderr: str = ""

    @property
    def jsonl(self) -> bytes:
        """The whole standard output."""
        return b"".join(line + b"\n" for line in self.lines)


@cache
def _recorded(*, answered: bool) -> tuple[Recording, ...]:
    """Return the recorded turns with an answer, or those without; the shortest first."""
    every = [one for version in recordings.versions() for one in recordings.load_version(version).values()]
    turns = [one for one in every if one.argv[:1] == ("exec",) and "--json" in one.argv and one.stdout]
    selected = [one for one in turns if _is_answered(one) is answered]
    return tuple(
        sorted(selected, key=lambda one: (len(one.stdout), one.case != "answer", one.version, one.case))
    )


def _is_answered(recording: Recording) -> bool:
    texts = [line.text for line in recording.stdout]
    return recording.exit_code == 0 and all(
        any(word in text for text in texts) for word in ('"agent_message"', '"turn.completed"')
    )


@st.composite
def _replayed(draw: st.DrawFn, *, answered: bool) -> CodexStream:
    """Draw a recorded turn with another answer and another thread ID."""
    recording = draw(st.sampled_from(_recorded(answered=answered)))
    text = draw(model_texts("plain") | model_texts())
    return _replay(recording, text, draw(st.uuids().map(str)))


def _replay(recording: Recording, text: str, thread: str) -> CodexStream:
    lines = [_with_text(line.text.replace("{thread_id}", thread), text) for line in recording.stdout]
    stderr = "\n".join(recording.stderr).replace("{thread_id}", thread)
    return CodexStream(tuple(lines), recording.exit_code, stderr)


def _with_text(line: str, text: str) -> bytes:
    try:
        event = json.loads(line)
    except ValueError:
        return line.encode()
    item = event.get("item")
    if isinstance(item, dict) and item.get("type") == "agent_message":
        item["text"] = text
    return _encode(event)


def _encode(event: Event, *, ascii_only: bool = False) -> bytes:
    try:
        return json.dumps(event, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:  # JSON can hold a lone surrogate only as an escape
        return json.dumps(event).encode()


@st.composite
def _truncated(draw: st.DrawFn) -> CodexStream:
    stream = draw(_replayed(answered=True))
    written = stream.jsonl[: draw(st.integers(0, len(stream.jsonl) - 1))]
    return CodexStream(
        tuple(written.split(b"\n")), draw(st.sampled_from([0, 1, -15, -9, 101, 143])), stream.stderr
    )


@st.composite
def _interleaved(draw: st.DrawFn) -> CodexStream:
    """Draw two turns interleaved in one stream; each keeps its order."""
    first, second = draw(_replayed(answered=True)), draw(_replayed(answered=True) | _replayed(answered=False))
    left, right = list(first.lines), list(second.lines)
    lines: list[bytes] = []
    while left and right:
        lines.append((left if draw(st.booleans()) else right).pop(0))
    return CodexStream((*lines, *left, *right), draw(st.sampled_from([0, 1])), first.stderr)


_TYPES = st.sampled_from(
    [
        "thread.started", "turn.started", "turn.completed", "turn.failed", "item.started", "item.updated",
        "item.completed", "error", "moon.risen",
    ]
)  # fmt: skip
_ITEMS = st.fixed_dictionaries(
    {"type": st.sampled_from(["agent_message", "reasoning", "error", "todo_list", "moon"]) | any_json},
    optional={"id": any_json, "text": any_json, "message": any_json},
)
_FIELDS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "thread_id": any_json,
    "item": _ITEMS | any_json,
    "usage": st.dictionaries(st.sampled_from(["input_tokens", "output_tokens", "x"]), any_json) | any_json,
    "error": st.fixed_dictionaries({"message": any_json}) | any_json,
    "message": any_json,
}
_EVENTS = st.fixed_dictionaries({"type": _TYPES | any_json}, optional=_FIELDS)
_NO_EVENTS = st.sampled_from(
    [
        b"{", b"null", b"[]", b"hello", b"\xff\xfe", b'{"a":' * 5_000, b"[" * 100_000, b"1" * 5_000,
        b'{"type":"turn.completed","usage":{"input_tokens":' + b"9" * 5_000 + b"}}", b'{"type":"x"} {}',
        b"\x00{}", b"\xef\xbb\xbf{}", b'{"type":NaN}', b'{"type":"error","type":"turn.completed"}', b"\r",
        b'{"type":"error","message":"\\ud800"}', b'{"type":"error","message":"\xed\xa0\x80"}',
    ]
) | st.binary(max_size=60)  # fmt: skip


@st.composite
def _with_noise(draw: st.DrawFn, strange: st.SearchStrategy[bytes]) -> CodexStream:
    """Draw a turn with strange lines inserted, or replacing its lines."""
    turn = draw(_replayed(answered=True))
    lines = list(turn.lines)
    for line in draw(st.lists(strange, min_size=1, max_size=3)):
        at = draw(st.integers(0, len(lines)))
        lines[at : at + draw(st.integers(0, 1))] = [line]
    return CodexStream(tuple(lines), turn.exit_code, turn.stderr)


def codex_streams(*kinds: StreamKind) -> st.SearchStrategy[CodexStream]:
    """Return a strategy for the output of one ``codex exec --json``.

    It is made from the recordings of all versions: ``answered`` turns with other texts; turns that
    ``failed``; ``truncated`` after any byte; ``interleaved``: two turns in one stream; ``unknown`` events,
    items, fields and values inserted; ``malformed``: inserted lines that are not events.

    Args:
        kinds: the kinds to draw from; all if none is named.

    >>> from hypothesis import find
    >>> stream = find(codex_streams(), lambda stream: True)
    >>> stream.exit_code, "שלום" in stream.jsonl.decode()
    (0, True)
    """
    return of_kinds(
        "codex_streams",
        {
            "answered": [_typical(), _replayed(answered=True)],
            "failed": [_replayed(answered=False)],
            "truncated": [_truncated()],
            "interleaved": [_interleaved()],
            "unknown": [_with_noise(_EVENTS.map(_encode))],
            "malformed": [_with_noise(_NO_EVENTS)],
        },
        kinds,
    )


def _typical() -> st.SearchStrategy[CodexStream]:
    recording = _recorded(answered=True)[0]
    return st.just(_replay(recording, "שלום", "00000000-0000-0000-0000-000000000000"))
