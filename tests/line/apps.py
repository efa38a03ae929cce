"""Applications for the line's own tests."""

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
    """Gives its answers in turn, and keeps what it was sent."""

    def __init__(self, *answers: str) -> None:
        self.sent: list[list[tuple[str, str]]] = []
        self._answers = list(answers)

    def __call__(self, pairs: Pairs) -> str:
        self.sent.append(list(pairs))
        return "noop=bye" if ("hangup", "yes") in pairs else self._answers.pop(0)

    def newest(self, name: str) -> list[str]:
        """The values of ``name`` in the last request."""
        return [value for key, value in self.sent[-1] if key == name]

    @property
    def told(self) -> list[dict[str, str]]:
        """All requests, the newest of each name."""
        return [dict(pairs) for pairs in self.sent]


def dialled(app: object, extension: str = "", **switches: Unpack[CallerOptions]) -> Caller:
    """Return a caller who has dialled; the server's own hang-ups are not told unless asked for."""
    own: CallerOptions = {"hangup_after_goto": False, **switches}
    caller = Caller(app, extension=extension, **own)
    caller.dial()
    return caller


@contextmanager
def served(app: Script) -> Iterator[str]:
    """Serve ``app`` over real HTTP; gives the link."""

    def wsgi(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        query = environ["wsgi.input"].read(length).decode() or environ["QUERY_STRING"]
        answer = app(parse_qsl(urlsplit(f"?{query}").query, keep_blank_values=True))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [answer.encode()]

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with make_server("127.0.0.1", 0, wsgi, handler_class=Quiet) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/yemot"
        finally:
            server.shutdown()
            thread.join()
