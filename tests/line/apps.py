"""Applications for the tests of the line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any, Unpack
from urllib.parse import parse_qsl, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server

from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.platform.settings import CallerOptions

Pairs = Sequence[tuple[str, str]]

ASK = "read=t-מה=q,no,voice"
BYE = "go_to_folder=hangup"


class Script:
    """Returns its responses in turn, and records the requests."""

    def __init__(self, *responses: str) -> None:
        self.sent: list[list[tuple[str, str]]] = []
        self._responses = list(responses)

    def __call__(self, pairs: Pairs) -> str:
        self.sent.append(list(pairs))
        return "noop=bye" if ("hangup", "yes") in pairs else self._responses.pop(0)

    def newest(self, name: str) -> list[str]:
        """Return the values of ``name`` in the last request."""
        return [value for key, value in self.sent[-1] if key == name]

    @property
    def requests(self) -> list[dict[str, str]]:
        """All requests as mappings, with the last value of each name."""
        return [dict(pairs) for pairs in self.sent]


def dialled(app: object, extension: str = "", **options: Unpack[CallerOptions]) -> Caller:
    """Return a caller that has dialled, without hang-up requests after the server's hang-ups."""
    with_defaults: CallerOptions = {"hangup_after_goto": False, **options}
    caller = Caller(app, extension=extension, **with_defaults)
    caller.dial()
    return caller


@contextmanager
def served(app: Script) -> Iterator[str]:
    """Serve ``app`` over HTTP, and yield its link."""

    def wsgi(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        query = environ["wsgi.input"].read(length).decode() or environ["QUERY_STRING"]
        response = app(parse_qsl(urlsplit(f"?{query}").query, keep_blank_values=True))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [response.encode()]

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with make_server("127.0.0.1", 0, wsgi, handler_class=Quiet) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/yemot"
        finally:
            server.shutdown()
            thread.join()
