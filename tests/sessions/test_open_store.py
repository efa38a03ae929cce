from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai.errors import ConfigurationError
from yemot_ai.sessions import JSONFileStore, MemoryStore, RedisStore, SQLiteStore, open_store


def test_a_url_opens_a_store(tmp_path: Path) -> None:
    opened = [
        open_store(place)
        for place in ("memory:", f"json:{tmp_path}/j", f"sqlite:{tmp_path}/s.db", "redis://localhost/0")
    ]

    assert [type(store) for store in opened] == [MemoryStore, JSONFileStore, SQLiteStore, RedisStore]


@pytest.mark.parametrize(
    "place", ["", "memory", "json:", "sqlite:", "postgres://host", "reddis://:sesame@host"]
)
def test_an_invalid_url_is_refused_without_showing_a_password(place: str) -> None:
    with pytest.raises(ConfigurationError, match="names no store") as caught:
        open_store(place)
    assert "sesame" not in str(caught.value)
