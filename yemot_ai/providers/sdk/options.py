"""Options of a request, the same for all services: checked when the provider is made.

>>> options = RequestOptions(max_tokens=200, thinks="before </think>")
>>> options.thought_end, options.sdk_arguments(temperature="temperature", max_tokens="max_output_tokens")
('</think>', {'max_output_tokens': 200})
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from yemot_ai.errors import ConfigurationError
from yemot_ai.providers.sdk.headers import check_header

__all__ = ["RequestOptions"]

_BEFORE: Final = "before "
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OWN_FIELDS: Final = frozenset(
    {"model", "messages", "input", "instructions", "system", "stream", "store", "previous_response_id"}
)
"""Fields of a request that the provider fills in."""

_TYPES: Final[Mapping[str, tuple[type | tuple[type, ...], str]]] = {
    "effort": (str, "a text"),
    "max_tokens": (int, "a whole number"),
    "temperature": ((int, float), "a number from 0 to 2"),
    "headers": (Mapping, "a mapping from names to texts"),
    "extra_body": (Mapping, "a mapping from names to values"),
    "thinks": (str, "'before ' and the mark, 'before </think>'"),
}
"""The type of each option, and its name in errors."""


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """Options of each request of a provider; None leaves the choice to the service.

    Args:
        effort: how much the model thinks before it answers, in the service's word.
        max_tokens: maximum tokens of an answer, thoughts included; a longer one is cut.
        temperature: 0 for the likeliest words, more for others.
        headers: headers of each request.
        extra_body: further fields of each request's body, such as those of a compatible server.
        thinks: ``"before MARK"`` for a model that thinks first, without a mark at the beginning, and ends its
            thoughts with ``MARK``; None for any other model.

    Raises:
        ConfigurationError: an option cannot be sent.
    """

    effort: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    thinks: str | None = None

    def __post_init__(self) -> None:
        for name, (kind, what) in _TYPES.items():
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, kind)):
                raise ConfigurationError(f"{name}={value!r}: give {what}")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ConfigurationError(f"max_tokens={self.max_tokens!r}: give 1 or more")
        if self.temperature is not None and not 0 <= self.temperature <= 2:  # noqa: PLR2004 - of all services
            raise ConfigurationError(f"temperature={self.temperature!r}: give a number from 0 to 2")
        if self.thinks is not None and not self.thought_end:
            raise ConfigurationError(
                f"thinks={self.thinks!r}: give 'before ' and the mark, 'before </think>'"
            )
        self._check_headers()
        self._check_body()

    @property
    def thought_end(self) -> str:
        """The mark of ``thinks``; empty without it."""
        thinks = self.thinks or ""
        return thinks.removeprefix(_BEFORE).strip() if thinks.startswith(_BEFORE) else ""

    def check_effort(self, *words: str) -> None:
        """Check that ``effort`` is one of ``words``.

        Raises:
            ConfigurationError: it is not.
        """
        if self.effort is not None and self.effort not in words:
            raise ConfigurationError(f"effort={self.effort!r}: use one of {', '.join(map(repr, words))}")

    def sdk_arguments(self, **names: str) -> dict[str, Any]:
        """Return the arguments for the SDK.

        Args:
            names: for each option the name of its argument.
        """
        values = {argument: getattr(self, option) for option, argument in names.items()}
        values |= {"extra_headers": dict(self.headers) or None, "extra_body": dict(self.extra_body) or None}
        return {argument: value for argument, value in values.items() if value is not None}

    def _check_headers(self) -> None:
        headers: Mapping[Any, Any] = self.headers
        for name, value in headers.items():
            if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
                raise ConfigurationError(f"headers={{{name!r}: …}}: that is no name of a header")
            if not isinstance(value, str):
                raise ConfigurationError(f"headers[{name!r}] is of type {type(value).__name__}: give a text")
            check_header(f"headers[{name!r}]", value)

    def _check_body(self) -> None:
        if own := _OWN_FIELDS & set(self.extra_body):
            raise ConfigurationError(f"extra_body={{{min(own)!r}: …}}: the provider fills that in")
        names: Mapping[Any, Any] = self.extra_body
        if not all(isinstance(name, str) for name in names):
            raise ConfigurationError(f"extra_body={self.extra_body!r}: the names are texts")
        try:
            json.dumps(self.extra_body)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"extra_body is no JSON: {error}") from error
