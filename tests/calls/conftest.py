from __future__ import annotations

from collections.abc import Iterator

import pytest

from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    provider = ScriptedProvider()
    yield provider
    provider.assert_complete()
