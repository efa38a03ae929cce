"""The table of refusals: which error a code, a wording or a status means.

The first row that matches decides. Rows with words come before the status, because services use one status
for several meanings: 429 is a rate limit, an empty account (OpenAI) or a request that never fits (OpenAI,
Groq); 403 is a wrong key or refused words (OpenRouter, xAI); 400 and 500 are anything. Specific words come
before codes, because Groq calls a request that never fits ``rate_limit_exceeded``; codes of one meaning come
before general words, because Gemini says "exceeded your current quota" of a limit of a minute.

Each row names where its texts are from: an issue of a project (``project#number``), or ``docs`` for the
service's documentation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from yemot_ai.errors import (
    AuthenticationError,
    ContextOverflowError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    RefusedRequestError,
    SessionLostError,
    UnknownModelError,
)
from yemot_ai.providers.refusals.body import ErrorBody

__all__ = ["refusal_kind"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: it matches a body with one of the codes, or with one of the words.

    Attributes:
        kind: the error.
        words: patterns of the message and the codes, in any case.
        codes: codes, types and reasons, in lower case.
        statuses: the row is for these statuses only (None: no status is known); empty for any. A row with
            neither words nor codes matches by its status.
    """

    kind: type[ProviderError]
    words: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    statuses: tuple[int | None, ...] = ()

    def matches(self, body: ErrorBody, codes: frozenset[str]) -> bool:
        """Return whether the row is for this body."""
        if self.statuses and body.status not in self.statuses:
            return False
        if not self.words and not self.codes:
            return True
        text = f"{body.message}\n{' '.join(body.codes)}"
        return not codes.isdisjoint(self.codes) or any(
            re.search(pattern, text, re.IGNORECASE) for pattern in self.words
        )


def refusal_kind(body: ErrorBody) -> type[ProviderError] | None:
    """Return the class of error for a refusal; None if no row matches.

    >>> refusal_kind(ErrorBody("Context size has been exceeded.", ("server_error",), 500)).kind
    'context_overflow'
    """
    # Bedrock: "com.amazon.coral.service#ThrottlingException".
    codes = frozenset(code.lower().rpartition("#")[2] for code in body.codes)
    return next((row.kind for row in ROWS if row.matches(body, codes)), None)


ROWS: Final = (
    # The account is empty; Moonshot and DashScope close it until it is paid. Moonshot, DashScope: docs.
    Row(
        QuotaExceededError,
        (r"insufficient (?:quota|credits?|balance|funds)", r"budget has been exceeded"),
        (
            "insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "billing_error",
            "insufficient_balance", "insufficient_credits", "usage_limit_reached", "usage_not_included",
            "exceeded_current_quota_error", "arrearage", "budget_exceeded",
        ),
    ),
    # The account is closed, in the words of a policy. openai/codex#30271; Anthropic docs.
    Row(
        AuthenticationError,
        (
            r"\b(?:account|access|api key) .{0,40}(?:deactivated|disabled|suspended|banned|terminated)",
            r"\b(?:organi[sz]ation|project|workspace) .{0,40}(?:deactivated|disabled|suspended|banned)",
        ),
        ("account_deactivated", "account_suspended", "organization_deactivated"),
    ),
    # This request's words. OpenAI and Codex: openai/codex#7250, #38849, #21207. Azure: openai-python#331,
    # compl-ai#20. OpenRouter 403: docs, 9router#4059. xAI 403: inspect_ai#2267. Anthropic: claude-code#58367,
    # #60366. Gemini: block reasons of the docs. Bedrock guardrails, DashScope, DeepSeek: docs.
    Row(
        RefusedRequestError,
        (
            r"\b(?:input|prompt|message|content|request|output|chat|text)s? (?:was|were|has been|is) flagged",
            r"flagged (?:as|for|by) ",
            r"content[ -](?:management|filter(?:ing|s)?|moderation|safety|usage)? ?polic(?:y|ies)",
            r"usage (?:polic(?:y|ies)|guidelines)",
            r"violat\w* .{0,30}(?:polic|guidelines|terms of)",
            r"safety[_ ](?:system|check|filter|settings|reasons)",
            r"blocked (?:by|due to) .{0,30}(?:content|safety|moderation|recitation|polic)|block_?reason",
            r"content[ _-](?:is |was )?(?:blocked|restrict|filter)|content exists risk|\bflagged_input\b",
            r"(?:unsafe|harmful|inappropriate|offensive)[ _](?:content|input|prompt|language|text)",
            r"(?:disallowed|prohibited|sensitive)[ _](?:content|use|words|material)",
            r"requires moderation|content moderation|moderation (?:failed|error|filter|system|service)",
            r"\bhate speech\b",
            r"\w_policy(?:_violation)?\b|敏感|违规",
        ),
        (
            "content_filter", "content_filtered", "content_policy_violation", "responsibleaipolicyviolation",
            "invalid_prompt", "moderation_blocked", "moderation_error", "content_blocked", "cyber_policy",
            "prohibited_content", "safety", "blocklist", "guardrail_intervened", "data_inspection_failed",
            "datainspectionfailed",
        ),
        (None, 400, 403, 406, 409, 422, 451, 500),
    ),
    Row(RefusedRequestError, statuses=(451,)),
    # The conversation: a new one helps against each fault of its id and of its items. OpenAI: docs,
    # openai/codex#8119, continue#8933, bifrost#2441, CLIProxyAPI#2381, oh-my-pi#2341, vendo#1004.
    # vLLM: litellm#26147. LM Studio: lmstudio-bug-tracker#1188.
    # llama.cpp has no conversations: its source.
    Row(
        SessionLostError,
        (
            r"previous[_ ]response|\bresponse_id\b",
            r"\bresponse (?:with )?(?:the )?(?:id )?['\"`]?[\w.-]+['\"`]? (?:was |could )?not (?:be )?found",
            r"\bresponse (?:with )?(?:the )?(?:id )?['\"`]?[\w.-]+['\"`]? (?:has |is )?(?:expired|no longer)",
            r"\bresponse not found|no (?:such )?response (?:found|with)|\bresp_\w+ has been deleted",
            r"(?:not|n't) (?:find|load|retrieve) .{0,20}\bresponse\b",
            r"zero data retention|items are not persisted|prediction history node",
            r"encrypted content\b.{0,300}could not be (?:verified|decrypted)",
            r"without its required (?:following|preceding) item|no tool (?:output|call) found for",
            r"no rollout found|\b(?:thread|session|conversation)\b.{0,80} not found",
        ),
        (
            "previous_response_not_found", "response_not_found", "conversation_not_found",
            "invalid_encrypted_content",
        ),
        (None, 400, 404, 405, 409, 410, 422, 500, 501),
    ),
    Row(
        SessionLostError,
        (
            r"\bresp_\w|\bunknown response\b",
            r"\bresponse\b.{0,60}(?:does not exist|doesn't exist|no longer|expired|deleted|gone)\b",
        ),
        statuses=(404, 410),
    ),
    # The output, not the conversation, is too long: shorter history cannot help. Roo-Code#5729, crush#946.
    Row(
        ProviderError,
        (r"must be less than or equal to|supports at most \d+ completion|maximum tokens you requested",),
    ),
    # A limit of tokens a minute. Bedrock: MARRVEL_MCP#225, claude-code#236. xAI: cline#4826.
    Row(
        RateLimitedError,
        (r"too many tokens(?:, please wait| for (?:team|organi[sz]ation|project)\b|.{0,20}\bminute\b)",),
        ("throttlingexception", "toomanyrequestsexception", "throttling"),
    ),
    # The conversation is too long. A survey of services: earendil-works/pi#129, #4943, #5677, #5929.
    # vLLM: #36789. llama.cpp: #15780, #19774. LM Studio: lmstudio-bug-tracker#237, #2256.
    # sglang: billion-context#493. Groq 413: gpt-researcher#985. OpenAI 429: vanna-flask#11.
    # Together: litellm#4934. Anthropic: openclaw#20539.
    # Gemini, xAI, Mistral, Bedrock, Moonshot, DashScope: pi#129 and docs.
    Row(
        ContextOverflowError,
        (
            r"request (?:entity |body )?too large|exceeds the maximum size",
            r"context[_ ](?:window|length|size|limit)|context the overflows",
            r"maximum (?:context|model|prompt|request|sequence|allowed input|input) length",
            r"max(?:imum)?_(?:model|seq|context|input)_len",
            r"(?:prompt|input|inputs|request|message|messages) (?:is |are )?too (?:long|large)",
            r"prompt contains \d+ tokens|max_(?:completion_)?tokens must be at least 1, got -\d",
            r"\binput (?:length|tokens?|token count)\b.{0,60}(?:exceed|longer|greater|too)",
            r"exceeds? the maximum number of (?:input )?tokens|exceed\w* (?:model )?token limit",
            r"too many (?:input |total )?tokens",
            r"reduce (?:the |your )?(?:length|number|size|message|prompt|input)",
            r"inputs?`? tokens \+|longer than the model|range of input length",
            r"tokens to keep from the initial prompt|keep the first \d+ tokens",
            r"(?:string|array) too long",
        ),
        (
            "context_length_exceeded", "context_window_exceeded", "model_context_window_exceeded",
            "contextwindowexceedederror", "exceed_context_size_error", "request_too_large",
            "string_above_max_length", "array_above_max_length", "tokens_limit_reached",
        ),
    ),
    # The account. OpenAI, Anthropic, OpenRouter, xAI, DeepSeek: docs. Codex: codex2api#9, openai/codex#28208.
    Row(
        QuotaExceededError,
        (
            r"credit balance|payment required",
            r"(?:requires|out of|used all available|no|not enough|purchase) (?:more )?credits",
            r"credits? (?:are|is|have been) (?:depleted|exhausted|used up)",
            r"balance is too low|account balance",
            r"(?:spending|spend|billing(?: hard)?|key|usage|monthly|credit) (?:limit|cap)",
        ),
    ),
    # Too many requests. Gemini: page-assist#406, continue#11450. Mistral: raycast/extensions#31107.
    # OpenRouter: openclaude#936, pando#8. Azure: docs.
    Row(
        RateLimitedError,
        (
            r"rate[ _]limit|too many requests|throttl|tokens per min|requests per (?:min|day|hour|second)",
            r"resource (?:has been )?exhausted",
        ),
        (
            "rate_limit_exceeded", "rate_limit_error", "rate_limited", "resource_exhausted",
            "too many requests", "ratelimitexceeded", "too_many_requests", "1300",
        ),
    ),
    Row(QuotaExceededError, (r"\bquota\b",)),
    # An overflow in general words, which an error of the output has too.
    Row(ProviderError, (r"output tokens|max(?:_\w+)?_tokens",), statuses=(400, 422)),
    Row(
        ContextOverflowError,
        (
            r"\btokens?\b.{0,60}(?:exceed|less than|longer)|exceed\w* .{0,60}\btokens?\b",
            r"(?:prompt|input|conversation|messages?|history|text)\b.{0,40}(?:exceeds?|longer than|not fit)",
            r"(?:conversation|history|text) (?:is |are )?too (?:long|large)|context (?:is |was )?full",
            r"(?:fit|longer than|exceeds?) .{0,20}context",
        ),
        statuses=(None, 400, 413, 422, 500, 503),
    ),
    # The model. OpenAI, Anthropic, Azure: docs. OpenRouter: lobehub#19315, opencode#1558,
    # truefoundry/models#826. Mistral: langchaingo#1233. Together: puter#3168. LM Studio: lms#107.
    # Ollama: OpenBiliClaw#12. Bedrock: claude-code#1466. Groq, Gemini: docs.
    Row(
        UnknownModelError,
        (
            r"(?:^|: )model: |unknown model|invalid model\b|model[_ ]not[_ ]found",
            r"not a (?:valid|supported) model|\bmodels?\b[^\n]{0,120}\bnot in the list",
            r"\bmodels?\b[^\n]{0,120}\b(?:not found|does not exist|doesn't exist|not a valid|not available)",
            r"\bmodels?\b[^\n]{0,120}\b(?:is|are) not supported",
            r"\bmodels?\b[^\n]{0,120}\bhas been (?:decommissioned|deprecated|retired|removed)",
            r"model identifier is invalid|could not resolve the foundation model",
            r"no (?:allowed )?(?:endpoints|providers) (?:are )?(?:found|available)",
            r"(?:multiple models|no models?) (?:is |are )?loaded|model .{0,80}is not loaded|model not exist",
            r"(?:no such|unsupported|unrecogni[sz]ed) model\b",
            r"unable to access (?:\S+ )?model|access to (?:the |this )?model|with on-demand throughput",
            r"deployment .{0,40}does not exist|dedicated endpoint .{0,120}not running",
            r"model .{0,80}requires a newer version",
        ),
        (
            "model_not_found", "deploymentnotfound", "invalid_model", "model_not_available", "unknown_model",
            "model_decommissioned", "unsupported_model", "model_not_supported", "invalid_model_error",
        ),
    ),
    # The key. OpenAI, Anthropic, xAI, Gemini (400 "API key not valid"), Azure, Bedrock, OpenRouter: docs.
    Row(
        AuthenticationError,
        (
            r"(?:incorrect|invalid|wrong|missing|expired|no) (?:api[ _-]?key|access token|auth)",
            r"invalid subscription key",
            r"api[ _-]?key .{0,30}(?:not valid|invalid|expired|missing|required|not found|revoked|disabled)",
            r"unauthori[sz]ed|not logged in|log ?in again|authentication|security token|bearer token",
            r"(?:location|country|region) is not supported|not supported in your (?:country|region)",
        ),
        (
            "invalid_api_key", "authentication_error", "permission_error", "unauthenticated",
            "permission_denied", "api_key_invalid", "unauthorized", "accessdeniedexception",
            "unrecognizedclientexception", "expiredtokenexception", "invalidsignatureexception",
            "unsupported_country_region_territory",
        ),
        (None, 400, 401, 403, 404, 422, 500),
    ),
    # The service. Anthropic, OpenAI, Gemini, Bedrock: docs. llama.cpp 503 "Loading model": its source.
    # Mistral 429: continue#6185. Codex: openai/codex#43682. TGI, LM Studio, vLLM in a stream: their sources.
    Row(
        OverloadedError,
        (
            r"overloaded|at capacity|capacity exceeded|no capacity|high demand|slow[ _]down",
            r"temporarily unavailable|service unavailable|bad gateway|gateway time-?out",
            r"loading model|model is (?:currently |still )?loading|server (?:is )?busy",
            r"internal server error|\bcuda\b|out of memory",
            r"(?:model|engine|server|worker|process) (?:has )?(?:crashed|died|is dead)",
        ),
        (
            "overloaded_error", "server_is_overloaded", "slow_down", "unavailable", "unavailable_error",
            "serviceunavailableexception", "modelnotreadyexception", "modeltimeoutexception",
            "internalserverexception", "modelstreamerrorexception", "timeout_error", "deadline_exceeded",
        ),
    ),
    # General codes, where no status says more.
    Row(
        OverloadedError,
        codes=("server_error", "api_error", "internal", "internal_error", "internal_server_error"),
        statuses=(None,),
    ),
    Row(AuthenticationError, statuses=(401, 403)),
    Row(QuotaExceededError, statuses=(402,)),
    Row(OverloadedError, statuses=(408, 425, 498)),  # 498: Groq's "flex tier capacity exceeded" (docs)
    Row(ContextOverflowError, statuses=(413,)),
    Row(RateLimitedError, statuses=(429,)),
    Row(ProviderError, statuses=(501, 505)),  # not implemented: vLLM without a store (vllm#22137)
    Row(OverloadedError, statuses=tuple(range(500, 600))),
)  # fmt: skip
