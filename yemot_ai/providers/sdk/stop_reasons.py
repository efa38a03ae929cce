"""Why a model stopped: one table of what services say.

>>> cut_reason("stop"), cut_reason(None), cut_reason("FINISH_REASON_STOP"), cut_reason("length")
('', '', '', 'length')
>>> stop_error("SAFETY").kind, stop_error("model_context_window_exceeded").kind, stop_error("length").kind
('refused_request', 'context_overflow', 'empty')

The words are compared without their case and signs: ``eosFound``, ``EOS_FOUND`` and ``eos-found`` are one. A
reason that is not in the table is that of a cut answer: a caller who hears that a whole answer was cut loses
less than one who takes a cut answer for a whole one.
"""

from __future__ import annotations

import re
from typing import Final

from yemot_ai.errors import (
    AnswerEmptyError,
    ContextOverflowError,
    OverloadedError,
    ProviderError,
    RefusedRequestError,
)
from yemot_ai.providers.answer_filter.marks import Mark, mark_at

__all__ = ["cut_reason", "interrupts_calls", "stop_error", "stop_reason"]

MAX_LENGTH: Final = 60
"""Characters of a reason that are kept."""

# "null" as a text: ai00_server#90, DashScope. "not_finished": watsonx. Gemini's enumerations have a value
# for "none".
_NONE: Final = frozenset({"", "null", "none", "unspecified", "notfinished", "undefined"})

# OpenAI, Anthropic and Bedrock; TGI and Together (eos, eos_token: openai-dotnet#267); Cohere (COMPLETE);
# LM Studio (eosFound, stopStringFound); AI21 (endoftext).
_WHOLE: Final = frozenset({
    "stop", "stopped", "endturn", "endofturn", "stopsequence", "stoptoken", "stopword", "stopstringfound",
    "eos", "eostoken", "eosfound", "endoftext", "complete", "completed", "finish", "finished", "done", "end",
    "success", "normal",
})  # fmt: skip

# OpenAI, Azure, Anthropic (refusal), Gemini, Zhipu (sensitive), Bedrock, Cohere (ERROR_TOXIC).
_REFUSED: Final = frozenset({
    "contentfilter", "contentfiltered", "refusal", "refused", "safety", "blocklist", "prohibitedcontent",
    "spii", "recitation", "sensitive", "guardrailintervened", "errortoxic", "moderation", "flagged",
})  # fmt: skip

# Anthropic and Zhipu; Cohere (ERROR_LIMIT); LM Studio; Reka (context).
_OVERFLOW: Final = frozenset({
    "modelcontextwindowexceeded", "contextlengthexceeded", "contextlengthreached", "contextwindowexceeded",
    "contextlength", "context", "modellength", "errorlimit",
})  # fmt: skip

# DeepSeek, Zhipu (network_error), vLLM and SGLang (abort), OpenRouter (error), watsonx, LM Studio.
_BROKEN: Final = frozenset({
    "insufficientsystemresource", "networkerror", "abort", "aborted", "error", "cancelled", "canceled",
    "timelimit", "timeout", "failed", "modelunloaded", "unload", "overloaded", "servererror",
})  # fmt: skip

# OpenAI, Anthropic; Gemini and Vertex; AI21, watsonx and TGI.
_LIMIT: Final = frozenset({
    "length", "maxtokens", "maxoutputtokens", "maxlength", "maxtokenreached", "tokenlimit", "incomplete",
})  # fmt: skip

_PREFIX: Final = re.compile(r"^(?:finishreason|stopreason|reason)(?=.)")


def stop_reason(reason: object) -> str:
    """Return the service's word for why the model stopped; empty if it has not said it.

    Args:
        reason: a field such as ``finish_reason`` or ``stop_reason``.
    """
    return "" if reason is None or _key(reason) in _NONE else str(reason)[:MAX_LENGTH]


def cut_reason(reason: object) -> str:
    """Return why an answer was cut, from the reason why the model stopped; empty for a whole answer."""
    word = stop_reason(reason)
    return "" if _key(word) in _WHOLE or _is_end_token(word) else word


def interrupts_calls(reason: object) -> bool:
    """Return whether a model that stopped for this reason has not finished its calls of tools."""
    return _key(reason) in _LIMIT | _REFUSED | _OVERFLOW | _BROKEN


def stop_error(reason: object) -> type[ProviderError]:
    """Return the class of error for a model that stopped before its first word."""
    key = _key(reason)
    if key in _REFUSED:
        return RefusedRequestError
    if key in _OVERFLOW:
        return ContextOverflowError
    return OverloadedError if key in _BROKEN else AnswerEmptyError


def _key(reason: object) -> str:
    return _PREFIX.sub("", re.sub(r"[\W_]", "", str(reason).lower()))


def _is_end_token(word: str) -> bool:
    """Return whether a reason is the token itself that ended the answer, ``<|eot_id|>`` (Together)."""
    mark = mark_at(word, 0) if word.startswith("<") else None
    return isinstance(mark, Mark) and mark.kind == "turn end"
