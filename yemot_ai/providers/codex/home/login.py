"""Link the user's login into the private home.

The link is made anew for another login. A regular file in its place is a copy: a backup or ``cp -L`` of the
state folder makes one, and Codex would use it for ever. Codex itself writes through the link (measured,
0.171).
"""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import datetime
from pathlib import Path
from typing import Any

__all__ = ["link_login", "login_digest"]

log = logging.getLogger("yemot_ai")


def link_login(login: Path, link: Path) -> None:
    """Link ``link`` to the login; without a login, delete an old link.

    A regular file at ``link`` is renamed to ``auth.json.replaced``, unless it is the newer login: it stays
    if Codex has refreshed its tokens later than those of ``login`` (``last_refresh``), or if ``login``
    contains no login. Times of the files are not compared: a copy of an old login has a new one.

    Args:
        login: the ``auth.json`` of the user.
        link: the ``auth.json`` in the private home.
    """
    if link.is_symlink() and link.readlink() != login:
        link.unlink(missing_ok=True)
    if link.is_symlink() or not login.exists():
        return
    if link.exists():
        # The user's login itself, if CODEX_HOME is the private home.
        if link.samefile(login) or _is_newer(link, login):
            return
        _move_aside(link, login)
    try:
        link.symlink_to(login)
    except FileExistsError:
        # A concurrent turn has made the same link.
        return


def login_digest(path: Path) -> str:
    """Return a hash of the key and the account in an ``auth.json``; empty if it cannot be read.

    The tokens are not part of it: Codex refreshes them, and reads those of the same account again by itself.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return ""
    login = _parse(data)
    tokens = login.get("tokens")
    account = tokens.get("account_id") if isinstance(tokens, dict) else None
    key = login.get("OPENAI_API_KEY")
    identity = json.dumps([key, account]).encode() if key or account else data
    return hashlib.sha256(identity).hexdigest()


def _move_aside(link: Path, login: Path) -> None:
    replaced = link.with_name("auth.json.replaced")
    try:
        link.rename(replaced)
    except FileNotFoundError:
        # A concurrent turn has moved it.
        return
    log.warning("%s was a copy of a login: Codex now uses %s; the copy is %s", link, login, replaced.name)


def _is_newer(copy: Path, login: Path) -> bool:
    users = _read(login)
    if not any(users.values()):
        return True
    own, refreshed = _last_refresh(_read(copy)), _last_refresh(users)
    return own is not None and refreshed is not None and own > refreshed


def _read(path: Path) -> dict[str, Any]:
    return _parse(path.read_bytes())


def _parse(data: bytes) -> dict[str, Any]:
    try:
        login = json.loads(data)
    except ValueError:
        return {}
    return login if isinstance(login, dict) else {}


def _last_refresh(login: dict[str, Any]) -> float | None:
    """Return the time of the last refresh of the tokens, in seconds since 1970; None for a key."""
    try:
        return datetime.fromisoformat(str(login.get("last_refresh"))).timestamp()
    except ValueError:
        return None
