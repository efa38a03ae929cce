"""Threads that another process deletes while this one lists them."""

from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai_testing.codex.fake.program.threads import delete_rollout, is_forked, newest_thread_id

THREAD = "01a22e1b-6f6c-7870-85ed-32e4644aba0e"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one thread, and one that is listed but can no longer be opened."""
    folder = tmp_path / "sessions" / "2026"
    folder.mkdir(parents=True)
    (folder / "rollout-1-gone.jsonl").symlink_to(folder / "nowhere")
    (folder / f"rollout-2-{THREAD}.jsonl").write_text('{"forked_from_id":"other","cwd":"/work"}}\n')
    return tmp_path


def test_a_fork_is_found_beside_a_thread_that_is_gone(home: Path) -> None:
    assert is_forked(str(home), "other")
    assert not is_forked(str(home), THREAD)


def test_the_newest_thread_is_found_beside_one_that_is_gone(home: Path) -> None:
    assert newest_thread_id(str(home), "/work") == newest_thread_id(str(home), "") == THREAD


def test_a_thread_that_is_gone_is_deleted(home: Path) -> None:
    delete_rollout(str(home / "sessions" / "2026" / "nowhere"))
