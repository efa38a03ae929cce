"""The private folders of a Codex process, so that no file of the user reaches a caller.

Codex reads ``AGENTS.md``, settings and tools from its home, and may read any file around it. So it gets
a home with nothing but the login, an empty working folder, and an empty ``HOME``.
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

from yemot_ai.providers.codex.home.cleanup import ConversationClaims
from yemot_ai.providers.codex.home.foreign_files import delete, move_out, replace_link
from yemot_ai.providers.codex.home.login import link_login, login_digest
from yemot_ai.providers.codex.home.settings_file import PROFILE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["CodexHome", "is_key", "is_thread_id", "new_key"]

_FILE_FOLDERS: Final = ("instructions", "models")
_THREAD_ID_LENGTH: Final = 36
"""Characters; the name of a rollout ends with the thread's id."""

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
        root: a private folder with their empty ``HOME``, working folders, databases, and the files that
            they read.
        login: the ``auth.json`` to link into ``codex_home``; None to link none.
    """

    codex_home: Path
    root: Path
    login: Path | None

    @classmethod
    def for_codex_home(cls, codex_home: str | os.PathLike[str] | None) -> CodexHome:
        """Return the home for ``CodexCLIProvider(codex_home=…)``.

        Args:
            codex_home: a folder of the user, with login and settings; None for
                ``$YEMOT_AI_HOME/codex`` (by default ``$XDG_STATE_HOME/yemot-ai/codex``), with only the
                user's login linked in.
        """
        root = _state_dir() / "codex"
        if codex_home is not None:
            return cls(Path(codex_home).expanduser().absolute(), root, None)
        users = Path(os.environ.get("CODEX_HOME") or Path.home() / ".codex")
        return cls(root / "home", root, users.absolute() / "auth.json")

    @property
    def is_private(self) -> bool:
        """Whether ``codex_home`` is ours, with only the login of the user in it."""
        return self.login is not None

    def work_dir(self, key: str) -> Path:
        """Return the empty working folder of one conversation.

        Codex reads what it finds there (AGENTS.md, skills), so calls must not share it.
        """
        return self.root / _WORK_FOLDER / key

    def prepare(self, key: str) -> None:
        """Create the missing folders for a turn of the conversation ``key``, readable by the user only.

        The first time in a process, delete what dead processes have left.
        """
        ConversationClaims.add(self._owners_dir, key, self.codex_home, on_abandoned=self._delete_abandoned)
        if self.is_private:
            replace_link(self.codex_home)
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
            move_out(self.codex_home, self.root / "ignored", work=self.root / _WORK_FOLDER)
            link_login(self.login, self.codex_home / "auth.json")

    def login_digest(self) -> str:
        """Return what identifies the login that Codex uses here."""
        own = self.codex_home / "auth.json"
        return login_digest(own if self.login is None or own.exists() else self.login)

    @property
    def _owners_dir(self) -> Path:
        return self.root / "owners"

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """Return the whole environment of a process: the minimum and ``extra``."""
        inherited = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
        own = {"HOME": str(self.root / "user"), "CODEX_HOME": str(self.codex_home)}
        return {"LANG": "C.UTF-8", **inherited, **own, **extra}

    def instructions_file(self, instructions: str) -> Path:
        """Return a private file with ``instructions``; the same text has the same file."""
        return self._private_file("instructions", instructions, ".md")

    def models_file(self, catalogue: str) -> Path | None:
        """Return a private file with a catalogue of models; None if the catalogue is empty."""
        return self._private_file("models", catalogue, ".json") if catalogue else None

    def profile(self, settings: str) -> str:
        """Return the name of a private profile of ``CODEX_HOME`` with these settings; empty for none.

        Args:
            settings: the content of its file, as TOML.
        """
        if not settings:
            return ""
        data = settings.encode("utf-8", "replace")
        name = f"{PROFILE_PREFIX}{hashlib.sha256(data).hexdigest()[:32]}"
        path = self.codex_home / f"{name}.config.toml"
        if not path.is_file() or path.is_symlink() or path.read_bytes() != data:
            _write_private(path, data)
        path.chmod(0o600)
        return name

    def _private_file(self, folder: str, text: str, suffix: str) -> Path:
        data = text.encode("utf-8", "replace")
        path = self.root / folder / f"{hashlib.sha256(data).hexdigest()[:32]}{suffix}"
        if not path.exists():
            _write_private(path, data)
        return path

    def databases_dir(self, key: str) -> Path | None:
        """Return the folder for the databases of one conversation; None in a home of the user.

        Codex copies the conversation into databases that all threads share, and deleting a thread does
        not remove the text from their pages. A folder per conversation can be deleted.

        Args:
            key: a key of ``new_key``; any other text has no folder.
        """
        if not self.is_private or not is_key(key):
            return None
        return self.root / "databases" / key

    def read_rollout(self, thread_id: str) -> bytes | None:
        """Return the content of a thread's file: empty without a file, None if it cannot be read."""
        try:
            return next((path.read_bytes() for path in self._rollouts(thread_id)), b"")
        except OSError:
            # Codex has to read it as well, and says what is wrong with it.
            return None

    def delete_conversation(self, thread_id: str, key: str) -> None:
        """Delete a conversation's databases, rollouts, lock, snapshots and working folder.

        Ignore a ``thread_id`` that is not a thread id, and a ``key`` that is not a key.
        """
        for folder in self._conversation_folders(key):
            shutil.rmtree(folder, ignore_errors=True)
        if is_key(key):
            ConversationClaims.remove(self._owners_dir, key)
        if is_thread_id(thread_id):
            for path in self._thread_files(thread_id):
                delete(path)

    def _conversation_folders(self, key: str) -> list[Path]:
        """Return the private folders of one conversation; none if ``key`` is not a key."""
        folders = (self.databases_dir(key), self.work_dir(key)) if is_key(key) else ()
        return [folder for folder in folders if folder is not None]

    def _thread_files(self, thread_id: str) -> list[Path]:
        """Return the files that Codex keeps of one thread: rollouts, lock, shell snapshots."""
        return [
            *self._rollouts(thread_id),
            *self.codex_home.glob(f"thread-writer-locks/{thread_id}*"),
            *self.codex_home.glob(f"shell_snapshots/{thread_id}.*"),
        ]

    def _rollouts(self, thread_id: str) -> Iterator[Path]:
        return self.codex_home.glob(f"sessions/*/*/*/rollout-*-{thread_id}.jsonl")

    def _delete_abandoned(self, keys: Mapping[str, str]) -> None:
        """Delete conversations by key and ``CODEX_HOME``; their rollouts name the working folder."""
        for codex_home in set(keys.values()):
            home = replace(self, codex_home=Path(codex_home))
            for path in home.codex_home.glob("sessions/*/*/*/rollout-*.jsonl"):
                if _rollout_key(path) in keys:
                    home.delete_conversation(path.stem[-_THREAD_ID_LENGTH:], "")
        for key in filter(is_key, keys):
            shutil.rmtree(self.root / "databases" / key, ignore_errors=True)
            self.delete_conversation("", key)


def _rollout_key(rollout: Path) -> str:
    """Return the key of the conversation, from the working folder in the rollout's first line."""
    with rollout.open("rb") as file:
        match = _WORK_DIR_PATTERN.search(file.readline())
    return match[1].decode() if match else ""


def new_key() -> str:
    """Return a name for the folders of a new conversation, whose thread has no id yet."""
    return uuid.uuid4().hex


def is_key(text: str) -> bool:
    """Return whether ``text`` is a key of ``new_key``."""
    return _KEY.fullmatch(text) is not None


def is_thread_id(text: str) -> bool:
    """Return whether ``text`` is a thread id as Codex writes it: a UUID with dashes."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _state_dir() -> Path:
    own = os.environ.get("YEMOT_AI_HOME")
    if own:
        return Path(own).expanduser().absolute()
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state.absolute() / "yemot-ai"


def _write_private(path: Path, data: bytes) -> None:
    # mkstemp creates the file with mode 0600; the rename makes the write atomic.
    handle, draft = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(draft).replace(path)
