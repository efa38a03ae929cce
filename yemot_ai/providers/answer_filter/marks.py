"""Find the marks that models and servers leave in a text: of thoughts, of calls of tools, of turns.

The notations are those of the chat templates of open models: ``<think>`` (DeepSeek, Qwen),
``[THINK]``, ``[TOOL_CALLS]``, ``[INST]`` (Mistral), ``◁think▷`` (Kimi), ``<|channel|>`` (gpt-oss),
``<|START_THINKING|>`` (Cohere), ``<unused94>``, ``<end_of_turn>`` (Gemma), ``<tool_call>`` (Hermes, Qwen),
``<function=…>``, ``<|eot_id|>`` (Llama), ``<|im_end|>`` (ChatML), ``</s>``.

>>> mark_at("כן.<|im_end|>", 3)
Mark(kind='turn end', name='im_end', end=13)
>>> mark_at("<thi", 0), mark_at("<b>", 0)
(INCOMPLETE, None)
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

__all__ = [
    "FENCE", "INCOMPLETE", "LEADING", "LEADING_TEXTS", "LONGEST_END", "LONGEST_INCOMPLETE", "MARK_START",
    "SILENT", "Kind", "Mark", "Search", "ends_thought", "is_unfinished_mark", "mark_at", "text_after",
]  # fmt: skip

Kind: TypeAlias = Literal[
    "thought", "thought end", "block", "block end", "header", "role", "turn end", "token"
]
"""What a mark does: ``block`` begins a text that is no answer, ``header`` the header of a message, ``role`` a
message of the role that it names; ``token`` stands alone."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark in a text.

    Attributes:
        kind: what it does.
        name: its name in lower case, without the signs around it.
        end: the position after it.
    """

    kind: Kind
    name: str
    end: int


class Search(enum.Enum):
    """A text that may become a mark when more of it arrives."""

    INCOMPLETE = enum.auto()

    def __repr__(self) -> str:
        return self.name


INCOMPLETE: Final = Search.INCOMPLETE

MARK_START: Final = re.compile(r"[<\[◁`]")
"""Where a mark can begin."""

SILENT: Final = re.compile(
    r"\b(?:analysis|commentary|think|thinking|thought|user|system|tool|human|observation|developer|ipython|environment)\b"
)
LEADING: Final = (
    (re.compile(r"analysis(?=[^\sa-z.,:;!?])"), re.compile(r"assistantfinal")),
    (
        re.compile(r"here(?: i|')s my thought process:", re.IGNORECASE),
        re.compile(r"here(?: i|')s my response:", re.IGNORECASE),
    ),
    (re.compile(r"(?i:assistant)(?:final|:\s|\n)|model\n"), re.compile("")),
)
"""What begins a text and has no marks, and its end: thoughts of gpt-oss without its tokens, of Granite; the
role of a message without its tokens."""
LEADING_TEXTS: Final = (
    "analysis", "here is my thought process:", "here's my thought process:", "assistantfinal", "assistant\n",
    "assistant: ", "model\n",
)  # fmt: skip
LONGEST_END: Final = len("Here is my response:")

LONGEST_INCOMPLETE: Final = 300
"""Characters after which what began like a mark is none."""

_SHORTEST: Final = 3
"""Letters of a name after which an unfinished tag is no word any more."""

FENCE: Final = "```"
"""The name and the end of a block that a fence begins."""

_THOUGHTS: Final = frozenset({
    "think", "thinking", "thought", "thoughts", "reasoning", "reason", "reflection", "analysis",
    "scratchpad", "inner_monologue", "monologue", "internal_monologue", "chain_of_thought", "cot",
    "rationale", "antthinking", "ant_thinking", "planning", "thinking_process", "thought_process",
    "reasoning_process", "reasoning_content", "think_silently", "longcat_think",
})  # fmt: skip
_THOUGHT: Final = re.compile(r"(?:\w+_)?(?:think|thinking|thoughts?)(?:_\w+)?")
"""Further names of thoughts, such as ``think_fast`` and ``inner_thoughts``."""
_HIDDEN: Final = re.compile(r"\btype ?= ?[\"']?(?:reasoning|thinking|thoughts?|tool_calls?)\b")
"""The attribute of ``<details>`` in which Open WebUI hides what is no answer."""
_BLOCKS: Final = frozenset({
    "tool_call", "tool_calls", "toolcall", "toolcalls", "tool_calls_section", "tool_use",
    "tool_response", "tool_responses", "tool_result", "tool_results", "tool_output", "tool_outputs",
    "tool_request", "tool_code", "tool", "tools", "available_tools", "function", "functions",
    "function_call", "function_calls", "function_response", "function_results", "invoke", "action",
    "longcat_tool_call", "python_tag", "inst", "sys", "system_prompt",
})  # fmt: skip
_TURN_ENDS: Final = frozenset({
    "im_end", "eot_id", "eom_id", "eot", "eom", "end", "end_of_turn", "end_of_text", "endoftext",
    "end_of_sentence", "end_of_utterance", "return", "call", "s", "eos", "turn", "end_turn",
    "end_of_turn_token",
})  # fmt: skip
_HEADERS: Final = frozenset({
    "im_start", "start_header_id", "start", "channel", "start_of_turn", "turn",
})  # fmt: skip
_ROLES: Final = frozenset({
    "user", "assistant", "system", "observation", "tool", "human", "model", "bot", "chatbot",
    "developer", "ipython",
})  # fmt: skip
_TOKEN: Final = re.compile(
    r"bos|pad|unk|mask|sep|cls|eod|eop|sop|eoa|im_sep|answer|response|final|final_answer|output|gmask|args|"
    r"call_id|solution|reply|unused\d+|special_\d+|0x[0-9a-f]{2}|(?:start|end)_of_image"
)
_PIPED: Final = _ROLES - _BLOCKS | {"start", "channel", "end", "return", "call", "turn"}
"""Names that are marks only with ``|``: without it they may be words in angle brackets."""
_FENCES: Final = frozenset({
    "tool_code", "tool_call", "tool_calls", "tool_output", "tool_outputs", "function_call",
    "think", "thinking", "thought", "reasoning",
})  # fmt: skip

_TAG: Final = re.compile(
    r"""(?P<open>[<◁]<?[|｜]?)[ ]?(?P<end>/?)(?P<pipe>[|｜]?)[ ]?(?P<name>[\w▁:.-]{1,40})
    (?P<rest>[\s=][^<>◁▷\n]{0,200}?)?\s?(?P<close>/?[|｜]?[>▷])""",
    re.VERBOSE,
)
_TAG_BEGINNING: Final = re.compile(
    r"[<◁]<?[|｜]?[ ]?/?[|｜]?[ ]?(?P<name>[\w▁:.-]{0,40})(?P<rest>[\s=][^<>◁▷\n]{0,200})?/?[|｜]?\Z"
)
_BRACKET: Final = re.compile(r"\[(?P<end>/?)(?P<name>[A-Za-z_]{1,24})\]")
_BRACKET_BEGINNING: Final = re.compile(r"\[/?[A-Za-z_]{0,24}\Z")
_FENCED: Final = re.compile(r"```(?P<name>[a-z_]{1,40})[ \t]{0,40}\n")
_FENCE_BEGINNING: Final = re.compile(r"(?:`{1,2}|```[a-z_]{0,40}[ \t]{0,40})\Z")
_DIRECTION: Final = re.compile(
    r"(?P<before>begin_of_|start_of_|end_of_|begin_|start_|end_)?(?P<noun>\w+?)(?P<after>_begin|_start|_end)?"
)


def mark_at(text: str, position: int) -> Mark | Search | None:
    """Return the mark at ``position``; None if there is none.

    Args:
        text: the text.
        position: an index at which ``MARK_START`` matches.
    """
    sign = text[position]
    if sign == "[":
        return _bracket(text, position)
    return _fence(text, position) if sign == "`" else _tag(text, position)


def is_unfinished_mark(text: str) -> bool:
    """Return whether a text, which ends here, is the beginning of a mark that is surely no word."""
    found = _TAG_BEGINNING.match(text)
    name = found["name"].lower() if found else ""
    known = _THOUGHTS | _BLOCKS | _TURN_ENDS
    return text.startswith(("<|", "<｜", "◁")) or (
        len(name) >= _SHORTEST and any(word.startswith(name) for word in known)
    )


def _tag(text: str, position: int) -> Mark | Search | None:
    found = _TAG.match(text, position)
    if found is None:
        begun = _TAG_BEGINNING.match(text, position)
        return INCOMPLETE if begun and (not begun["rest"] or _has_attributes(begun["name"])) else None
    opened, closed = re.search("[|｜]", found["open"] + found["pipe"]), re.search("[|｜]", found["close"])
    name = found["name"].lower().replace("▁", "_")
    doubled = found["open"].startswith("<<") and text.startswith(">", found.end())
    end = found.end() + doubled
    piped = opened or closed
    if name == "details":
        return _details(found)
    kind = _kind(name, is_end=bool(found["end"] or (closed and not opened)))
    if kind is not None and kind[0] in {"thought", "block"} and found["close"].startswith("/"):
        return Mark("token", name, end)  # an empty element
    if kind is not None and (piped or name not in _PIPED):
        return Mark(*kind, end)
    return Mark("token", name, end) if piped else None


def _details(found: re.Match[str]) -> Mark | None:
    """Return the mark of a text that only those see who unfold it; None for other details."""
    if found["end"]:
        return Mark("block end", "details", found.end())
    return Mark("block", "details", found.end()) if _HIDDEN.search(found["rest"] or "") else None


def _kind(name: str, *, is_end: bool) -> tuple[Kind, str] | None:
    """Return the kind of a tag, and what it begins or ends; None for a name that is not known."""
    if name in _HEADERS and not is_end:
        return "header", name
    if name in _TURN_ENDS or name in _HEADERS:
        return "turn end", name
    if name.removesuffix("_token") in _ROLES - _BLOCKS:
        return "role", name.removesuffix("_token")
    return _block(name, is_end=is_end) or (("token", name) if _TOKEN.fullmatch(name) else None)


def _block(name: str, *, is_end: bool) -> tuple[Kind, str] | None:
    """Return what a tag of a thought or of a block does; None for another tag."""
    if name in {"unused94", "unused95"}:
        return ("thought" if name == "unused94" else "thought end"), name
    found = _DIRECTION.fullmatch(name.rpartition(":")[2])
    noun = found["noun"] if found else name
    ends = is_end or (found is not None and "end" in f"{found['before']}{found['after']}")
    if noun in _THOUGHTS or _THOUGHT.fullmatch(noun):
        return ("thought end" if ends else "thought"), noun
    if noun in _BLOCKS:
        return ("block end" if ends else "block"), noun
    return None


def _has_attributes(name: str) -> bool:
    """Return whether a tag of this name counts with attributes, too."""
    noun = name.lower().rpartition(":")[2]
    return noun in _THOUGHTS | _BLOCKS | {"details"} or _THOUGHT.fullmatch(noun) is not None


def _bracket(text: str, position: int) -> Mark | Search | None:
    found = _BRACKET.match(text, position)
    if found is None:
        return INCOMPLETE if _BRACKET_BEGINNING.match(text, position) else None
    name = found["name"].lower()
    if name not in _THOUGHTS and name != "gmask" and not found["name"].isupper():
        return None
    kind = _kind(name, is_end=bool(found["end"]))
    known = kind is not None and kind[0] in {"thought", "thought end", "block", "block end", "token"}
    return Mark(*kind, found.end()) if kind is not None and known else None


def _fence(text: str, position: int) -> Mark | Search | None:
    found = _FENCED.match(text, position)
    if found is None:
        return INCOMPLETE if _FENCE_BEGINNING.match(text, position) else None
    return Mark("block", FENCE, found.end()) if found["name"] in _FENCES else None


def ends_thought(mark: Mark) -> bool:
    """Return whether a mark is the end of a thought."""
    return mark.kind == "thought end"


def text_after(text: str, mark: str) -> str | None:
    """Return what comes after ``mark``, whatever its case; None without it."""
    found = re.search(re.escape(mark), text, re.IGNORECASE)
    return None if found is None else text[found.end() :]
