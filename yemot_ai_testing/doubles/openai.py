"""OpenAI's Responses API, Chat Completions and transcription, mocked in this process.

>>> from yemot_ai import YemotAI
>>> with OpenAIMock() as openai:
...     _ = openai.answers("בשמונה")
...     YemotAI("openai", openai_api_key="test").reply("c1", "מתי פותחים?")
'בשמונה'
>>> openai.requests[0].prompt
'מתי פותחים?'
"""

from __future__ import annotations

from typing import ClassVar

from yemot_ai_testing.doubles.model_service import chat as chat_api
from yemot_ai_testing.doubles.model_service import responses as responses_api
from yemot_ai_testing.doubles.model_service import transcription as transcription_api
from yemot_ai_testing.doubles.model_service.api import ModelAPI
from yemot_ai_testing.doubles.script import ScriptableService, Transcription
from yemot_ai_testing.doubles.sdk_mocks import MockedService

__all__ = ["OpenAIMock"]


class OpenAIMock(MockedService, ScriptableService):
    """Answers the requests of OpenAI's SDK, and of whoever is compatible with it.

    Use it as a context manager, or ask for the fixture ``openai_mock``.
    """

    service_name = "OpenAI"
    apis: ClassVar[tuple[ModelAPI, ...]] = (responses_api, chat_api, transcription_api)
    supported_steps: ClassVar[tuple[type, ...]] = (*MockedService.supported_steps, Transcription)
