"""What a Codex process is given in secret may come back in its errors; from here it goes no further."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from yemot_ai.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["redact_secrets"]

_MIN_LENGTH: Final = 8
"""Characters; a shorter value stands in too many words to be left out of them."""

_PUBLIC: Final = frozenset(
    {"PATH", "HOME", "CODEX_HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"}
)
_PROXY: Final = re.compile("proxy$", re.IGNORECASE)
_SECRET_NAME: Final = re.compile("key|token|secret|password|authorization|headers", re.IGNORECASE)


@contextmanager
def redact_secrets(env: Mapping[str, str], config: Mapping[str, object]) -> Iterator[None]:
    """Leave secrets out of every ``ProviderError`` that is raised inside: its words, its causes, its tail.

    Args:
        env: the environment of the process; all but the names that everybody has is secret, of a proxy
            who logs in there.
        config: its settings; those are secret whose names say so.

    Raises:
        ProviderError: the same.
    """
    try:
        yield
    except ProviderError as error:
        secrets = [*_environment_secrets(env), *_config_secrets(config)]
        error.stderr_tail = _redact(error.stderr_tail, secrets)
        told: BaseException | None = error
        while told is not None:
            told.args = tuple(_redact(one, secrets) if isinstance(one, str) else one for one in told.args)
            told = told.__cause__ or told.__context__
        raise


def _environment_secrets(env: Mapping[str, str]) -> Iterator[str]:
    for name, value in env.items():
        if _PROXY.search(name):
            yield value.partition("://")[2].rpartition("@")[0]
        elif name not in _PUBLIC:
            yield value


def _config_secrets(config: Mapping[str, object]) -> Iterator[str]:
    for name, value in config.items():
        if isinstance(value, str) and _SECRET_NAME.search(name):
            yield value
            # TOML: what stands in quotes is what is sent.
            yield from re.findall(r'"([^"]*)"', value)


def _redact(text: str, secrets: list[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _MIN_LENGTH:
            text = text.replace(secret, "…")
    return text
