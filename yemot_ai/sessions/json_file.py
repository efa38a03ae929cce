"""Sessions as JSON files in a folder: for one machine, any number of its processes.

A file is replaced as a whole and synced, so that neither a crash nor a power cut leaves half of one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import re
import tempfile
import time
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from yemot_ai.errors import SessionConflictError, SessionDamagedError, StoreError
from yemot_ai.sessions.lease import LEASE, Hold
from yemot_ai.sessions.record import decode, encode
from yemot_ai.sessions.session import Session
from yemot_ai.sessions.threads import in_thread

__all__ = ["JSONFileStore"]

log = logging.getLogger("yemot_ai")

LOCKS: Final = 64
"""Lock files; a call's is chosen by its name, so that none is left behind for each call."""

_UNSAFE: Final = re.compile("[^A-Za-z0-9_]+")
_READABLE: Final = 40


class _Kept(NamedTuple):
    session: Session
    saved: float
    expires: float


class JSONFileStore:
    """Keeps each session in a file of its own.

    Args:
        path: a folder; made if need be, closed to other users. Not on a network file system: the
            processes agree by file locks.

    Raises:
        StoreError: the folder cannot be made or written to.
    """

    immediate = False

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._root = Path(path).expanduser().absolute()
        with _explained(f"the folder {self._root} cannot be used"):
            for folder in (self._sessions, self._holds, self._locks):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, probe = tempfile.mkstemp(dir=self._sessions, prefix=".probe-")
            os.close(descriptor)
            Path(probe).unlink()

    def __repr__(self) -> str:
        return f"JSONFileStore({str(self._root)!r})"

    async def load(self, call_id: str) -> Session | None:
        """Return the newest version, or None; a damaged file is set aside."""
        return await in_thread(self._load, call_id)

    async def save(self, session: Session, *, ttl: float) -> Session:
        """Store ``session``; ``ttl`` in seconds.

        Raises:
            SessionConflictError: somebody saved a newer version.
        """
        return await in_thread(self._save, session, ttl)

    async def delete(self, call_id: str) -> None:
        """Drop the session."""
        await in_thread(self._delete, call_id)

    def hold(self, key: str, *, lease: float = LEASE) -> Hold:
        """Be alone under ``key``, among all processes of this machine."""
        return Hold(self, key, lease=lease)

    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        """Iterate over the calls that have a session; files that have expired are removed."""
        for path in await in_thread(self._files):
            call_id = await in_thread(self._listed, path, idle)
            if call_id is not None:
                yield call_id

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        """Return which of these calls have ended."""

        def look() -> frozenset[str]:
            found = ((call_id, self._load(call_id)) for call_id in call_ids)
            return frozenset(call_id for call_id, session in found if session and session.ended)

        return await in_thread(look)

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        """Take a lease."""
        return await in_thread(self._acquire, key, token, seconds)

    async def renew(self, key: str, token: str, seconds: float) -> bool:
        """Renew a lease."""
        return await self.acquire(key, token, seconds)

    async def release(self, key: str, token: str) -> None:
        """Let go of a lease."""
        await in_thread(self._release, key, token)

    @property
    def _sessions(self) -> Path:
        return self._root / "sessions"

    @property
    def _holds(self) -> Path:
        return self._root / "holds"

    @property
    def _locks(self) -> Path:
        return self._root / "locks"

    def _files(self) -> list[Path]:
        return sorted(self._sessions.glob("*.json"))

    def _load(self, call_id: str) -> Session | None:
        kept = self._read(self._sessions / _file_name(call_id))
        return kept.session if kept and kept.expires > time.time() else None

    def _save(self, session: Session, ttl: float) -> Session:
        path = self._sessions / _file_name(session.call_id)
        with self._locked(path.name):
            kept, now = self._read(path), time.time()
            newest = kept.session.version if kept and kept.expires > now else 0
            if newest != session.version:
                raise SessionConflictError(session.call_id, expected=session.version)
            saved = replace(session, version=session.version + 1)
            self._write(path, f'{{"saved":{now!r},"expires":{now + ttl!r},"session":{encode(saved)}}}')
        return saved

    def _delete(self, call_id: str) -> None:
        path = self._sessions / _file_name(call_id)
        with self._locked(path.name), _explained(f"{path} cannot be deleted"):
            path.unlink(missing_ok=True)

    def _listed(self, path: Path, idle: float) -> str | None:
        kept, now = self._read(path), time.time()
        if kept is None:
            return None
        if kept.expires <= now:
            self._remove_expired(path)
            return None
        return kept.session.call_id if kept.saved + idle <= now else None

    def _remove_expired(self, path: Path) -> None:
        with self._locked(path.name):
            kept = self._read(path)
            if kept and kept.expires <= time.time():
                path.unlink(missing_ok=True)

    def _acquire(self, key: str, token: str, seconds: float) -> bool:
        path = self._holds / _file_name(key)
        with self._locked(path.name):
            holder, expires = self._lease(path)
            now = time.time()
            if holder not in {token, None} and now < expires:
                return False
            self._write(path, json.dumps([token, now + seconds]), sync=False)
            return True

    def _release(self, key: str, token: str) -> None:
        path = self._holds / _file_name(key)
        with self._locked(path.name):
            if self._lease(path)[0] == token:
                path.unlink(missing_ok=True)

    def _lease(self, path: Path) -> tuple[str | None, float]:
        """Return who holds a key and until when; what cannot be read holds nothing."""
        try:
            token, expires = json.loads(path.read_text(encoding="ascii"))
            return str(token), float(expires)
        except FileNotFoundError:
            return None, 0.0
        except (TypeError, ValueError):
            log.warning("%s is damaged; the key counts as free", path)
            return None, 0.0

    def _read(self, path: Path) -> _Kept | None:
        try:
            with _explained(f"{path} cannot be read"):
                text = path.read_text(encoding="ascii")
            return _kept(text)
        except FileNotFoundError:
            return None
        except (SessionDamagedError, UnicodeDecodeError) as error:
            self._set_aside(path, error)
            return None

    def _set_aside(self, path: Path, error: Exception) -> None:
        """Keep a damaged file under another name, for a person to look at."""
        aside = path.with_name(f"{path.stem}.{time.time_ns()}.damaged")
        with _explained(f"the damaged {path} cannot be renamed"), contextlib.suppress(FileNotFoundError):
            path.rename(aside)
        log.error("%s is damaged (%s): kept as %s; the session begins anew", path, error, aside.name)

    def _write(self, path: Path, text: str, *, sync: bool = True) -> None:
        with _explained(f"{path} cannot be written"):
            descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
            try:
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
                _sync_folder(path.parent)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Be alone with all files whose name has the same lock; for as long as one write takes."""
        number = int(hashlib.sha256(name.encode()).hexdigest(), 16) % LOCKS
        with _explained(f"{self._locks} cannot be used"):
            file = (self._locks / f"{number:02}").open("wb")
        with file:  # closing it unlocks it, and so does the death of the process
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _file_name(name: str) -> str:
    """Return a file's name for any text: nothing in it leads out of the folder, none equals another."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    return f"{_UNSAFE.sub('_', name)[:_READABLE]}-{digest}.json"


def _kept(text: str) -> _Kept:
    try:
        found: dict[str, Any] = json.loads(text)
        saved, expires = float(found["saved"]), float(found["expires"])
        session = json.dumps(found["session"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise SessionDamagedError(f"{type(error).__name__}: {error}") from error
    return _Kept(decode(session), saved, expires)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn an operating system's error into one that says what to do; a missing file is none."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(
            f"{what}: {error.strerror or error} (is the disk full, or the folder read-only?)"
        ) from error
