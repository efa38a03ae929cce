"""Strategies for responses and for their texts."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from hypothesis import strategies as st

from yemot_ai.protocol import Action, Play, Response, SimpleAnswer, Text
from yemot_ai_testing.property.strategies.actions import chained_actions, final_actions
from yemot_ai_testing.property.strategies.kinds import KindTable, of_kinds
from yemot_ai_testing.property.strategies.texts import model_texts
from yemot_ai_testing.property.strategies.words import (
    INJECTIONS,
    ODD_TEXTS,
    STRUCTURE,
    any_text,
    concatenated,
)

__all__ = [
    "ResponseKind",
    "ResponseTextKind",
    "response_texts",
    "responses",
]

ResponseKind: TypeAlias = Literal["actions", "simple"]
ResponseTextKind: TypeAlias = Literal["valid", "mutated", "careless", "pieces", "junk"]


def _chained(first: list[Action], last: Action, log: bool) -> Response:  # noqa: FBT001 - drawn
    return Response([*first, last], log=log)


def _simple(word: str, log: bool) -> Response:  # noqa: FBT001 - drawn
    return Response([SimpleAnswer(word)], log=log)


_LOGGED = st.sampled_from([True, False])
_RESPONSES: Final[KindTable[ResponseKind, Response]] = {
    "actions": [
        st.just(Response([Play([Text("שלום")])])),
        st.builds(_chained, st.lists(chained_actions, max_size=2), final_actions, _LOGGED),
    ],
    "simple": [st.builds(_simple, st.sampled_from(["OK", "Incorrect-ID", "x_1", "תודה"]), _LOGGED)],
}


def responses(*kinds: ResponseKind) -> st.SearchStrategy[Response]:
    """Return a strategy for valid responses with every action, message, mode and field.

    Args:
        kinds: ``actions``, ``simple`` (a bare word); both if none is named.

    >>> from hypothesis import find
    >>> str(find(responses(), lambda response: True))
    'id_list_message=t-שלום'
    """
    return of_kinds("responses", _RESPONSES, kinds)


@st.composite
def _mutated(draw: st.DrawFn) -> str:
    """Draw a response with up to three parts removed, doubled or replaced."""
    text = str(draw(responses()))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 12)))
        new = draw(st.sampled_from(["", text[start:end] * 2, *STRUCTURE]))
        text = text[:start] + new + text[end:]
    return text


_PIECES = st.sampled_from(
    [*STRUCTURE, *INJECTIONS, *ODD_TEXTS, "Api", "x", "voice", "record", "yes", "no", "Ok", "1"]
)
_RESPONSE_TEXTS: Final[KindTable[ResponseTextKind, str]] = {
    "valid": [st.just("id_list_message=t-שלום"), responses().map(str)],
    "mutated": [_mutated()],
    "careless": [model_texts().map("id_list_message=t-{}&go_to_folder=/1".format)],
    "pieces": [concatenated(_PIECES, max_size=14)],
    "junk": [any_text],
}


def response_texts(*kinds: ResponseTextKind) -> st.SearchStrategy[str]:
    """Return a strategy for the text of a response, valid or not.

    ``valid``; ``mutated``: a valid response with parts removed, doubled or replaced; ``careless``: a model's
    text in a response without escaping; ``pieces`` of responses in any order; ``junk``.

    Args:
        kinds: the kinds to draw from; all if none is named.

    >>> from hypothesis import find
    >>> find(response_texts(), lambda text: True), find(response_texts("careless"), lambda text: True)
    ('id_list_message=t-שלום', 'id_list_message=t-שלום&go_to_folder=/1')
    """
    return of_kinds("response_texts", _RESPONSE_TEXTS, kinds)
