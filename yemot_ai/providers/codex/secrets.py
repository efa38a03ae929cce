"""What a Codex process is given in secret may come back in its errors; from here it goes no further."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from yemot_ai.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["kept_secret"]

_SHORTEST: Final = 8
"""Characters; a shorter value stands in too many words to be left out of them."""

_PUBLIC: Final = frozenset(
    {"PATH", "HOME", "CODEX_HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"}
)
_PROXY: Final = re.compile("proxy$", re.IGNORECASE)
_TELLING: Final = re.compile("key|token|secret|password|authorization|headers", re.IGNORECASE)


@contextmanager
def kept_secret(env: Mapping[str, str], config: Mapping[str, object]) -> Iterator[None]:
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
        secrets = [*_of_environment(env), *_of_settings(config)]
        error.stderr_tail = _without(error.stderr_tail, secrets)
        told: BaseException | None = error
        while told is not None:
            told.args = tuple(_without(one, secrets) if isinstance(one, str) else one for one in told.args)
            told = told.__cause__ or told.__context__
        raise


def _of_environment(env: Mapping[str, str]) -> Iterator[str]:
    for name, value in env.items():
        if _PROXY.search(name):
            yield value.partition("://")[2].rpartition("@")[0]
        elif name not in _PUBLIC:
            yield value


def _of_settings(config: Mapping[str, object]) -> Iterator[str]:
    for name, value in config.items():
        if isinstance(value, str) and _TELLING.search(name):
            yield value
            # TOML: what stands in quotes is what is sent.
            yield from re.findall(r'"([^"]*)"', value)


def _without(text: str, secrets: list[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, "…")
    return text
