"""Delete what killed processes have left on disk.

A server's databases hold what its callers said. The process that starts a server holds a lock in their
folder. A folder without a held lock belongs to a dead server, and the next server to start deletes it.

A conversation can continue in another process, so it does not end with its own. Each process claims the
conversations whose turns it runs, in a folder with such a lock. A conversation that only dead processes
have claimed is abandoned a day after its last turn. A lock ends with its process, even if the pid is reused.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["ABANDONED_AFTER", "ConversationClaims", "lock_folder", "unlocked_folders"]

ABANDONED_AFTER: Final = 24 * 3600.0
"""Seconds after its last turn until a conversation of dead processes counts as abandoned."""

_LOCK_NAME: Final = "server.lock"


def lock_folder(folder: Path) -> BinaryIO:
    """Lock ``folder`` until the file is closed or this process and its forks have ended."""
    draft = folder / f"{_LOCK_NAME}.draft"
    file = draft.open("wb")
    fcntl.flock(file, fcntl.LOCK_EX)
    # Locked before it gets its name, so that no process can find it unlocked.
    draft.rename(folder / _LOCK_NAME)
    return file


def unlocked_folders(folders: Path) -> Iterator[str]:
    """Yield the names of the folders in ``folders`` whose owner has died."""
    for lock in folders.glob(f"*/{_LOCK_NAME}"):
        try:
            with lock.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield lock.parent.name
        except (BlockingIOError, FileNotFoundError):
            # Another process holds it, or has just deleted it.
            continue


class ConversationClaims:
    """The conversations whose turns this process has run.

    A claim is a file whose name is the conversation's key. It holds the conversation's ``CODEX_HOME``; its
    modification time is that of the last turn.
    """

    def __init__(self, owners: Path) -> None:
        self.folder = owners / uuid.uuid4().hex
        self.folder.mkdir(mode=0o700, parents=True)
        self._lock = lock_folder(self.folder)

    @classmethod
    def add(
        cls, owners: Path, key: str, codex_home: Path, *, on_abandoned: Callable[[Mapping[str, str]], None]
    ) -> None:
        """Record a turn of this process.

        Args:
            owners: the folder of the claims of all processes.
            key: the conversation.
            codex_home: the ``CODEX_HOME`` of its Codex.
            on_abandoned: called once per process, with the abandoned conversations: key → ``CODEX_HOME``.
        """
        with _claims_lock:
            for folder in [folder for folder, claims in _claims.items() if not claims.folder.exists()]:
                _claims.pop(folder).close()
            first = owners not in _claims
            claims = _claims[owners] if owners in _claims else _claims.setdefault(owners, cls(owners))
            # Before the abandoned ones are deleted: this conversation may be one of them.
            (claims.folder / key).write_text(str(codex_home), encoding="utf-8")
            if first and (abandoned := dict(_take_abandoned(owners))):
                on_abandoned(abandoned)

    @staticmethod
    def remove(owners: Path, key: str) -> None:
        """Delete the claims of all processes on a conversation."""
        for claim in owners.glob(f"*/{key}"):
            claim.unlink(missing_ok=True)

    def close(self) -> None:
        """Release the lock; delete the folder if it has no claims."""
        if not any(path.name != _LOCK_NAME for path in self.folder.glob("*")):
            shutil.rmtree(self.folder, ignore_errors=True)
        self.release_lock()

    def release_lock(self) -> None:
        """Release the lock, unless a fork holds it as well."""
        self._lock.close()


def _take_abandoned(owners: Path) -> Iterator[tuple[str, str]]:
    """Delete the claims of abandoned conversations; yield key and ``CODEX_HOME`` of each."""
    for name in unlocked_folders(owners):
        claims = [path for path in (owners / name).iterdir() if path.name != _LOCK_NAME]
        old = [claim for claim in claims if time.time() - claim.stat().st_mtime > ABANDONED_AFTER]
        for claim in old:
            codex_home = claim.read_text(encoding="utf-8")
            claim.unlink()
            # Another process with a claim on it has continued it.
            if not any(owners.glob(f"*/{claim.name}")):
                yield claim.name, codex_home
        if len(old) == len(claims):
            shutil.rmtree(owners / name, ignore_errors=True)


_claims: dict[Path, ConversationClaims] = {}
_claims_lock = threading.Lock()


def _after_fork() -> None:
    """Start without claims in a forked child; it holds the parent's lock until it ends."""
    global _claims_lock  # noqa: PLW0603 - another thread of the parent may have held it
    _claims_lock = threading.Lock()
    _inherited_claims.extend(_claims.values())
    _claims.clear()


_inherited_claims: list[ConversationClaims] = []

os.register_at_fork(after_in_child=_after_fork)


@atexit.register
def _close_all() -> None:
    for claims in _claims.values():
        claims.close()
    for claims in _inherited_claims:
        claims.release_lock()
