"""The threads of the fake Codex: files, kept where the real one keeps them.

Run inside the fake executable, where each import costs a millisecond.
"""

from __future__ import annotations

import fcntl
import os
import time

__all__ = [
    "ThreadFile",
    "delete_rollout",
    "find_rollout",
    "is_forked",
    "is_uuid",
    "json_string",
    "newest_thread_id",
    "read_bytes",
    "uuid7",
]


class ThreadFile:
    """A conversation, kept as Codex keeps it: a file of lines that is appended to."""

    __slots__ = ("_lock", "home", "id", "path", "resumed", "turns")

    def __init__(self, home: str, thread_id: str, path: str, *, resumed: bool) -> None:
        self.home = home
        self.id = thread_id
        self.path = path
        self.resumed = resumed
        self.turns = read_bytes(path).count(b'"type":"token_count"') if resumed else 0
        self._lock = -1

    def lock_path(self) -> str:
        """Return the file that its writer locks."""
        return f"{self.home}/thread-writer-locks/{self.id}.lock"

    def acquire_lock(self) -> bool:
        """Become its writer; False if somebody else is. The lock ends with the process."""
        path = self.lock_path()
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - pathlib is too slow to import here
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release_lock(self) -> None:
        """Be its writer no more."""
        if self._lock >= 0:
            os.close(self._lock)
        self._lock = -1

    def append(self, *lines: str) -> None:
        """Remember something."""
        if self.path:
            with open(self.path, "a", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as above
                file.writelines(f"{line}\n" for line in lines)


def find_rollout(home: str, thread_id: str) -> str:
    """The file of a thread; empty if there is none."""
    return next((path for path in _rollouts(home) if path.endswith(f"-{thread_id}.jsonl")), "")


def newest_thread_id(home: str, cwd: str) -> str:
    """The id of the thread that was used last; empty if there is none.

    Args:
        home: where to look.
        cwd: the working folder that the thread began in; empty for any.
    """
    began = f'"cwd":{json_string(cwd)}}}'.encode() if cwd else b""
    paths = [path for path in _rollouts(home) if began in read_bytes(path).partition(b"\n")[0]]
    paths = _by_last_use(paths)
    return paths[-1][-len("00000000-0000-0000-0000-000000000000.jsonl") : -len(".jsonl")] if paths else ""


def _by_last_use(paths: list[str]) -> list[str]:
    """Return the files of threads, the last used one last."""
    return sorted(paths, key=lambda path: os.stat(path).st_mtime_ns)  # noqa: PTH116 - as above


def _rollouts(home: str) -> list[str]:
    return [f"{folder}/{name}" for folder, _, names in os.walk(f"{home}/sessions") for name in names]


def delete_rollout(path: str) -> None:
    """Delete the file of a thread."""
    os.unlink(path)  # noqa: PTH108 - as above


def is_forked(home: str, thread_id: str) -> bool:
    """Return whether another thread was forked from this one."""
    mark = f'"forked_from_id":"{thread_id}"'.encode()
    return any(mark in read_bytes(path).partition(b"\n")[0] for path in _rollouts(home))


def is_uuid(text: str) -> bool:
    """Whether Codex would take this for the id of a thread, and not for a name."""
    parts = text.split("-")
    hexadecimal = not set("".join(parts)) - set("0123456789abcdefABCDEF")
    return hexadecimal and [len(part) for part in parts] == [8, 4, 4, 4, 12]


def uuid7() -> str:
    """A new id: they begin with the time, so that they sort by it."""
    digits = f"{time.time_ns() // 1_000_000:012x}7{os.urandom(10).hex()}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-8{digits[17:20]}-{digits[20:32]}"


_ESCAPES = {code: f"\\u{code:04x}" for code in range(32)} | {34: '\\"', 92: "\\\\"}


def json_string(text: str) -> str:
    """A string as JSON writes it."""
    return f'"{text.translate(_ESCAPES)}"'


def read_bytes(path: str) -> bytes:
    """The bytes of a file."""
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        return file.read()
