"""Where a Codex process lives: folders of ours, so that nothing of the user's reaches a caller.

Codex reads ``AGENTS.md``, settings and tools out of its home, and may read any file around it. So it is
given a home with nothing in it but the login, an empty folder to work in, and an empty ``HOME``.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai.providers.codex.cleanup import ConversationClaims

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CodexHome", "is_key", "is_thread_id", "new_key"]

_FILE_FOLDERS: Final = ("instructions", "models")
_THREAD_ID: Final = 36
"""Characters; a rollout's name ends with its thread's id."""

_WORK_FOLDER: Final = "work"
_WORK_DIR_PATTERN: Final = re.compile(rf"/{_WORK_FOLDER}/([0-9a-f]{{32}})\"".encode())
_KEY: Final = re.compile("[0-9a-f]{32}")
_INHERITED_VARIABLES: Final = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)


@dataclass(frozen=True, slots=True)
class CodexHome:
    """The folders of the Codex processes of one provider.

    Attributes:
        codex_home: their ``CODEX_HOME``.
        root: ours, private: their empty ``HOME`` and working folders, their databases, and what we write
            for them to read.
        login: the ``auth.json`` to link into ``codex_home``; None leaves it as it is.
    """

    codex_home: Path
    root: Path
    login: Path | None

    @classmethod
    def for_codex_home(cls, codex_home: str | os.PathLike[str] | None) -> CodexHome:
        """The home for ``CodexCLIProvider(codex_home=…)``.

        Args:
            codex_home: a folder that the user vouches for, login and settings included; None for
                ``$YEMOT_AI_HOME/codex`` (by default ``$XDG_STATE_HOME/yemot-ai/codex``), with only the
                user's login linked in.
        """
        root = _state_dir() / "codex"
        if codex_home is not None:
            return cls(Path(codex_home).expanduser().absolute(), root, None)
        users = Path(os.environ.get("CODEX_HOME") or Path.home() / ".codex")
        return cls(root / "home", root, users.absolute() / "auth.json")

    def work_dir(self, key: str) -> Path:
        """The empty folder that the processes of one conversation work in.

        Codex takes in what it finds there (AGENTS.md, skills), so no call may leave it to another.
        """
        return self.root / _WORK_FOLDER / key

    def prepare(self, key: str) -> None:
        """Make what is missing for a turn of the conversation ``key``; the folders are closed to others.

        The first time, what dead processes have left behind is taken away.
        """
        ConversationClaims.add(self._owners_dir, key, self.codex_home, on_abandoned=self._delete_abandoned)
        shared = (
            self.root,
            self.codex_home,
            self.work_dir(key),
            self.root / "user",
            *(self.root / name for name in _FILE_FOLDERS),
        )
        for folder in filter(None, (*shared, self.databases_dir(key))):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)
        if self.login is not None:
            _link_login(self.login, self.codex_home / "auth.json")

    @property
    def _owners_dir(self) -> Path:
        return self.root / "owners"

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """The whole environment of a process: the minimum, and what the user adds."""
        passed = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
        ours = {"HOME": str(self.root / "user"), "CODEX_HOME": str(self.codex_home)}
        return {"LANG": "C.UTF-8", **passed, **ours, **extra}

    def instructions_file(self, instructions: str) -> Path:
        """A private file that holds ``instructions``; the same text is the same file."""
        return self._private_file("instructions", instructions, ".md")

    def models_file(self, catalogue: str) -> Path | None:
        """A private file that holds a catalogue of models; None if there is none."""
        return self._private_file("models", catalogue, ".json") if catalogue else None

    def _private_file(self, folder: str, text: str, suffix: str) -> Path:
        data = text.encode("utf-8", "replace")
        path = self.root / folder / f"{hashlib.sha256(data).hexdigest()[:32]}{suffix}"
        if not path.exists():
            _write_private(path, data)
        return path

    def databases_dir(self, key: str) -> Path | None:
        """The folder for the databases of one conversation; None where the user's own home keeps them.

        Codex copies what was said into databases that all threads share, and deleting a thread does not
        take it out of their pages. With a folder for each conversation it can be deleted.

        Args:
            key: as ``new_key`` makes them; anything else has no folder.
        """
        if self.login is None or not is_key(key):
            return None
        return self.root / "databases" / key

    def delete_conversation(self, thread_id: str, key: str) -> None:
        """Delete what was said in a conversation: databases, rollouts, lock, snapshots, working folder.

        Whatever is no thread id, or no key, touches nothing.
        """
        for folder in self._conversation_folders(key):
            shutil.rmtree(folder, ignore_errors=True)
        if is_key(key):
            ConversationClaims.remove(self._owners_dir, key)
        if is_thread_id(thread_id):
            for path in self._thread_files(thread_id):
                path.unlink(missing_ok=True)

    def _conversation_folders(self, key: str) -> list[Path]:
        """Return the folders of one conversation that are ours to delete; none for what is no key."""
        folders = (self.databases_dir(key), self.work_dir(key)) if is_key(key) else ()
        return [folder for folder in folders if folder is not None]

    def _thread_files(self, thread_id: str) -> list[Path]:
        """Return what Codex keeps of one thread as files: rollouts, lock, shell snapshots."""
        return [
            *self.codex_home.glob(f"sessions/*/*/*/rollout-*-{thread_id}.jsonl"),
            *self.codex_home.glob(f"thread-writer-locks/{thread_id}*"),
            *self.codex_home.glob(f"shell_snapshots/{thread_id}.*"),
        ]

    def _delete_abandoned(self, keys: Mapping[str, str]) -> None:
        """Forget conversations of which only key and ``CODEX_HOME`` are known: rollouts name their folder."""
        for codex_home in set(keys.values()):
            theirs = replace(self, codex_home=Path(codex_home))
            for path in theirs.codex_home.glob("sessions/*/*/*/rollout-*.jsonl"):
                if _rollout_key(path) in keys:
                    theirs.delete_conversation(path.stem[-_THREAD_ID:], "")
        for key in filter(is_key, keys):
            shutil.rmtree(self.root / "databases" / key, ignore_errors=True)
            self.delete_conversation("", key)


def _rollout_key(rollout: Path) -> str:
    """The key of the conversation, out of the working folder that the rollout's first line names."""
    with rollout.open("rb") as file:
        found = _WORK_DIR_PATTERN.search(file.readline())
    return found[1].decode() if found else ""


def new_key() -> str:
    """A name for the folders of a new conversation, whose thread has no name yet."""
    return uuid.uuid4().hex


def is_key(text: str) -> bool:
    """Whether ``text`` is a name as ``new_key`` makes them."""
    return _KEY.fullmatch(text) is not None


def is_thread_id(text: str) -> bool:
    """Whether ``text`` is an id as Codex makes them: a UUID, written out."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _state_dir() -> Path:
    ours = os.environ.get("YEMOT_AI_HOME")
    if ours:
        return Path(ours).expanduser().absolute()
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state.absolute() / "yemot-ai"


def _link_login(login: Path, link: Path) -> None:
    """Let ``link`` lead to the login, or to nothing where there is none."""
    if link.is_symlink() and link.readlink() != login:
        link.unlink(missing_ok=True)
    if link.is_symlink() or link.exists() or not login.exists():
        return
    try:
        link.symlink_to(login)
    except FileExistsError:
        # Another turn was quicker; it has linked the same.
        return


def _write_private(path: Path, data: bytes) -> None:
    # mkstemp makes the file 0600; renaming it means that no process ever reads half of it.
    handle, draft = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(draft).replace(path)
