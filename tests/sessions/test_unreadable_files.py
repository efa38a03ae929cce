"""What cannot be read in the folder of the JSON store, or is not the store's, hides nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from yemot_ai import YemotAI
from yemot_ai.errors import StoreError
from yemot_ai.sessions import JSONFileStore, RedisStore, Session
from yemot_ai.sessions.stores.files import file_name
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "calls"


def make_folder(path: Path) -> None:
    path.mkdir()
    (path / "content").touch()


def make_socket(path: Path) -> None:
    os.mknod(path, stat.S_IFSOCK | 0o600)


PLACES: dict[str, Callable[[Path], object]] = {
    "folder": make_folder,
    "pipe": os.mkfifo,
    "socket": make_socket,
    "dangling link": lambda path: path.symlink_to(path.with_name("nowhere")),
    "link to itself": lambda path: path.symlink_to(path),
    "link to a file": lambda path: path.symlink_to("/etc/passwd"),
    "link to a folder": lambda path: path.symlink_to("/etc"),
    "empty file": lambda path: path.touch(),
    "half a record": lambda path: path.write_text('{"saved":1.0,"expires":9e9,"session":{"format"'),
    "zero bytes": lambda path: path.write_bytes(bytes(4096)),
    "other JSON": lambda path: path.write_text("[1, 2]"),
    "newer": lambda path: path.write_text('{"saved":1.0,"expires":9e9,"session":{"format":99}}'),
}

DAMAGED = [place for place in PLACES if place != "newer"]


async def listed(store: JSONFileStore) -> list[str]:
    return [call_id async for call_id in store.call_ids()]


@pytest.mark.parametrize("place", PLACES)
def test_what_stands_in_the_place_of_a_session_hides_no_other_call(root: Path, place: str) -> None:
    async def run_steps() -> tuple[list[str], frozenset[str]]:
        store = JSONFileStore(root)
        await store.save(Session("c1"), ttl=60)
        await store.save(Session("c3", ended=True), ttl=60)
        await store.save(Session("c4"), ttl=-1)
        PLACES[place](root / "sessions" / file_name("c2"))
        return sorted(await listed(store)), await store.ended(["c2", "c1", "c3"])

    calls, ended = asyncio.run(run_steps())

    assert (calls, ended) == (["c1", "c3"], frozenset({"c3"}))
    assert not list((root / "sessions").glob("c4-*"))  # what had expired was deleted


@pytest.mark.parametrize("place", DAMAGED)
def test_the_call_itself_starts_again(root: Path, place: str) -> None:
    async def run_steps() -> Session | None:
        store = JSONFileStore(root)
        PLACES[place](root / "sessions" / file_name("c2"))
        await store.load("c2")
        return await store.save(Session("c2"), ttl=60)

    assert asyncio.run(run_steps()) == Session("c2", version=1)


@pytest.mark.parametrize("place", DAMAGED)
def test_what_stands_in_the_place_of_a_lease_is_no_obstacle(root: Path, place: str) -> None:
    async def run_steps() -> list[str]:
        store = JSONFileStore(root)
        await store.save(Session("c1"), ttl=60)
        PLACES[place](root / "holds" / file_name("key"))
        calls = await listed(store)
        async with asyncio.timeout(5), store.hold("key"):
            return calls

    assert asyncio.run(run_steps()) == ["c1"]


def test_a_file_that_may_not_be_read_is_logged_once_with_its_path(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = root / "sessions" / file_name("c2")
    real = os.open

    def denied(place: os.PathLike[str], *arguments: int) -> int:
        if place == path:  # as for a file of root; root itself may read all
            raise PermissionError(13, "Permission denied")
        return real(place, *arguments)

    async def run_steps() -> list[list[str]]:
        store = JSONFileStore(root)
        for call_id in ("c1", "c2", "c3"):
            await store.save(Session(call_id), ttl=60)
        monkeypatch.setattr(os, "open", denied)
        found = [await listed(store), await listed(store)]
        await store.ended(["c2"])
        with pytest.raises(
            StoreError,
            match=f"{path} cannot be read: Permission denied .if it belongs to another user: chown",
        ):
            await store.load("c2")
        monkeypatch.setattr(os, "open", real)
        return [*found, await listed(store)]

    assert list(map(sorted, asyncio.run(run_steps()))) == [["c1", "c3"], ["c1", "c3"], ["c1", "c2", "c3"]]
    assert caplog.text.count(f"{path} cannot be read") == 1


def test_a_lock_file_of_another_user_is_replaced(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, real, locks = JSONFileStore(root), os.open, root / "locks"
    for number in range(64):
        (locks / f"{number:02}").touch()
    before = {path: path.stat().st_ino for path in locks.iterdir()}

    def denied(place: os.PathLike[str], *arguments: int) -> int:
        path = Path(place)
        if path.parent == locks and path.exists() and path.stat().st_ino == before[path]:
            raise PermissionError(13, "Permission denied")
        return real(place, *arguments)

    monkeypatch.setattr(os, "open", denied)

    assert asyncio.run(store.save(Session("c1"), ttl=60)).version == 1


def test_files_of_others_in_the_folders_are_left_alone(root: Path) -> None:
    names = ("notes.json", "a-b.json", "c2-0123.json", ".hidden", "README")

    async def run_steps() -> list[str]:
        store = JSONFileStore(root)
        await store.save(Session("c1"), ttl=60)
        for name in names:
            for folder in ("sessions", "holds"):
                (root / folder / name).write_text("of another program")
        return await listed(store)

    assert asyncio.run(run_steps()) == ["c1"]
    assert {(root / "sessions" / name).read_text() for name in names} == {"of another program"}
    assert {(root / "holds" / name).read_text() for name in names} == {"of another program"}


def test_calls_are_counted_and_ended_beside_an_unreadable_file(root: Path) -> None:
    provider = ScriptedProvider().answers("א")
    ai = YemotAI(provider=provider, store=JSONFileStore(root))
    ai.reply("c1", "אחת")
    make_folder(root / "sessions" / file_name("c2"))

    assert ai.open_calls() == 1
    ai.end("c1")
    assert ai.open_calls() == 0
    ai.close()


def test_a_key_of_another_type_on_the_server_hides_no_call(redis_url: str) -> None:
    async def run_steps() -> tuple[list[str], frozenset[str]]:
        store = RedisStore(redis_url, prefix="typed:")
        await store.save(Session("c1", ended=True), ttl=60)
        with redis.Redis.from_url(redis_url) as client:
            client.set("typed:session:c2", json.dumps("of another program"))
        found = [call_id async for call_id in store.call_ids()], await store.ended(["c2", "c1"])
        await store.aclose()
        return found

    assert asyncio.run(run_steps()) == (["c1"], frozenset({"c1"}))
