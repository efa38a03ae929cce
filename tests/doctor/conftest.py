"""Modules with flows, and servers of one application."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import WSGIApplication

import pytest

WriteModule: TypeAlias = Callable[[str], str]
Serve: TypeAlias = Callable[..., str]

FLOW = """\
from yemot_ai import AccessPolicy, AIFlow, YemotAI
from yemot_ai_testing import ScriptedProvider

flow = AIFlow(YemotAI(provider=ScriptedProvider()))
"""


@pytest.fixture
def write_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WriteModule]:
    """Write a module into the working directory; return its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    names: list[str] = []

    def write(source: str) -> str:
        names.append(f"examined_line_{len(names)}")
        (tmp_path / f"{names[-1]}.py").write_text(source, encoding="utf-8")
        return names[-1]

    yield write
    for name in names:
        sys.modules.pop(name, None)


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve a WSGI application on this machine; return its URL."""
    with contextlib.ExitStack() as stack:

        def start(app: WSGIApplication, wrap: Callable[[WSGIServer], None] | None = None) -> str:
            server = stack.enter_context(make_server("127.0.0.1", 0, app, handler_class=_QuietHandler))
            if wrap is not None:
                wrap(server)
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}/yemot"

        yield start
