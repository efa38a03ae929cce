"""Files and folders that other users of the machine can read or replace."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from yemot_ai.errors import StoreError
from yemot_ai.sessions import JSONFileStore, Session, SQLiteStore


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def modes_while_open(file: Path) -> dict[str, int]:
    store = SQLiteStore(file)
    await store.save(Session("c1"), ttl=60)
    modes = {path.name: mode(path) for path in file.parent.iterdir()}
    await store.aclose()
    return modes


@pytest.mark.parametrize("before", [0o666, 0o664, 0o644, 0o640, 0o660, 0o777, 0o604])
def test_an_open_database_is_closed_and_so_is_what_is_beside_it(
    file: Path, before: int, caplog: pytest.LogCaptureFixture
) -> None:
    file.touch()
    file.chmod(before)

    modes = asyncio.run(modes_while_open(file))

    assert modes.keys() >= {"calls.db", "calls.db-wal", "calls.db-shm", "calls.db-lock"}
    assert set(modes.values()) == {0o600}
    assert f"{file} is open to other users (mode {before:04o}): changed to 0600" in caplog.text


@pytest.mark.parametrize("name", ["calls.db-wal", "calls.db-shm", "calls.db-lock"])
def test_an_open_file_beside_the_database_is_closed(file: Path, name: str) -> None:
    other = SQLiteStore(file)
    path = file.with_name(name)
    path.touch()
    path.chmod(0o666)

    modes = asyncio.run(modes_while_open(file))
    other._close()

    assert set(modes.values()) == {0o600}


def test_a_closed_database_is_no_warning(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(modes_while_open(file))
    SQLiteStore(file)._close()

    assert caplog.text == ""


@pytest.mark.parametrize("name", ["calls.db-wal", "calls.db-shm", "calls.db-lock"])
@pytest.mark.parametrize("place", ["link", "dangling", "folder"])
def test_what_is_no_file_beside_the_database_is_an_error_that_says_what_to_do(
    file: Path, name: str, place: str
) -> None:
    path, target = file.with_name(name), file.with_name("target")
    if place == "folder":
        path.mkdir()
    else:
        path.symlink_to(target)
        if place == "link":
            target.write_text("of another program")
    before = target.read_bytes() if target.exists() else None

    with pytest.raises(StoreError, match=str(path)):
        SQLiteStore(file)
    assert (target.read_bytes() if target.exists() else None) == before


@pytest.mark.parametrize("before", [0o666, None], ids=["open", "missing"])
def test_a_link_to_a_database_leads_to_a_closed_one(tmp_path: Path, before: int | None) -> None:
    (tmp_path / "data").mkdir()
    target, link = tmp_path / "data" / "real.db", tmp_path / "calls.db"
    if before is not None:
        SQLiteStore(target)._close()
        target.chmod(before)
    link.symlink_to(target)
    old = os.umask(0)
    try:
        modes = asyncio.run(modes_while_open(link))
        beside = {path.name: mode(path) for path in target.parent.iterdir()}
    finally:
        os.umask(old)

    assert modes.keys() == {"data", "calls.db"}
    assert set(beside.values()) == {0o600}


def test_a_folder_in_the_place_of_the_database_is_an_error(file: Path) -> None:
    file.mkdir()

    with pytest.raises(StoreError, match=str(file)):
        SQLiteStore(file)


@pytest.mark.parametrize("make_store", [SQLiteStore, lambda path: JSONFileStore(path.with_name("calls"))])
def test_a_parent_that_every_user_can_write_to_is_a_warning_with_the_command(
    tmp_path: Path, make_store: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    parent = tmp_path / "open place"
    parent.mkdir()
    parent.chmod(0o777)

    make_store(parent / "calls.db")

    assert f"{parent} is open to other users (mode 0777); to close it: chmod o-w '{parent}'" in caplog.text
    assert mode(parent) == 0o777


def test_a_sticky_parent_is_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tmp_path.chmod(0o1777)

    SQLiteStore(tmp_path / "calls.db")

    assert caplog.text == ""


@pytest.mark.parametrize("before", [0o777, 0o770, 0o755])
def test_open_folders_of_the_json_store_are_closed(
    tmp_path: Path, before: int, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "calls"
    JSONFileStore(root)
    folders = (root, root / "sessions", root / "holds", root / "locks")
    for folder in folders:
        folder.chmod(before)

    JSONFileStore(root)

    assert {mode(folder) for folder in folders} == {0o700}
    assert f"{root}/sessions is open to other users (mode {before:04o}): changed to 0700" in caplog.text


def test_a_folder_with_other_contents_is_not_closed_but_the_sessions_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "site"
    root.mkdir()
    (root / "index.html").touch()
    root.chmod(0o777)

    JSONFileStore(root)

    assert (mode(root), mode(root / "sessions")) == (0o777, 0o700)
    assert f"chmod go-w {root}" in caplog.text


def test_a_link_in_the_place_of_a_folder_is_not_followed_to_close_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    target.chmod(0o755)
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls" / "sessions").symlink_to(target)

    JSONFileStore(tmp_path / "calls")

    assert mode(target) == 0o755
    assert "sessions is a symbolic link" in caplog.text


def test_the_database_of_another_user_is_a_warning_with_the_command(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    SQLiteStore(file)._close()
    file.chmod(0o666)
    monkeypatch.setattr(os, "geteuid", lambda: 4242)

    SQLiteStore(file)._close()

    assert f"{file} belongs to another user ({os.getuid()}, mode 0666)" in caplog.text
    assert f"chown 4242 {file}" in caplog.text
    assert mode(file) == 0o666


def test_what_root_writes_belongs_to_the_owner_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda descriptor, user, group: given.append((user, group)))
    monkeypatch.setattr(os, "chown", lambda path, user, group: given.append((user, group)))

    asyncio.run(JSONFileStore(tmp_path / "calls").save(Session("c1"), ttl=60))
    SQLiteStore(tmp_path / "calls.db")._close()

    owner = tmp_path.stat()
    assert len(given) >= 7
    assert set(given) == {(owner.st_uid, owner.st_gid)}
