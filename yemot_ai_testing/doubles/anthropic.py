"""Anthropic's Messages API, mocked in this process.

>>> from yemot_ai import YemotAI
>>> with AnthropicMock() as anthropic:
...     _ = anthropic.answers("בשמונה")
...     YemotAI("anthropic", anthropic_api_key="test").reply("c1", "מתי פותחים?")
'בשמונה'
>>> anthropic.requests[0].prompt
'מתי פותחים?'
"""

from __future__ import annotations

from typing import ClassVar

from yemot_ai_testing.doubles.model_service import messages as messages_api
from yemot_ai_testing.doubles.model_service.api import ModelAPI
from yemot_ai_testing.doubles.sdk_mocks import MockedService

__all__ = ["AnthropicMock"]


class AnthropicMock(MockedService):
    """Answers the requests of Anthropic's SDK.

    Use it as a context manager, or ask for the fixture ``anthropic_mock``.
    """

    service_name = "Anthropic"
    apis: ClassVar[tuple[ModelAPI, ...]] = (messages_api,)
