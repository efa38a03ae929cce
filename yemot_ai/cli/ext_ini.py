"""``yemot-ai ext-ini``: the settings of the line that calls a flow."""

from __future__ import annotations

import argparse
import re
import secrets
from typing import Final
from urllib.parse import urlsplit

from yemot_ai.errors import ConfigurationError

__all__ = ["add_arguments", "ext_ini", "run"]

_SETTINGS: Final = (
    ("api_url_post", "yes"),  # long Hebrew values do not fit into a URL
    ("api_say_tts", "no"),  # or the line reads to callers what they said
    ("api_wait_answer_music_on_hold", "yes"),  # or they hear nothing while the request waits
)

_SECRET: Final = re.compile(r"[A-Za-z0-9._~-]{8,}")
"""Characters that need no escaping in a URL: how the line encodes constants is not documented."""

SECRET_BYTES: Final = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("url", metavar="URL")
    parser.add_argument(
        "--secret",
        nargs="?",
        const="",
        help="let the line send a secret, for AccessPolicy(secret=…) or YEMOT_AI_SECRET; "
        "without a value, generate one",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the settings; return the exit code."""
    secret = secrets.token_urlsafe(SECRET_BYTES) if arguments.secret == "" else arguments.secret
    print(ext_ini(arguments.url, secret=secret), end="")
    return 0


def ext_ini(url: str, *, secret: str | None = None) -> str:
    """Return the ``ext.ini`` of an extension that is served at ``url`` (all settings: [OFF]).

    Args:
        url: the address that the line requests.
        secret: what the line sends with each request, for ``AccessPolicy(secret=…)``.

    Raises:
        ConfigurationError: if ``url`` cannot be an ``api_link``, or ``secret`` cannot be a constant.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigurationError(f"{url!r} is no URL: {error}") from error
    plain = url.isprintable() and not any(character.isspace() for character in url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
        raise ConfigurationError(f"{url!r} is no http(s) URL that the line could call")
    if parts.query or parts.fragment:
        raise ConfigurationError(
            f"{url!r} carries a query: the line would add a second '?'; send constants by api_add_0"
        )
    settings = (("type", "api"), ("api_link", url), *_SETTINGS, *_constants(secret))
    return "".join(f"{name}={value}\n" for name, value in settings)


def _constants(secret: str | None) -> tuple[tuple[str, str], ...]:
    if secret is None:
        return ()
    if not _SECRET.fullmatch(secret):
        raise ConfigurationError(
            "a secret for ext.ini is 8 or more of A-Z a-z 0-9 . _ ~ - (--secret alone makes one)"
        )
    return (("api_add_0", f"secret={secret}"),)
