"""What identifies a program to the platform's API.

>>> Credentials("word-of-a-test").headers
{'authorization': 'word-of-a-test'}
>>> Credentials("word-of-a-test", switch_id="uuid-of-the-line").headers
{'authorization': 'Bearer word-of-a-test', 'switch-id': 'uuid-of-the-line'}
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from yemot_ai.errors import ConfigurationError

__all__ = ["SWITCH_ID_VARIABLE", "TOKEN_VARIABLE", "Credentials", "read_token_file"]

TOKEN_VARIABLE: Final = "YEMOT_TOKEN"  # noqa: S105 - a name
SWITCH_ID_VARIABLE: Final = "YEMOT_SWITCH_ID"

MAX_TOKEN_FILE: Final = 4_096
"""Bytes; a larger file is not a token."""

MIN_HIDDEN_PASSWORD: Final = 4
"""Characters; to hide a shorter text would make messages unreadable."""

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, and for the newer gateway the line that it is used for.

    Args:
        token: a permanent API key, ``number:password``, or the session of ``Login`` [OFF]. It is sent in the
            header ``authorization`` [OFF], never in a URL.
        switch_id: the UUID of the line, for the gateway ``rest.yemot.co.il``: with it the token is sent as
            ``Bearer``, and the UUID in the header ``switch-id`` [LIB]. "": the older address.

    Raises:
        ConfigurationError: if they cannot stand in a header.
    """

    token: str = field(repr=False)
    switch_id: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "token", self.token.strip())
        object.__setattr__(self, "switch_id", self.switch_id.strip())
        if not _fits_header(self.token):
            raise ConfigurationError("the token of the platform is not printable ASCII")
        if not _fits_header(self.switch_id):
            raise ConfigurationError("the switch id is not printable ASCII")

    @classmethod
    def from_environment(cls) -> Credentials | None:
        """Return those of ``YEMOT_TOKEN`` and ``YEMOT_SWITCH_ID``; None if there is no token."""
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
        return cls(token, os.environ.get(SWITCH_ID_VARIABLE, "")) if token else None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request."""
        if self.switch_id:
            return {"authorization": f"Bearer {self.token}", "switch-id": self.switch_id}
        return {"authorization": self.token}

    def hide_in(self, text: str) -> str:
        """Return ``text`` without the token, and without the password of ``number:password``."""
        password = self.token.partition(":")[2]
        for secret in (self.token, password if len(password) >= MIN_HIDDEN_PASSWORD else ""):
            if secret:
                text = text.replace(secret, "***")
        return text


def read_token_file(path: Path) -> str:
    """Return the token in a file that only its owner can read.

    Raises:
        ConfigurationError: if there is no token in it, or others can read it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(MAX_TOKEN_FILE + 1)
    except OSError as error:
        raise ConfigurationError(f"the token file {path}: {error.strerror}") from error
    if os.name == "posix" and mode & _OTHERS:
        raise ConfigurationError(f"others can read the token file {path}: chmod 600 {path}")
    token = content.decode("utf-8-sig", "replace").strip()
    if not token or len(content) > MAX_TOKEN_FILE:
        raise ConfigurationError(f"the token file {path} contains no token: write it on the first line")
    return token


def _fits_header(text: str) -> bool:
    return text.isascii() and (not text or text.isprintable())
