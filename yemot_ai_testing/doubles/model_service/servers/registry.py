"""All servers, by the names for ``ModelServer(quirks=…)``.

>>> find_server("ollama").name
'ollama'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai_testing.doubles.model_service.servers.anthropic import ANTHROPIC, ANTHROPIC_COMPATIBLE
from yemot_ai_testing.doubles.model_service.servers.azure import AZURE
from yemot_ai_testing.doubles.model_service.servers.bedrock import BEDROCK
from yemot_ai_testing.doubles.model_service.servers.deepseek import DEEPSEEK
from yemot_ai_testing.doubles.model_service.servers.gateways import NEW_API, NINE_ROUTER, TRT_LLM
from yemot_ai_testing.doubles.model_service.servers.gemini import GEMINI
from yemot_ai_testing.doubles.model_service.servers.groq import GROQ
from yemot_ai_testing.doubles.model_service.servers.llama_cpp import (
    LLAMA_CPP,
    LLAMA_CPP_OLD,
    LLAMA_CPP_PYTHON,
)
from yemot_ai_testing.doubles.model_service.servers.lm_studio import LM_STUDIO
from yemot_ai_testing.doubles.model_service.servers.mistral import MISTRAL
from yemot_ai_testing.doubles.model_service.servers.ollama import OLLAMA, OLLAMA_OLD
from yemot_ai_testing.doubles.model_service.servers.openai import OPENAI
from yemot_ai_testing.doubles.model_service.servers.openrouter import OPENROUTER
from yemot_ai_testing.doubles.model_service.servers.streamed_errors import DASHSCOPE, DEEPINFRA
from yemot_ai_testing.doubles.model_service.servers.together import TOGETHER
from yemot_ai_testing.doubles.model_service.servers.vllm import VLLM, VLLM_OLD, VLLM_UNPARSED
from yemot_ai_testing.doubles.model_service.servers.xai import XAI

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yemot_ai_testing.doubles.model_service.served import ServerQuirks

__all__ = ["SERVERS", "find_server"]

SERVERS: Final[Mapping[str, ServerQuirks]] = {
    server.name: server
    for server in (
        OPENAI,
        ANTHROPIC,
        ANTHROPIC_COMPATIBLE,
        AZURE,
        BEDROCK,
        DASHSCOPE,
        DEEPINFRA,
        DEEPSEEK,
        GEMINI,
        GROQ,
        LLAMA_CPP,
        LLAMA_CPP_OLD,
        LLAMA_CPP_PYTHON,
        LM_STUDIO,
        MISTRAL,
        NEW_API,
        NINE_ROUTER,
        OLLAMA,
        OLLAMA_OLD,
        OPENROUTER,
        TOGETHER,
        TRT_LLM,
        VLLM,
        VLLM_OLD,
        VLLM_UNPARSED,
        XAI,
    )
}


def find_server(name: str) -> ServerQuirks:
    """Return the server with this name.

    Raises:
        ValueError: there is no such server; the message lists the names.
    """
    if name not in SERVERS:
        raise ValueError(f"no server {name!r}: quirks is one of {', '.join(SERVERS)}")
    return SERVERS[name]
