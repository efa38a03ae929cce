"""Open the store of a URL, as in a setting; only that one is imported.

>>> open_store("memory:").immediate
True
"""

from __future__ import annotations

from yemot_ai.errors import ConfigurationError
from yemot_ai.redaction import redact_url
from yemot_ai.sessions.store import SessionStore
from yemot_ai.sessions.stores.memory import MemoryStore

__all__ = ["open_store"]


def open_store(url: str) -> SessionStore:
    """Open the store that ``url`` names.

    Args:
        url: ``memory:``, ``json:FOLDER``, ``sqlite:FILE``, or the URL of a Redis server
            (``redis://host:port/0``, ``rediss://…``, ``unix:///path``).

    Raises:
        ConfigurationError: if it names no store.
        StoreError: if the folder or file cannot be used.
    """
    kind, _, rest = url.partition(":")
    if kind in {"redis", "rediss", "unix"}:
        from yemot_ai.sessions.stores.redis import RedisStore  # noqa: PLC0415

        return RedisStore(url)
    if kind == "json" and rest:
        from yemot_ai.sessions.stores.json_file import JSONFileStore  # noqa: PLC0415

        return JSONFileStore(rest)
    if kind == "sqlite" and rest:
        from yemot_ai.sessions.stores.sqlite import SQLiteStore  # noqa: PLC0415

        return SQLiteStore(rest)
    if url == "memory:":
        return MemoryStore()
    raise ConfigurationError(
        f"{redact_url(url)!r} names no store: use memory:, json:FOLDER, sqlite:FILE or redis://host:port/0"
    )
