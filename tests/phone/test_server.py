"""The phone's server: what programs get, and whom it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from yemot_ai_testing.phone.phone import MAX_CALLS, Phone
from yemot_ai_testing.phone.target import open_phone_target
from yemot_ai_testing.phone.web.server import make_phone_server

ROOT = "http://127.0.0.1/token/"


@pytest.fixture
def client(line_module: str, tmp_path: Path) -> Iterator[TestClient]:
    with open_phone_target(line_module) as target:
        app = make_phone_server(Phone(target, tmp_path), "token")
        with TestClient(app, base_url=ROOT, raise_server_exceptions=False) as client:
            yield client


def post(client: TestClient, path: str, values: object) -> dict[str, Any]:
    response = client.post(path, json=values)
    answer: dict[str, Any] = response.json()
    return {"status": response.status_code, **answer}


def test_a_call_as_json(client: TestClient) -> None:
    dialled = post(client, "api/calls?wait=10", {"extension": "order"})
    assert dialled["heard"] == "מה תרצו להזמין?"
    said = post(client, "api/calls/1/commands?wait=10&rows=3&exchanges=1", {"command": "says פיצה"})
    assert [row["text"] for row in said["rows"] if row["origin"] == "line"] == ["אמרת, פיצה"]
    assert [exchange["body"] for exchange in said["exchanges"]] == ["read=t-אמרת, פיצה=ai_2,no,voice"]
    assert post(client, "api/calls/1/commands?wait=10", {"command": "hangs-up"})["ended"]
    assert [call["call"] for call in client.get("api/calls").json()["calls"]] == [1]
    target = client.get("api/target").json()
    assert {"", "order"} <= {*target["extensions"]}
    assert target["model"] == "echo"


@pytest.mark.parametrize(
    ("path", "values", "status", "said"),
    [
        ("api/calls/7/commands", {"command": "says x"}, 404, "there is no call 7"),
        ("api/calls/1/commands", {"command": "sings"}, 400, "a phone has no command"),
        ("api/calls/1/commands", {}, 400, "command is a text"),
        ("api/calls/1/commands", [1], 400, "send a JSON object"),
        ("api/calls/1/save", {"name": "../x"}, 400, "is no name of a file"),
        ("api/replays", {"file": "none.call.yaml"}, 400, "cannot be read"),
        ("api/calls", {"phone": 5}, 400, "phone is a text"),
        ("api/calls/1/commands?rows=-1", {"command": "silent"}, 400, "rows is a number"),
    ],
)
def test_what_is_wrong_is_said(client: TestClient, path: str, values: object, status: int, said: str) -> None:
    post(client, "api/calls?wait=10", {})
    answer = post(client, path, values)
    assert answer["status"] == status
    assert said in answer["error"]


def test_a_body_that_is_too_large_is_refused(client: TestClient) -> None:
    response = client.post("api/calls", content=b" " * 1_000_001)
    assert response.status_code == 413


def test_there_is_a_limit_of_calls(client: TestClient) -> None:
    for _ in range(MAX_CALLS):
        assert post(client, "api/calls?wait=10", {})["status"] == 200
    assert "hang up first" in post(client, "api/calls", {})["error"]


def test_only_those_who_know_the_token_get_anything(client: TestClient) -> None:
    for path in ("http://127.0.0.1/", "http://127.0.0.1/api/calls", "http://127.0.0.1/other/api/calls"):
        assert client.get(path).status_code == 404


def test_a_name_of_another_site_that_leads_here_is_refused(client: TestClient) -> None:
    assert client.get("api/calls", headers={"host": "attacker.example"}).status_code == 400


@pytest.mark.parametrize("path", ["", "phone.js", "phone.css", "api/target"])
def test_the_page_is_kept_to_its_own_server(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["content-security-policy"].startswith("default-src 'self'")
    assert "access-control-allow-origin" not in response.headers
