from __future__ import annotations

import asyncio
import os
import shutil
import stat
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sessions.writer_processes import counted, start_process
from yemot_ai.errors import StoreError
from yemot_ai.sessions import JSONFileStore, Session, update_session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "calls"


def listed(store: JSONFileStore) -> list[str]:
    async def all_of_them() -> list[str]:
        return [call_id async for call_id in store.call_ids()]

    return asyncio.run(all_of_them())


ODD = [
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "",
    "a/b",
    "a\\b",
    "\x00",
    "~",
    "con",
    "x" * 5000,
    "שיחה",
    "\ud800",
]


@pytest.mark.parametrize("call_id", ODD, ids=repr)
def test_no_name_is_a_path_outside_the_folder(folder: Path, call_id: str) -> None:
    around = folder.parent
    before = set(around.rglob("*"))
    store = JSONFileStore(folder)

    asyncio.run(store.save(Session(call_id), ttl=60))

    made = set(around.rglob("*")) - before
    assert all(path == folder or folder in path.parents for path in made)
    assert listed(store) == [call_id]


@pytest.mark.slow
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.text(st.characters(exclude_categories=())), unique=True, max_size=4))
def test_no_two_names_share_a_file(tmp_path: Path, names: list[str]) -> None:
    folder = tmp_path / "each"
    store = JSONFileStore(folder)

    async def run_steps() -> None:
        for name in names:
            await store.save(Session(name, phone=name), ttl=60)
        for name in names:
            loaded = await store.load(name)
            assert loaded is not None
            assert loaded.phone == name

    asyncio.run(run_steps())
    assert sorted(listed(store)) == sorted(names)
    shutil.rmtree(folder)


def test_other_users_cannot_read_what_was_said(folder: Path) -> None:
    old = os.umask(0)
    try:
        store = JSONFileStore(folder)

        async def run_steps() -> None:
            async with store.hold("key"):
                await store.save(Session("c1"), ttl=60)

        asyncio.run(run_steps())
    finally:
        os.umask(old)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}
    folders = {stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert (modes, folders) == ({0o600}, {0o700})


@pytest.mark.slow
def test_a_process_that_is_killed_while_it_writes_leaves_the_old_session_whole(folder: Path) -> None:
    store = JSONFileStore(folder)
    asyncio.run(store.save(Session("c1", phone="old"), ttl=600))

    with start_process("dies", str(folder)) as process:
        assert process.wait(30) == -9

    assert len(list((folder / "sessions").glob(".draft-*"))) == 1
    assert asyncio.run(store.load("c1")) == Session("c1", version=1, phone="old")
    assert listed(store) == ["c1"]
    assert asyncio.run(update_session(store, "c1", counted, ttl=600)).version == 2


@pytest.mark.slow
def test_only_drafts_and_leases_of_dead_processes_are_removed(folder: Path) -> None:
    store = JSONFileStore(folder)
    with start_process("dies", str(folder)) as process:
        process.wait(30)
    with start_process("holds", f"json:{folder}") as process:
        process.wait(30)

    def left() -> list[int]:
        return [len(list(folder.glob(pattern))) for pattern in ("sessions/.draft-*", "holds/*.json")]

    listed(store)
    assert left() == [1, 1]
    (draft,), (lease,) = folder.glob("sessions/.draft-*"), folder.glob("holds/*.json")
    os.utime(draft, (0, 0))
    lease.write_text(f'["another", {time.time() - 3600}]')
    listed(store)
    assert left() == [0, 0]


@pytest.mark.slow
def test_processes_on_one_folder_lose_no_update(folder: Path) -> None:
    workers = [start_process("counts", f"json:{folder}", 50) for _ in range(4)]
    for worker in workers:
        with worker:
            assert worker.wait(120) == 0

    session = asyncio.run(JSONFileStore(folder).load("c1"))
    assert session is not None
    assert (session.next_turn, session.version) == (201, 200)


def test_an_intact_file_that_replaced_a_damaged_one_is_not_quarantined(folder: Path) -> None:
    store = JSONFileStore(folder)
    asyncio.run(store.save(Session("c1", phone="good"), ttl=60))
    (path,) = (folder / "sessions").glob("*.json")
    good = path.read_bytes()
    path.write_bytes(b"half")
    locked = store._locked

    def replaced_before_lock(name: str) -> object:
        path.write_bytes(good)
        return locked(name)

    store._locked = replaced_before_lock  # type: ignore[method-assign,assignment]

    assert asyncio.run(store.load("c1")) == Session("c1", version=1, phone="good")
    assert not list((folder / "sessions").glob("*.damaged"))


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_lock_is_released_although_a_child_was_forked(folder: Path) -> None:
    store = JSONFileStore(folder)
    asyncio.run(store.save(Session("c1"), ttl=60))
    (path,) = (folder / "sessions").glob("*.json")
    reading, writing = os.pipe()
    with store._locked(path.name):
        child = os.fork()
        if child == 0:
            os.read(reading, 1)
            os._exit(0)
    try:

        async def run_steps() -> Session:
            async with asyncio.timeout(10):
                return await update_session(store, "c1", counted, ttl=60)

        assert asyncio.run(run_steps()).version == 2
    finally:
        os.write(writing, b"x")
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("action", ["save", "delete", "hold"])
def test_a_folder_that_is_gone_is_a_store_error_that_names_it(folder: Path, action: str) -> None:
    store = JSONFileStore(folder)
    shutil.rmtree(folder)

    async def run_steps() -> None:
        if action == "save":
            await store.save(Session("c1"), ttl=60)
        elif action == "delete":
            await store.delete("c1")
        else:
            async with store.hold("key"):
                raise AssertionError("the hold must fail")

    with pytest.raises(StoreError, match=str(folder)):
        asyncio.run(run_steps())


def test_a_file_in_the_folders_place_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="cannot be used"):
        JSONFileStore(tmp_path / "file")


def test_a_damaged_lease_counts_as_free(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = JSONFileStore(folder)

    async def run_steps() -> None:
        async with store.hold("key"):
            (lease,) = (folder / "holds").glob("*.json")
            lease.write_bytes(b"\xff[")
            async with asyncio.timeout(5), store.hold("key"):
                pass

    asyncio.run(run_steps())
    assert "counts as free" in caplog.text


def test_what_has_expired_is_removed_from_the_disk(folder: Path) -> None:
    store = JSONFileStore(folder)
    asyncio.run(store.save(Session("c1"), ttl=-1))
    asyncio.run(store.save(Session("c2"), ttl=60))

    assert listed(store) == ["c2"]
    assert len(list((folder / "sessions").iterdir())) == 1
    assert replace(Session("c1"), version=1) == asyncio.run(store.save(Session("c1"), ttl=60))
