"""What is kept on disk goes with whoever keeps it, also when nobody was left to clear up.

A server's databases hold what its calls said. Whoever starts one holds a lock in their folder; where
nobody holds it any more, the server and its owner are dead, and the next one to start takes the rest away.

A conversation can go on in another process, so it does not die with its own. Each process notes those that
it has taken a turn of, in a folder with such a lock; a conversation that only the dead have notes of is
abandoned a day after its last turn. A lock ends with its process, whatever number the process had.
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
"""Seconds after its last turn until a conversation of a dead process is taken for abandoned."""

_LOCK_NAME: Final = "server.lock"


def lock_folder(folder: Path) -> BinaryIO:
    """Hold ``folder`` for a server, until the file is closed or this process and its forks have ended."""
    draft = folder / f"{_LOCK_NAME}.draft"
    file = draft.open("wb")
    fcntl.flock(file, fcntl.LOCK_EX)
    # Locked before it goes by its name: nobody may find it open in between.
    draft.rename(folder / _LOCK_NAME)
    return file


def unlocked_folders(folders: Path) -> Iterator[str]:
    """The names of those among ``folders`` whose servers have died."""
    for lock in folders.glob(f"*/{_LOCK_NAME}"):
        try:
            with lock.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield lock.parent.name
        except (BlockingIOError, FileNotFoundError):
            # Somebody holds it, or has just taken it away.
            continue


class ConversationClaims:
    """Which conversations this process has taken a turn of.

    A note is a file that goes by the conversation's key and holds its ``CODEX_HOME``; its time is that of
    the last turn.
    """

    def __init__(self, owners: Path) -> None:
        self.folder = owners / uuid.uuid4().hex
        self.folder.mkdir(mode=0o700, parents=True)
        self._lock = lock_folder(self.folder)

    @classmethod
    def add(
        cls, owners: Path, key: str, codex_home: Path, *, on_abandoned: Callable[[Mapping[str, str]], None]
    ) -> None:
        """Note a turn of this process.

        Args:
            owners: the folder of the notes of all processes.
            key: the conversation.
            codex_home: the ``CODEX_HOME`` of its Codex.
            on_abandoned: called once in a process, with the abandoned conversations: key → ``CODEX_HOME``.
        """
        with _claims_lock:
            for folder in [one for one, notes in _claims.items() if not notes.folder.exists()]:
                _claims.pop(folder).close()
            first = owners not in _claims
            notes = _claims[owners] if owners in _claims else _claims.setdefault(owners, cls(owners))
            # Before anything is buried: it may be this very conversation that has been idle for so long.
            (notes.folder / key).write_text(str(codex_home), encoding="utf-8")
            if first and (found := dict(_take_abandoned(owners))):
                on_abandoned(found)

    @staticmethod
    def remove(owners: Path, key: str) -> None:
        """Strike a conversation out of all notes."""
        for note in owners.glob(f"*/{key}"):
            note.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the conversations; without any, nothing is left."""
        if not any(note.name != _LOCK_NAME for note in self.folder.glob("*")):
            shutil.rmtree(self.folder, ignore_errors=True)
        self.release_lock()

    def release_lock(self) -> None:
        """Let go of the lock; where a fork holds it as well, it stays."""
        self._lock.close()


def _take_abandoned(owners: Path) -> Iterator[tuple[str, str]]:
    """Take the notes of abandoned conversations away; key and ``CODEX_HOME`` of each."""
    for name in unlocked_folders(owners):
        notes = [note for note in (owners / name).iterdir() if note.name != _LOCK_NAME]
        old = [note for note in notes if time.time() - note.stat().st_mtime > ABANDONED_AFTER]
        for note in old:
            codex_home = note.read_text(encoding="utf-8")
            note.unlink()
            # Whoever else has a note of it has gone on with it.
            if not any(owners.glob(f"*/{note.name}")):
                yield note.name, codex_home
        if len(old) == len(notes):
            shutil.rmtree(owners / name, ignore_errors=True)


_claims: dict[Path, ConversationClaims] = {}
_claims_lock = threading.Lock()


def _after_fork() -> None:
    """A forked child has conversations of its own; the parent's lock it holds as long as it lives."""
    global _claims_lock  # noqa: PLW0603 - another thread of the parent may have held it
    _claims_lock = threading.Lock()
    _inherited_claims.extend(_claims.values())
    _claims.clear()


_inherited_claims: list[ConversationClaims] = []

os.register_at_fork(after_in_child=_after_fork)


@atexit.register
def _close_all() -> None:
    for notes in _claims.values():
        notes.close()
    for notes in _inherited_claims:
        notes.release_lock()
