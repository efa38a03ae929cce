"""An application whose line is below a path, as most web applications have it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

import flask
import pytest

from yemot_ai import AIFlow
from yemot_ai_testing import Caller
from yemot_ai_testing.errors import AppError, LineError


def shop() -> flask.Flask:
    """Return a web application with a page at its root and the line at two paths."""
    app = flask.Flask(__name__)

    def line(_name: str = "") -> str:
        return f"id_list_message=t-{flask.request.path.strip('/')}&go_to_folder=hangup"

    app.add_url_rule("/", view_func=lambda: "<html>", endpoint="page")
    app.add_url_rule("/yemot", view_func=line, endpoint="line", methods=["GET", "POST"])
    app.add_url_rule("/yemot/<_name>", view_func=line, endpoint="line of a name")
    return app


async def asgi_shop(scope: Any, receive: Callable[..., Any], send: Callable[..., Any]) -> None:  # noqa: ANN401
    assert scope["type"] == "http"
    body = f"id_list_message=t-{scope['path'].strip('/')}&go_to_folder=hangup".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wsgi_application_is_called_at_its_path(method: Any) -> None:  # noqa: ANN401 - of two texts
    assert Caller(shop(), method=method, path="/yemot").dial() == "yemot"


@pytest.mark.parametrize("app", [shop(), asgi_shop], ids=["wsgi", "asgi"])
@pytest.mark.parametrize("path", ["/yemot", "/yemot/שלום"])
def test_an_application_is_called_at_a_path_of_any_letters(app: object, path: str) -> None:
    assert Caller(app, path=path).dial() == path.strip("/")


def test_without_its_path_the_error_says_where_to_write_it() -> None:
    with pytest.raises(LineError) as caught:
        Caller(lambda environ, start: not_found(start)).dial()
    assert caught.value.code == "status"
    assert 'path="/yemot"' in caught.value.hint


@pytest.mark.parametrize(
    ("method", "hint"),
    [
        ("GET", 'the line sends GET; for POST write api_url_post=yes, here method="POST"'),
        ("POST", 'the line sends POST; for GET leave out api_url_post=yes, here method="GET"'),
    ],
)
def test_a_method_that_the_server_refuses_is_named_with_the_setting(
    method: Literal["GET", "POST"], hint: str
) -> None:
    app = flask.Flask(__name__)
    methods = ["POST" if method == "GET" else "GET"]
    app.add_url_rule("/", view_func=lambda: "go_to_folder=hangup", methods=methods)
    with pytest.raises(LineError) as caught:
        Caller(app, method=method).dial()
    assert caught.value.hint == f"answer with HTTP status 200 and nothing else; {hint}"


@pytest.mark.parametrize("status", ["500 X", "403 X", "301 X"])
def test_a_status_that_has_nothing_to_do_with_the_path_does_not_speak_of_it(status: str) -> None:
    def app(_environ: object, start_response: Callable[..., Any]) -> list[bytes]:
        start_response(status, [])
        return []

    with pytest.raises(LineError) as caught:
        Caller(app).dial()
    assert caught.value.hint == "answer with HTTP status 200 and nothing else"


def not_found(start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("404 NOT FOUND", [])
    return [b"<html>"]


@pytest.mark.parametrize("path", ["yemot", "", "/yemot?secret=x", "/a#b", 5, None])
def test_what_is_no_path_is_an_error(path: Any) -> None:  # noqa: ANN401 - a mistake
    with pytest.raises(AppError, match=r'path is a path such as "/yemot", without a query'):
        Caller(shop(), path=path)


def test_a_url_has_its_own_path() -> None:
    with pytest.raises(AppError, match=r"write it into the url, http://127\.0\.0\.1:5/yemot"):
        Caller("http://127.0.0.1:5/", path="/yemot")


def test_what_answers_at_no_path_refuses_one(flow: AIFlow) -> None:
    for app in (flow, lambda pairs: "go_to_folder=hangup"):
        with pytest.raises(AppError, match="is for a WSGI or ASGI application"):
            Caller(app, path="/yemot")
