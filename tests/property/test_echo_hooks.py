"""Hooks of the echoing model, which run while it thinks, each in a thread."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from yemot_ai_testing.property import EchoProvider

WAIT_SECONDS = 0.1


def test_who_waits_while_a_hook_begins_waits_for_the_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    echo, ran, start = EchoProvider(), threading.Event(), threading.Thread.start
    waiting: list[Future[None]] = []

    def start_slowly(thread: threading.Thread) -> None:
        if thread.name == "yemot-echo-hook":
            waiting.append(pool.submit(echo.wait_until_idle))
            ran.wait(WAIT_SECONDS)
        start(thread)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()  # its thread runs
        monkeypatch.setattr(threading.Thread, "start", start_slowly)
        echo.on_thinking = ran.set
        echo.ask_blocking("אמירה 7001")

    assert waiting[0].exception() is None
    assert ran.is_set()
