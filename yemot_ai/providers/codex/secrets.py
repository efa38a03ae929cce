"""Remove secrets from the errors of a Codex process, which may quote its environment and settings."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from yemot_ai.errors import ProviderError
from yemot_ai.providers.codex.home.settings_file import nested_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["redact_secrets"]

_MIN_LENGTH: Final = 8
"""Characters; a shorter value occurs in too many words to be replaced."""

_PUBLIC: Final = frozenset(
    {"PATH", "HOME", "CODEX_HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"}
)
_PROXY: Final = re.compile("proxy$", re.IGNORECASE)
_SECRET_NAME: Final = re.compile(
    r"key|token|secret|password|authorization|headers|query_params|\benv\b", re.IGNORECASE
)
_CREDENTIALS: Final = re.compile(r"://([^/\s]*)@")


@contextmanager
def redact_secrets(env: Mapping[str, str], config: Mapping[str, object]) -> Iterator[None]:
    """Remove secrets from every ``ProviderError`` that the block raises: messages, causes, stderr tail.

    Args:
        env: the environment of the process. Every value is secret, except those of common variables; of a
            proxy only the user name and password.
        config: its settings; secret are those whose name contains a word such as ``key`` or ``token``, and
            user names and passwords in URLs.

    Raises:
        ProviderError: the same object.
    """
    try:
        yield
    except ProviderError as error:
        secrets = [*_environment_secrets(env), *_config_secrets(config)]
        error.stderr_tail = _redact(error.stderr_tail, secrets)
        link: BaseException | None = error
        while link is not None:
            link.args = tuple(_redact(arg, secrets) if isinstance(arg, str) else arg for arg in link.args)
            link = link.__cause__ or link.__context__
        raise


def _environment_secrets(env: Mapping[str, str]) -> Iterator[str]:
    for name, value in env.items():
        if _PROXY.search(name):
            yield value.partition("://")[2].rpartition("@")[0]
        elif name not in _PUBLIC:
            yield value


def _config_secrets(config: Mapping[str, object]) -> Iterator[str]:
    yield from (str(value) for name, value in config.items() if _SECRET_NAME.search(name))
    for name, value in _leaves(nested_settings(config)):
        if _SECRET_NAME.search(name):
            yield value
        yield from _CREDENTIALS.findall(value)


def _leaves(settings: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text in nested settings, with its dotted name."""
    match settings:
        case dict():
            for name, value in settings.items():
                yield from _leaves(value, f"{path}.{name}")
        case list():
            for value in settings:
                yield from _leaves(value, path)
        case str():
            yield path, settings


def _redact(text: str, secrets: list[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _MIN_LENGTH:
            text = text.replace(secret, "…")
    return text
