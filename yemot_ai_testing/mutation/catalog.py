"""All mutations.

>>> len(MUTATIONS) > 30
True
>>> select(["hangup-ignored"])[0].effect
'After a hang-up the call stays open: its session, its model, its process.'
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

from yemot_ai_testing.mutation.errors import UnknownMutationError
from yemot_ai_testing.mutation.faults import answers, providers, questions, requests, stores, tools, wording
from yemot_ai_testing.mutation.mutation import Mutation, mutations_of

__all__ = ["MUTATIONS", "select"]

MUTATIONS: Final[tuple[Mutation, ...]] = tuple(
    mutation
    for module in (wording, questions, answers, requests, providers, tools, stores)
    for mutation in mutations_of(module)
)


def select(ids: Sequence[str]) -> tuple[Mutation, ...]:
    """Return the mutations with these ids; all without any.

    Raises:
        UnknownMutationError: there is no such mutation.
    """
    known = {mutation.id: mutation for mutation in MUTATIONS}
    for name in ids:
        if name not in known:
            raise UnknownMutationError(name, tuple(difflib.get_close_matches(name, known, n=3)))
    return tuple(known[name] for name in dict.fromkeys(ids)) or MUTATIONS
