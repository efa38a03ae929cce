from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.flow_line import Line
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    provider = ScriptedProvider()
    yield provider
    provider.assert_complete()


@pytest.fixture
def ai(provider: ScriptedProvider) -> YemotAI:
    return YemotAI(provider=provider)


@pytest.fixture
def flow(ai: YemotAI) -> AIFlow:
    return AIFlow(ai)


@pytest.fixture
def line(flow: AIFlow) -> Line:
    return Line(flow)
