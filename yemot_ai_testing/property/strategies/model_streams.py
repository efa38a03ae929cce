"""A strategy for the streams of a model service, made from the streams of its doubles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

from hypothesis import strategies as st

from yemot_ai_testing.doubles.model_service import chat as chat_api
from yemot_ai_testing.doubles.model_service import messages as messages_api
from yemot_ai_testing.doubles.model_service import responses as responses_api
from yemot_ai_testing.doubles.model_service.api import ModelAPI, encode_json
from yemot_ai_testing.doubles.steps import FAILURE_KINDS, Answer, Failure
from yemot_ai_testing.property.strategies.json_values import altered, any_json
from yemot_ai_testing.property.strategies.kinds import of_kinds
from yemot_ai_testing.property.strategies.texts import model_texts

__all__ = ["API", "APIS", "BODY_KINDS", "BodyKind", "ModelStream", "model_streams"]

API: TypeAlias = Literal["responses", "chat", "messages"]
APIS: Final[tuple[API, ...]] = get_args(API)

BodyKind: TypeAlias = Literal[
    "answered", "failed", "truncated", "repeated", "interleaved", "unknown", "altered", "malformed", "page"
]
BODY_KINDS: Final[tuple[BodyKind, ...]] = get_args(BodyKind)

Event: TypeAlias = dict[str, Any]

_MODEL_APIS: Final[dict[API, ModelAPI]] = {
    "responses": responses_api,
    "chat": chat_api,
    "messages": messages_api,
}
_PAGE: Final = b"<!doctype html><html><title>Sign in</title><h1>Welcome to this network</h1></html>"
_STREAM: Final = "text/event-stream"


@dataclass(frozen=True, slots=True)
class ModelStream:
    """The body and content type of one streamed answer.

    Attributes:
        api: ``responses``, ``chat`` or ``messages``.
        blocks: the bytes of its events, each with its blank line; or the bytes of a broken stream.
        content_type: the content-type header.
    """

    api: API
    blocks: tuple[bytes, ...]
    content_type: str = _STREAM

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.blocks)


def _events(api: API, pieces: Sequence[str], number: str) -> list[Event]:
    model_api = _MODEL_APIS[api]
    body = model_api.response_body(Answer(tuple(pieces)), number, request={"model": "m", "stream": True})
    return list(model_api.stream_events(body, pieces))


def _stream(api: API, events: Sequence[Event]) -> ModelStream:
    model_api = _MODEL_APIS[api]
    blocks = [_block(api, event) for event in events]
    return ModelStream(api, (*blocks, *([model_api.STREAM_END] if model_api.STREAM_END else [])))


def _block(api: API, event: Event) -> bytes:
    if api == "chat" or not isinstance(event.get("type"), str):
        return b"data: %s\n\n" % encode_json(event)
    return b"event: %s\ndata: %s\n\n" % (event["type"].encode("utf-8", "replace"), encode_json(event))


@st.composite
def _answered(draw: st.DrawFn, api: API) -> list[Event]:
    pieces = draw(st.lists(model_texts("plain") | model_texts(), min_size=1, max_size=4))
    return _events(api, pieces, draw(st.integers(1, 10**6).map(str)))


def _error_event(api: API, failure: Failure) -> Event:
    error = _MODEL_APIS[api].error_response(failure).body
    return {"type": "error", **error["error"]} if api == "responses" else dict(error)


@st.composite
def _failed(draw: st.DrawFn, api: API) -> ModelStream:
    """Draw an answer that ends in an error: as the real service sends it, or any error at any position."""
    failure = Failure(draw(st.sampled_from(FAILURE_KINDS)))
    model_api = _MODEL_APIS[api]
    own = model_api.error_events(failure, "1", request={"model": "m"})
    as_real_service = draw(st.booleans())
    if own and as_real_service:
        return ModelStream(api, tuple(map(model_api.encode_event, own)))
    events = draw(_answered(api))
    sent = events[: draw(st.integers(0, len(events) - 1))]
    return ModelStream(api, tuple(_block(api, event) for event in [*sent, _error_event(api, failure)]))


@st.composite
def _truncated(draw: st.DrawFn, api: API) -> ModelStream:
    body = _stream(api, draw(_answered(api))).body
    return ModelStream(api, (body[: draw(st.integers(0, len(body) - 1))],))


@st.composite
def _repeated(draw: st.DrawFn, api: API) -> ModelStream:
    """Draw an answer that is repeated in part or as a whole."""
    blocks = _stream(api, draw(_answered(api))).blocks
    start = draw(st.integers(0, len(blocks) - 1))
    end = draw(st.integers(start + 1, len(blocks)))
    return ModelStream(api, (*blocks[:end], *blocks[start:]))


@st.composite
def _interleaved(draw: st.DrawFn, api: API) -> ModelStream:
    """Draw two answers interleaved in one stream; each keeps its order."""
    left, right = (list(_stream(api, draw(_answered(api))).blocks) for _ in range(2))
    blocks: list[bytes] = []
    while left and right:
        blocks.append((left if draw(st.booleans()) else right).pop(0))
    return ModelStream(api, (*blocks, *left, *right))


_UNKNOWN: Final[tuple[Event, ...]] = (
    {"type": "moon.risen", "moon": "full"},
    {"type": "response.moon.delta", "item_id": "moon", "delta": "moon"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "moon_delta", "moon": "x"}},
    {"id": "moon", "object": "chat.completion.chunk", "choices": [], "moon": 1},
    {"type": "ping", "moon": None},
)
_UNKNOWN_BLOCKS: Final[st.SearchStrategy[bytes]] = st.one_of(
    st.sampled_from(_UNKNOWN).map(lambda event: b"data: %s\n\n" % encode_json(event)),
    st.sampled_from([b": moon\n\n", b"event: moon\ndata: {}\n\n", b"retry: 5\n\n", b"id: moon\nmoon\n\n"]),
)
_NAMES = st.sampled_from([b"", b"event: content_block_delta\n", b"event: error\n"])
_BROKEN: Final[st.SearchStrategy[bytes]] = st.one_of(
    st.sampled_from(
        [
            b"{", b"null", b"[]", b'"\xd7"', b"\xff\xfe", b"1" * 5_000, b"[" * 100_000, b'{"a":' * 5_000,
            b"\x00{}", b"\xef\xbb\xbf{}", b'{"type":NaN}', b"{} {}", b"<html>", b"[DONE]", b"",
            b'{"type":"response.output_text.delta","delta":"\\ud800"}', b"\r", b'{"choices":[{"delta":{}}]}',
            b'{"error":null}', b'{"error":"x"}', b'{"error":{"message":5}}', b'{"type":"error"}',
        ]
    ).flatmap(lambda data: _NAMES.map(lambda name: b"%sdata: %s\n\n" % (name, data))),
    st.binary(max_size=40),
    any_json.map(lambda value: b"data: %s\n\n" % encode_json(value)),
)  # fmt: skip


@st.composite
def _with_noise(draw: st.DrawFn, api: API, strange: st.SearchStrategy[bytes]) -> ModelStream:
    """Draw an answer with strange blocks inserted, or replacing its blocks."""
    blocks = list(_stream(api, draw(_answered(api))).blocks)
    for block in draw(st.lists(strange, min_size=1, max_size=3)):
        at = draw(st.integers(0, len(blocks)))
        blocks[at : at + draw(st.integers(0, 1))] = [block]
    return ModelStream(api, tuple(blocks))


@st.composite
def _altered_stream(draw: st.DrawFn, api: API) -> ModelStream:
    events = draw(_answered(api))
    at = draw(st.integers(0, len(events) - 1))
    events[at] = draw(altered(events[at]))
    return _stream(api, events)


def _typical(api: API) -> st.SearchStrategy[ModelStream]:
    return st.just(_stream(api, _events(api, ["שלום"], "1")))


def _of(api: API, kind: BodyKind) -> list[st.SearchStrategy[ModelStream]]:
    table: dict[BodyKind, list[st.SearchStrategy[ModelStream]]] = {
        "answered": [_typical(api), _answered(api).map(lambda events: _stream(api, events))],
        "failed": [_failed(api)],
        "truncated": [_truncated(api)],
        "repeated": [_repeated(api)],
        "interleaved": [_interleaved(api)],
        "unknown": [_with_noise(api, _UNKNOWN_BLOCKS)],
        "altered": [_altered_stream(api)],
        "malformed": [
            _with_noise(api, _BROKEN),
            st.binary(max_size=60).map(lambda b: ModelStream(api, (b,))),
        ],
        "page": [st.sampled_from([_STREAM, "text/html"]).map(lambda kind: ModelStream(api, (_PAGE,), kind))],
    }
    return table[kind]


def model_streams(*kinds: BodyKind, api: API | None = None) -> st.SearchStrategy[ModelStream]:
    """Return a strategy for the stream of a model service after status 200.

    ``answered``; ``failed``: ended by an error, as the real service sends it or at any position;
    ``truncated`` after any byte; ``repeated`` in part; ``interleaved``: two answers in one stream;
    ``unknown`` events and lines inserted; ``altered``: one part of one event is missing or replaced;
    ``malformed``: bytes that are not events; ``page``: the HTML page of a proxy.

    Args:
        kinds: the kinds to draw from; all if none is named.
        api: OpenAI's ``responses`` or ``chat`` completions, or Anthropic's ``messages``; None draws all.

    >>> from hypothesis import find
    >>> stream = find(model_streams(api="chat"), lambda stream: True)
    >>> stream.body.count(b"data: "), "שלום" in stream.body.decode()
    (5, True)
    """
    apis = APIS if api is None else (api,)
    return of_kinds(
        "model_streams",
        {kind: [strategy for one in apis for strategy in _of(one, kind)] for kind in BODY_KINDS},
        kinds,
    )
