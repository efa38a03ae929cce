"""The store of a flow's calls."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import Final

from yemot_ai import Engine
from yemot_ai.doctor.finding import Finding, error, ok
from yemot_ai.errors import ConfigurationError, StoreError
from yemot_ai.flow import AIFlow
from yemot_ai.sessions import MemoryStore, Session, SessionStore, SupportsCheck, open_store

__all__ = ["check_store", "check_store_of_machine"]

VARIABLE: Final = "YEMOT_AI_STORE"
"""Names the store of the reference agent, and of the projects of ``yemot-ai new``."""


def check_store(flow: AIFlow) -> Iterator[Finding]:
    """Check the store of a flow."""
    yield _try(flow.ai._runtime.store, flow.ai.engine)  # noqa: SLF001 - as YemotAI opened it


def check_store_of_machine() -> Iterator[Finding]:
    """Check the store that the environment names, if any."""
    url = os.environ.get(VARIABLE, "")
    if not url:
        yield ok("store", f"{VARIABLE} is not set")
        return
    try:
        store = open_store(url)
    except (ConfigurationError, StoreError) as failure:
        yield error("store", f"{VARIABLE}: {failure}")
        return
    yield _try(store, Engine.shared())


def _try(store: SessionStore, engine: Engine) -> Finding:
    if isinstance(store, MemoryStore):
        return ok("store", "the memory of the process: calls end with it, and only one worker can serve")
    name = type(store).__name__
    try:
        engine.run(_write(store))
    except StoreError as failure:
        return error("store", f"{name}: {failure}", "callers hear an apology until it works")
    return ok("store", f"{name}: opened, written and read")


async def _write(store: SessionStore) -> None:
    """Write a session, read it, and delete it."""
    if isinstance(store, SupportsCheck):
        await store.check()
    call_id = f"yemot-ai-doctor-{uuid.uuid4().hex}"
    try:
        await store.save(Session(call_id, ended=True), ttl=60)
        await store.load(call_id)
    finally:
        await store.delete(call_id)
