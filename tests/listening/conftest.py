from __future__ import annotations

from collections.abc import Iterator

import pytest

from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing.doubles.platform_server import PlatformServer
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    provider = ScriptedProvider()
    yield provider
    provider.assert_complete()


@pytest.fixture
def flow(provider: ScriptedProvider) -> AIFlow:
    return AIFlow(YemotAI(provider=provider))


@pytest.fixture
def platform() -> Iterator[PlatformServer]:
    with PlatformServer() as platform:
        yield platform
