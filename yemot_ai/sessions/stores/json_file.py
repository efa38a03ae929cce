"""The JSON file store: sessions as files in a folder, for any number of processes on one machine.

A file is replaced atomically and synced, so that neither a crash nor a power cut leaves a partial file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import math
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from yemot_ai.errors import SessionConflictError, SessionDamagedError, SessionFormatError, StoreError
from yemot_ai.sessions.leases import DEFAULT_LEASE, Hold
from yemot_ai.sessions.serialization import encode
from yemot_ai.sessions.session import Session
from yemot_ai.sessions.stores.blocking import BlockingCalls, BusyError
from yemot_ai.sessions.stores.files import (
    file_name,
    is_file_name,
    lock_file,
    read_text,
    sync_folder,
    translate_os_errors,
)
from yemot_ai.sessions.stores.json_envelope import read_envelope, read_session
from yemot_ai.sessions.stores.lease_times import NO_LEASE, LeaseTimes
from yemot_ai.sessions.stores.permissions import (
    check_parents,
    close_folder,
    give_to_owner_of,
    make_folder,
)

__all__ = ["JSONFileStore"]

T = TypeVar("T")

log = logging.getLogger("yemot_ai")

LOCK_FILES: Final = 64
"""How many lock files there are; the file of a call is chosen by a hash of its name."""

PAGE_SIZE: Final = 100
"""How many files are read in one job of a worker thread."""

_DRAFT_PREFIX: Final = ".draft-"

STALE_AFTER: Final = 60.0
"""Seconds after which a draft is abandoned."""


class JSONFileStore:
    """Keeps each session in a separate file.

    Args:
        path: a folder; created if it is missing, without access for other users. Not on a network file
            system: the processes use file locks.

    Raises:
        StoreError: if the folder cannot be created or written to.
    """

    immediate = False

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._root = Path(path).expanduser().resolve()
        self._calls = BlockingCalls()
        self._unreadable: set[Path] = set()
        with translate_os_errors(f"the folder {self._root} cannot be used"):
            self._make_folders()
            descriptor, probe = tempfile.mkstemp(dir=self._sessions, prefix=".probe-")
            os.close(descriptor)
            Path(probe).unlink()

    def __repr__(self) -> str:
        return f"JSONFileStore({str(self._root)!r})"

    async def load(self, call_id: str) -> Session | None:
        """Return the newest version, or None; quarantine a damaged file."""
        return await self._calls.run(self._load, call_id)

    async def save(self, session: Session, *, ttl: float) -> Session:
        """Store ``session``; ``ttl`` in seconds.

        Raises:
            SessionConflictError: if a newer version has been saved.
        """
        return await self._calls.run(self._save, session, ttl)

    async def delete(self, call_id: str) -> None:
        """Delete the session."""
        await self._calls.run(self._delete, call_id)

    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        """Hold ``key`` exclusively, among all processes of this machine."""
        return Hold(self, key, lease=lease)

    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        """Iterate over the calls that have a session; remove expired files.

        A session of a newer format is left unchanged.
        """
        # Without ``idle`` all of them, also those from before the clock was set back.
        latest = time.time() - idle if idle else math.inf
        await self._calls.run(self._remove_stale_files)
        paths = await self._calls.run(lambda: _list_files(self._sessions))
        for begin in range(0, len(paths), PAGE_SIZE):
            for call_id in await self._calls.run(self._list_page, paths[begin : begin + PAGE_SIZE], latest):
                yield call_id

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        """Return the calls among these that have ended."""
        return await self._calls.run(self._ended, tuple(call_ids))

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        """Take or renew a lease."""
        return await self._calls.run(self._acquire, key, token, seconds)

    renew = acquire

    async def release(self, key: str, token: str) -> None:
        """Release a lease."""
        await self._calls.run(self._release, key, token)

    def _make_folders(self) -> None:
        folders = (self._sessions, self._holds, self._locks)
        try:
            self._root.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), error.filename) from None
        for folder in (self._root, *folders):
            make_folder(folder)
        close_folder(self._root, contents=[folder.name for folder in folders])
        for folder in folders:
            close_folder(folder)
        check_parents(self._root)

    @property
    def _sessions(self) -> Path:
        return self._root / "sessions"

    @property
    def _holds(self) -> Path:
        return self._root / "holds"

    @property
    def _locks(self) -> Path:
        return self._root / "locks"

    def _load(self, call_id: str) -> Session | None:
        path = self._sessions / file_name(call_id)
        return self._read(path, lambda path: read_session(path, call_id))

    def _save(self, session: Session, ttl: float) -> Session:
        path = self._sessions / file_name(session.call_id)
        with self._locked(path.name):
            current = self._read_locked(path, lambda path: read_session(path, session.call_id))
            now = time.time()
            if (current.version if current else 0) != session.version:
                raise SessionConflictError(session.call_id, expected=session.version)
            saved = replace(session, version=session.version + 1)
            self._write(path, f'{{"saved":{now!r},"expires":{now + ttl!r},"session":{encode(saved)}}}')
        return saved

    def _delete(self, call_id: str) -> None:
        path = self._sessions / file_name(call_id)
        with self._locked(path.name), translate_os_errors(f"{path} cannot be deleted"):
            path.unlink(missing_ok=True)

    def _list_page(self, paths: list[Path], latest: float) -> list[str]:
        """Return the calls among ``paths`` that were last saved at ``latest`` or before."""
        call_ids = []
        for path in paths:
            with self._skip_unreadable(path):
                call_ids.append(self._list_file(path, latest))
        return [call_id for call_id in call_ids if call_id is not None]

    def _list_file(self, path: Path, latest: float) -> str | None:
        envelope = self._read(path, read_envelope)
        if envelope is None:
            return None
        if envelope.expires <= time.time():
            self._remove_expired(path)
            return None
        if envelope.saved > latest:
            return None
        session = self._read(path, lambda path: read_session(path, None))
        return session.call_id if session and path.name == file_name(session.call_id) else None

    def _ended(self, call_ids: tuple[str, ...]) -> frozenset[str]:
        ended = set()
        for call_id in call_ids:
            with self._skip_unreadable(self._sessions / file_name(call_id)):
                session = self._load(call_id)
                if session and session.ended:
                    ended.add(call_id)
        return frozenset(ended)

    def _remove_expired(self, path: Path) -> None:
        with self._locked(path.name), translate_os_errors(f"{path} cannot be deleted"):
            envelope = self._read_locked(path, read_envelope)
            if envelope and envelope.expires <= time.time():
                path.unlink(missing_ok=True)

    def _remove_stale_files(self) -> None:
        """Remove drafts and leases of processes that have died."""
        now = time.time()
        with translate_os_errors(f"{self._root} cannot be cleaned up"):
            for folder in (self._sessions, self._holds):
                for draft in folder.glob(f"{_DRAFT_PREFIX}*"):
                    with contextlib.suppress(FileNotFoundError):
                        if draft.stat().st_mtime + STALE_AFTER < now:
                            draft.unlink()
        for path in _list_files(self._holds):
            with self._skip_unreadable(path):
                self._remove_stale_lease(path)

    def _remove_stale_lease(self, path: Path) -> None:
        if self._lease(path)[1].is_valid():
            return
        with self._locked(path.name), translate_os_errors(f"{path} cannot be deleted"):
            if not self._lease(path)[1].is_valid():
                path.unlink(missing_ok=True)

    @contextmanager
    def _skip_unreadable(self, path: Path) -> Iterator[None]:
        """Skip what cannot be read, or only by a newer version: it must not hide the other calls.

        What is locked, because it has expired or is damaged, is looked at the next time.
        """
        try:
            yield
        except (BusyError, SessionFormatError):
            pass
        except StoreError as error:
            if path not in self._unreadable:
                log.warning("%s; the other calls are not affected", error)
                self._unreadable.add(path)
        else:
            self._unreadable.discard(path)

    def _acquire(self, key: str, token: str, seconds: float) -> bool:
        path = self._holds / file_name(key)
        with self._locked(path.name):
            holder, times = self._lease(path)
            if holder != token and times.is_valid():
                return False
            self._write(path, json.dumps([token, *LeaseTimes.from_now(seconds)]), sync=False)
            return True

    def _release(self, key: str, token: str) -> None:
        path = self._holds / file_name(key)
        with self._locked(path.name):
            if self._lease(path)[0] == token:
                with translate_os_errors(f"{path} cannot be deleted"):
                    path.unlink(missing_ok=True)

    def _lease(self, path: Path) -> tuple[str, LeaseTimes]:
        """Return the holder of a key and its lease; ``NO_LEASE`` for a damaged file."""
        try:
            text = read_text(path)
            if text is None:
                return "", NO_LEASE
            token, ends, length = json.loads(text)
            return str(token), LeaseTimes(float(ends), float(length))
        except SessionDamagedError as error:  # a folder, say, which no lease can replace
            self._quarantine(path, error)
            return "", NO_LEASE
        except (OverflowError, RecursionError, TypeError, ValueError):
            log.warning("%s is damaged; its key counts as free", path)
            return "", NO_LEASE

    def _read(self, path: Path, read: Callable[[Path], T | None]) -> T | None:
        try:
            return read(path)
        except SessionDamagedError:
            # Read again with the lock: an intact file may have replaced it.
            with self._locked(path.name):
                return self._read_locked(path, read)

    def _read_locked(self, path: Path, read: Callable[[Path], T | None]) -> T | None:
        """Return what ``read`` returns for a locked file; quarantine a damaged one and return None."""
        try:
            return read(path)
        except SessionDamagedError as error:
            self._quarantine(path, error)
            return None

    def _quarantine(self, path: Path, error: Exception) -> None:
        """Rename a damaged file, so that it can be inspected."""
        quarantine = path.with_name(f"{path.stem}.{time.time_ns()}.damaged")
        with (
            translate_os_errors(f"the damaged {path} cannot be renamed"),
            contextlib.suppress(FileNotFoundError),
        ):
            path.rename(quarantine)
        log.error("%s: %s; kept as %s, the call starts without it", path, error, quarantine.name)

    def _write(self, path: Path, text: str, *, sync: bool = True) -> None:
        with translate_os_errors(f"{path} cannot be written"):
            descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=_DRAFT_PREFIX)
            try:
                give_to_owner_of(path.parent, descriptor)
                with os.fdopen(descriptor, "w", encoding="ascii") as file:
                    file.write(text)
                    file.flush()
                    if sync:
                        os.fsync(file.fileno())
                Path(draft).replace(path)
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise
            if sync:
                sync_folder(path.parent)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Hold the lock of all files whose names share it; for the time of one write."""
        number = int(hashlib.sha256(name.encode()).hexdigest(), 16) % LOCK_FILES
        with translate_os_errors(f"{self._locks} cannot be used"), lock_file(self._locks / f"{number:02}"):
            yield


def _list_files(folder: Path) -> list[Path]:
    """Return the files of the store in ``folder``, sorted; other files are not its own."""
    with translate_os_errors(f"{folder} cannot be listed"):
        return sorted(path for path in folder.iterdir() if is_file_name(path.name))
