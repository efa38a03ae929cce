"""Access policy: who may use a flow, by phone number and by a secret that the line sends.

A refused request costs no model call and stores nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from yemot_ai.errors import ConfigurationError
from yemot_ai.protocol import Request
from yemot_ai.protocol.phone_numbers import normalize_number

__all__ = ["EVERYONE", "AccessPolicy"]

MIN_SECRET_LENGTH = 8
"""Characters; shorter secrets can be found by trial."""


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Which requests a flow accepts.

    The secret arrives as a value that the line is configured to send (``api_add_0=secret=…`` in
    ``ext.ini``) or as a part of the path (``api_link=https://host/line/<secret>``), and is compared in
    constant time. Numbers are compared by their digits: ``050-123 4567`` is ``0501234567``, and so is
    ``+972501234567``.

    Args:
        allow: the only numbers that may call; None: all.
        block: numbers that must not call.
        allow_withheld: accept withheld numbers; ignored if ``allow`` is given.
        secret: required secret; None: a request needs no secret.
        secret_name: name of the value that holds the secret.

    Raises:
        ConfigurationError: a number has no digits, or the secret is too short.
    """

    allow: Iterable[str] | None = None
    block: Iterable[str] = ()
    allow_withheld: bool = True
    secret: str | None = field(default=None, repr=False)
    secret_name: str = "secret"  # noqa: S105 - a name, not a secret

    def __post_init__(self) -> None:
        if isinstance(self.allow, str) or isinstance(self.block, str):
            raise ConfigurationError("allow= and block= are lists of numbers, not one text")
        allow = None if self.allow is None else frozenset(map(_number, self.allow))
        object.__setattr__(self, "allow", allow)
        object.__setattr__(self, "block", frozenset(map(_number, self.block)))
        if self.secret is not None and len(self.secret) < MIN_SECRET_LENGTH:
            raise ConfigurationError(f"the secret is too short: give at least {MIN_SECRET_LENGTH} characters")

    def rejection_reason(self, request: Request, path: str = "") -> str | None:
        """Return why ``request`` is refused, for the log; None if it is accepted."""
        if self.secret is not None and not self.has_secret(request, path):
            return "it does not contain the secret"
        phone = normalize_number(request.phone)
        if not phone:
            return None if self.allow_withheld and self.allow is None else "its number is withheld"
        if phone in self.block:
            return "its number is blocked"
        if self.allow is not None and phone not in self.allow:
            return "its number is not on the list"
        return None

    def without_secret(self, request: Request) -> Request:
        """Return ``request`` without the secret, which must not be stored, logged or passed to handlers."""
        if self.secret is None:
            return request
        secret = self.secret
        return replace(request, pairs=tuple(pair for pair in request.pairs if not _is_equal(pair[1], secret)))

    def has_secret(self, request: Request, path: str) -> bool:
        """Return whether the values of ``request`` or the path contain the secret."""
        secret = self.secret or ""
        values = [value for name, value in request.pairs if name == self.secret_name]
        return any(_is_equal(text, secret) for text in (*values, *_path_runs(path, secret.count("/") + 1)))


def _path_runs(path: str, count: int) -> list[str]:
    """Return every sequence of ``count`` parts of a path: a secret may contain slashes."""
    parts = path.split("/")
    return ["/".join(parts[start : start + count]) for start in range(len(parts) - count + 1)]


def _is_equal(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))


def _number(text: object) -> str:
    digits = normalize_number(text) if isinstance(text, str) else ""
    if not digits:
        raise ConfigurationError(f'{text!r} is not a phone number: write it as a text, "0501234567"')
    return digits


EVERYONE: Final = AccessPolicy()
"""Accepts every request."""
