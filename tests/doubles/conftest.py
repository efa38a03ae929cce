"""A model service, and the bare SDK of OpenAI as its client."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

from yemot_ai_testing import ModelServer


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as model:
        yield model


@pytest.fixture
def client(model: ModelServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="none", base_url=model.base_url, max_retries=0, timeout=10) as client:
        yield client
