"""Hypothesis strategies for everything that meets on such a line, valid, odd and hostile.

Each is a function. It takes the names of the kinds that are wanted, and gives all of them without; its
docstring lists them. They shrink towards what a person would write: "שלום", 0500000000, one turn::

    >>> from hypothesis import given, settings
    >>> from yemot_ai.protocol import Request
    >>> @settings(max_examples=20)
    ... @given(requests("odd_ids", "hostile"))
    ... def no_request_is_refused(sent):
    ...     Request.parse(sent)
    >>> no_request_is_refused()
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
