"""Hypothesis strategies for requests, responses, callers, model texts and streams: valid, odd and hostile.

Each is a function that takes the kinds to draw from, by default all; its docstring lists them. Examples
shrink to what a person would write: "שלום", 0500000000, one turn::

    >>> from hypothesis import given, settings
    >>> from yemot_ai.protocol import Request
    >>> @settings(max_examples=20)
    ... @given(requests("odd_ids", "hostile"))
    ... def test_every_request_is_parsed(request):
    ...     Request.parse(request)
    >>> test_every_request_is_parsed()
"""

from __future__ import annotations

from yemot_ai_testing.property.strategies.call_scripts import ScriptTurnKind, call_scripts
from yemot_ai_testing.property.strategies.callers import CallerKind, callers
from yemot_ai_testing.property.strategies.codex import CodexStream, StreamKind, codex_streams
from yemot_ai_testing.property.strategies.ext_ini import IniKind, ext_inis
from yemot_ai_testing.property.strategies.model_streams import BodyKind, ModelStream, model_streams
from yemot_ai_testing.property.strategies.requests import RawRequest, RequestKind, requests
from yemot_ai_testing.property.strategies.responses import (
    ResponseKind,
    ResponseTextKind,
    response_texts,
    responses,
)
from yemot_ai_testing.property.strategies.texts import TextKind, model_texts
from yemot_ai_testing.property.strategies.values import ValueKind, values

__all__ = [
    "BodyKind",
    "CallerKind",
    "CodexStream",
    "IniKind",
    "ModelStream",
    "RawRequest",
    "RequestKind",
    "ResponseKind",
    "ResponseTextKind",
    "ScriptTurnKind",
    "StreamKind",
    "TextKind",
    "ValueKind",
    "call_scripts",
    "callers",
    "codex_streams",
    "ext_inis",
    "model_streams",
    "model_texts",
    "requests",
    "response_texts",
    "responses",
    "values",
]
