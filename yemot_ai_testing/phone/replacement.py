"""Replace the model of every ``YemotAI`` that an application creates, and nothing else that is heard."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from yemot_ai import AIFlow, YemotAI
from yemot_ai.providers import Provider
from yemot_ai.sessions import MemoryStore
from yemot_ai_testing.hunt.replacement import (
    KEY_VARIABLES,
    MODEL_ARGUMENTS,
    PLACEHOLDER,
    PathRecordings,
    check_declaration,
    with_replaced_provider,
)
from yemot_ai_testing.phone.model import PhoneModel
from yemot_ai_testing.processes.environment import set_variables

__all__ = ["replaced_models"]


@contextmanager
def replaced_models(model: PhoneModel) -> Iterator[list[YemotAI]]:
    """Replace the models and stores of what is created in this context; yield each ``YemotAI``, in order."""
    created: list[YemotAI] = []
    declared: dict[YemotAI, Provider | None] = {}
    create, add_agent = YemotAI.__init__, AIFlow.ai_agent

    def create_replaced(ai: YemotAI, mode: str | None = None, **settings: Any) -> None:  # noqa: ANN401 - as YemotAI
        declared[ai] = check_declaration(create, mode, settings, model)
        kept = {name: value for name, value in settings.items() if name not in MODEL_ARGUMENTS}
        replaced = {"provider": model, "transcriber": model, "recordings": PathRecordings()}
        create(ai, **{**kept, **replaced, "store": MemoryStore()})
        created.append(ai)

    def add_replaced(flow: AIFlow, *args: Any, **settings: Any) -> Any:  # noqa: ANN401 - as AIFlow.ai_agent
        own = with_replaced_provider(create, settings, model, declared.get(flow.ai))
        return add_agent(flow, *args, **own)

    missing = {name: PLACEHOLDER for name in KEY_VARIABLES if not os.environ.get(name)}
    variables = set_variables(missing)
    YemotAI.__init__ = create_replaced  # type: ignore[method-assign,assignment]  # restored below
    AIFlow.ai_agent = add_replaced  # type: ignore[method-assign,assignment]  # restored below
    try:
        yield created
    finally:
        YemotAI.__init__, AIFlow.ai_agent = create, add_agent  # type: ignore[method-assign]  # as above
        set_variables(variables)
