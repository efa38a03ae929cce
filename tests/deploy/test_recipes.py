"""The files of ``docs/deploy/``: their commands are valid, and their numbers fit those of the server."""

from __future__ import annotations

import argparse
import ast
import configparser
import re
import shlex
import urllib.error
from pathlib import Path

import pytest

from tests.attacks.server import served
from yemot_ai import RequestLimits
from yemot_ai.cli import serve
from yemot_ai.server.limits import ServerLimits
from yemot_ai.server.run import HELD_SECONDS

DEPLOY = Path(__file__).parents[2] / "docs/deploy"


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    parser.read_string(text_of("yemot-ai.service"))
    return parser


def commands() -> dict[str, list[str]]:
    """The command of each recipe that starts the server."""
    (image,) = re.findall(r"^CMD (\[.*\])$", text_of("Dockerfile"), re.MULTILINE)
    return {"docker": ast.literal_eval(image), "systemd": shlex.split(unit()["Service"]["ExecStart"])}


def health_code() -> str:
    (command,) = re.findall(r"^    CMD (\[.*\])$", text_of("Dockerfile"), re.MULTILINE)
    return str(ast.literal_eval(command)[2])


@pytest.mark.parametrize("recipe", ["docker", "systemd"])
def test_the_command_is_one_of_yemot_ai(recipe: str) -> None:
    program, name, *arguments = commands()[recipe]
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)

    assert (Path(program).name, name) == ("yemot-ai", "serve")
    assert parser.parse_args(arguments).flow == "line:flow"


def test_systemd_gives_the_server_more_time_than_it_takes_to_end() -> None:
    assert int(unit()["Service"]["TimeoutStopSec"]) > ServerLimits().drain_seconds + HELD_SECONDS


@pytest.mark.parametrize("name", ["Caddyfile", "nginx.conf"])
def test_a_proxy_drops_a_connection_before_the_server_does(name: str) -> None:
    (seconds,) = re.findall(r"keepalive(?:_timeout)? (\d+)s", text_of(name))

    assert int(seconds) < ServerLimits().keep_alive_seconds


def test_nginx_lets_through_what_the_server_does() -> None:
    (megabytes,) = re.findall(r"client_max_body_size (\d+)m", text_of("nginx.conf"))
    (kilobytes,) = re.findall(r"large_client_header_buffers \d+ (\d+)k", text_of("nginx.conf"))

    assert int(megabytes) * 2**20 >= RequestLimits().body_bytes
    assert int(kilobytes) * 2**10 >= RequestLimits().query_bytes


@pytest.mark.slow
def test_the_health_check_of_the_image_passes_while_the_server_answers(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        code = compile(health_code().replace(":8000", f":{server.port}"), "Dockerfile", "exec")
        exec(code, {})  # noqa: S102 - the command of the recipe
    with pytest.raises(urllib.error.URLError):
        exec(code, {})  # noqa: S102 - as above
