"""All spellings of a response that mean the same."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from yemot_ai.protocol import (
    Action,
    Comment,
    Message,
    Noop,
    Play,
    Read,
    Record,
    Response,
    SimpleAnswer,
    Text,
    Voice,
)
from yemot_ai.protocol.fields.codecs import Choice, Codec, Integer, KeyList
from yemot_ai.protocol.fields.layout import Layout
from yemot_ai.protocol.fields.text_codecs import FolderTarget, FreeText, Regex
from yemot_ai.protocol.read_modes import READ_RECORD, READ_TAP, READ_VOICE, mode_values
from yemot_ai_testing.property import responses

__all__ = ["spelled_responses"]


def _spellings(codec: Codec, value: object) -> list[str]:
    canonical = codec.encode(value)
    spellings = [canonical]
    if isinstance(codec, Choice):
        words = [word for word, meaning in codec.values.items() if meaning == value]
        if "" in codec.values and codec.values[""] == value and not codec.ignores_others:
            words += ["no" if codec.values.get("no", value) == value else "yes"]
        spellings += [form for word in words for form in (word, word.lower(), word.upper())]
    elif isinstance(codec, Integer):
        spellings += [canonical.zfill(9)] if canonical else []
        spellings += ["*"] if codec.allow_star and value is None else []
        spellings += [""] if value == codec.default and not codec.required else []
    elif isinstance(codec, FreeText | Regex):
        spellings += [""] if value == codec.default else []
    elif isinstance(codec, KeyList) and isinstance(value, tuple) and value != (codec.word,):
        spellings += [".".join(value)]
    elif isinstance(codec, FolderTarget):
        spellings += [f"{canonical}/"] if canonical != "/" else []
    return spellings


@st.composite
def _fields(draw: st.DrawFn, layout: Layout, value: object) -> str:
    values = (
        value if isinstance(value, dict) else {name: getattr(value, name, None) for name in layout.codecs}
    )
    texts = [
        draw(st.sampled_from(_spellings(codec, values.get(name)))) for name, codec in layout.codecs.items()
    ]
    while len(texts) > 1 and not texts[-1] and draw(st.booleans()):
        texts.pop()
    return ",".join(texts)


@st.composite
def _message(draw: st.DrawFn, message: Message) -> str:
    if isinstance(message, Comment) and not message.text:
        return draw(st.sampled_from(["noop", "noop-"]))
    return f"{message.PREFIX}-{draw(_fields(message.LAYOUT, message))}"


@st.composite
def _messages(draw: st.DrawFn, messages: Sequence[Message]) -> str:
    """Messages, with a surplus ``.`` unless it follows a text."""
    rendered = draw(st.sampled_from(["", "."]))
    for number, message in enumerate(messages, start=1):
        end = "" if number == len(messages) else "."
        surplus = "" if isinstance(message, Text) else draw(st.sampled_from(["", "", "."]))
        rendered += f"{draw(_message(message))}{end}{surplus}"
    return rendered


@st.composite
def _action(draw: st.DrawFn, action: Action) -> str:
    if isinstance(action, Play):
        return f"id_list_message={draw(_messages(action.messages))}"
    if isinstance(action, Read):
        layout = READ_TAP
        if isinstance(action.mode, Voice | Record):
            layout = READ_VOICE if isinstance(action.mode, Voice) else READ_RECORD
        values = {"name": action.name, "reuse": action.reuse, **mode_values(action.mode)}
        return f"read={draw(_messages(action.messages))}={draw(_fields(layout, values))}"
    if isinstance(action, Noop | SimpleAnswer):
        return str(action)
    return f"{action.NAME}={draw(_fields(action.LAYOUT, action))}"


@st.composite
def spelled_responses(draw: st.DrawFn) -> tuple[Response, str]:
    """A response, and one of its spellings."""
    response = draw(responses())
    rendered = "&".join([draw(_action(action)) for action in response])
    prefix = "" if response.log else "api_log_no&"
    return response, f"{prefix}{rendered}{draw(st.sampled_from(['', '&']))}"
