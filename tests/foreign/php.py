"""PHP, for the servers that need it."""

from __future__ import annotations

import shutil

__all__ = ["PhpMissingError", "program"]


class PhpMissingError(FileNotFoundError):
    """PHP is not installed."""


def program(path: str | None = None) -> str:
    """Return the path of ``php``.

    Args:
        path: the folders to search, as ``PATH`` names them; by default ``PATH`` itself.

    Raises:
        PhpMissingError: it is in none of them.
    """
    executable = shutil.which("php", path=path)
    if executable is None:
        raise PhpMissingError(
            "php is not installed, and the tests of foreign servers run some in PHP: "
            "apt-get install php-cli, or install it from php.net"
        )
    return executable
