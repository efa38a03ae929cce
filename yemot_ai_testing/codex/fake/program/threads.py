"""The threads of the fake Codex: files at the same paths as those of the real one.

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
    "new_rollout_path",
    "newest_thread_id",
    "read_bytes",
    "uuid7",
]


class ThreadFile:
    """A conversation in an append-only file of lines, as Codex stores it."""

    __slots__ = ("_lock", "home", "id", "path", "resumed", "turns")

    def __init__(self, home: str, thread_id: str, path: str, *, resumed: bool) -> None:
        self.home = home
        self.id = thread_id
        self.path = path
        self.resumed = resumed
        self.turns = read_bytes(path).count(b'"type":"token_count"') if resumed else 0
        self._lock = -1

    def lock_path(self) -> str:
        """Return the path of the lock file."""
        return f"{self.home}/thread-writer-locks/{self.id}.lock"

    def acquire_lock(self) -> bool:
        """Lock the thread until the process ends; return False if another process has the lock."""
        path = self.lock_path()
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - pathlib is too slow to import here
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release_lock(self) -> None:
        """Release the lock."""
        if self._lock >= 0:
            os.close(self._lock)
        self._lock = -1

    def append(self, *lines: str) -> None:
        """Append lines to the file."""
        if self.path:
            with open(self.path, "a", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as above
                file.writelines(f"{line}\n" for line in lines)

    def append_message(self, kind: str, text: str) -> None:
        """Append a message of the user or of the agent."""
        self.append(f'{{"type":"event_msg","payload":{{"type":"{kind}","message":{json_string(text)}}}}}')


def new_rollout_path(home: str, thread_id: str) -> str:
    """Return the path of the file of a thread that starts now."""
    now = time.gmtime()
    name = f"rollout-{time.strftime('%Y-%m-%dT%H-%M-%S', now)}-{thread_id}.jsonl"
    return f"{home}/sessions/{time.strftime('%Y/%m/%d', now)}/{name}"


def find_rollout(home: str, thread_id: str) -> str:
    """Return the path of a thread's file; empty if there is none."""
    return next((path for path in _rollouts(home) if path.endswith(f"-{thread_id}.jsonl")), "")


def newest_thread_id(home: str, cwd: str) -> str:
    """Return the id of the thread that was used last; empty if there is none.

    Args:
        home: the ``CODEX_HOME``.
        cwd: the working folder in which the thread started; empty for any.
    """
    cwd_field = f'"cwd":{json_string(cwd)}}}'.encode() if cwd else b""
    paths = [path for path in _rollouts(home) if cwd_field in _first_line(path)]
    paths = _by_last_use(paths)
    return paths[-1][-len("00000000-0000-0000-0000-000000000000.jsonl") : -len(".jsonl")] if paths else ""


def _by_last_use(paths: list[str]) -> list[str]:
    """Sort the files of threads by last use, newest last."""
    used = {}
    for path in paths:
        try:
            used[path] = os.stat(path).st_mtime_ns  # noqa: PTH116 - as above
        except FileNotFoundError:  # another process has deleted it
            continue
    return sorted(used, key=used.__getitem__)


def _rollouts(home: str) -> list[str]:
    return [f"{folder}/{name}" for folder, _, names in os.walk(f"{home}/sessions") for name in names]


def delete_rollout(path: str) -> None:
    """Delete the file of a thread, unless another process has."""
    try:
        os.unlink(path)  # noqa: PTH108 - as above
    except FileNotFoundError:
        return


def is_forked(home: str, thread_id: str) -> bool:
    """Return whether another thread was forked from this one."""
    field = f'"forked_from_id":"{thread_id}"'.encode()
    return any(field in _first_line(path) for path in _rollouts(home))


def _first_line(path: str) -> bytes:
    """Return the first line of a thread's file; empty if another process has deleted it since."""
    try:
        return read_bytes(path).partition(b"\n")[0]
    except FileNotFoundError:
        return b""


def is_uuid(text: str) -> bool:
    """Return whether Codex reads this as a thread id, and not as a name."""
    parts = text.split("-")
    hexadecimal = not set("".join(parts)) - set("0123456789abcdefABCDEF")
    return hexadecimal and [len(part) for part in parts] == [8, 4, 4, 4, 12]


def uuid7() -> str:
    """Return a new UUID of version 7, which starts with the time."""
    digits = f"{time.time_ns() // 1_000_000:012x}7{os.urandom(10).hex()}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-8{digits[17:20]}-{digits[20:32]}"


_ESCAPES = {code: f"\\u{code:04x}" for code in range(32)} | {34: '\\"', 92: "\\\\"}


def json_string(text: str) -> str:
    """Return a text as a JSON string."""
    return f'"{text.translate(_ESCAPES)}"'


def read_bytes(path: str) -> bytes:
    """Return the content of a file."""
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        return file.read()
