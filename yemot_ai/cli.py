"""``yemot-ai``: serve a flow, and print the settings of the line that calls it."""

from __future__ import annotations

import argparse
import importlib.util
import re
import secrets
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yemot_ai
from yemot_ai.errors import ConfigurationError, MissingExtraError, YemotAIError
from yemot_ai.flow import AIFlow
from yemot_ai.importer import import_from_string
from yemot_ai.server.limits import ServerLimits
from yemot_ai.server.logs import LEVELS

__all__ = ["ext_ini", "load_flow", "main"]

MAX_PORT = 65535

REFERENCE_FLOW = "yemot_ai.reference:flow"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    try:
        arguments = _parser().parse_args(argv)
        code: int = arguments.run(arguments)
    except YemotAIError as error:
        print(f"yemot-ai: {error}", file=sys.stderr)
        return 2
    return code


def load_flow(name: str) -> AIFlow:
    """Import the flow that ``module:attribute`` names; ``flow`` is the default attribute.

    Raises:
        ConfigurationError: if there is no such attribute, or it is not an AIFlow.
    """
    target = name if ":" in name else f"{name}:flow"
    flow = import_from_string(target, [str(Path.cwd())])
    if not isinstance(flow, AIFlow):
        raise ConfigurationError(f"{target} is no AIFlow: {flow!r}")
    return flow


def ext_ini(url: str, *, secret: str | None = None) -> str:
    """Return the ``ext.ini`` of an extension that is served at ``url`` (all settings: [OFF]).

    Args:
        url: the address that the line requests.
        secret: what the line sends with each request, for ``AccessPolicy(secret=…)``.

    Raises:
        ConfigurationError: if ``url`` cannot be an ``api_link``, or ``secret`` cannot be a constant.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigurationError(f"{url!r} is no URL: {error}") from error
    plain = url.isprintable() and not any(character.isspace() for character in url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
        raise ConfigurationError(f"{url!r} is no http(s) URL that the line could call")
    if parts.query or parts.fragment:
        raise ConfigurationError(
            f"{url!r} carries a query: the line would add a second '?'; send constants by api_add_0"
        )
    settings = (("type", "api"), ("api_link", url), *_SETTINGS, *_constants(secret))
    return "".join(f"{name}={value}\n" for name, value in settings)


def _constants(secret: str | None) -> tuple[tuple[str, str], ...]:
    if secret is None:
        return ()
    if not _SECRET.fullmatch(secret):
        raise ConfigurationError(
            "a secret for ext.ini is 8 or more of A-Z a-z 0-9 . _ ~ - (--secret alone makes one)"
        )
    return (("api_add_0", f"secret={secret}"),)


_SETTINGS = (
    ("api_url_post", "yes"),  # long Hebrew values do not fit into a URL
    ("api_say_tts", "no"),  # or the line reads to callers what they said
    ("api_wait_answer_music_on_hold", "yes"),  # or they hear nothing while the request waits
)


_SECRET = re.compile(r"[A-Za-z0-9._~-]{8,}")
"""Characters that need no escaping in a URL: how the line encodes constants is not documented."""

SECRET_BYTES = 24

SERVER_OPTIONS = {
    "connections": ("--limit-connections", "open connections"),
    "header_seconds": ("--header-seconds", "seconds until the headers of a request have to be there"),
    "keep_alive_seconds": ("--keep-alive-seconds", "seconds that a connection stays open after a response"),
    "drain_seconds": ("--drain", "seconds that running turns get after SIGTERM, SIGINT or SIGHUP"),
}
"""By the fields of ``ServerLimits``: the options of ``serve`` and their help."""


PLUGIN_GROUP = "yemot_ai.commands"
"""The entry points of commands that other packages have; each is a module with ``add_arguments(parser)``."""

PLUGIN_COMMANDS = {"phone": ("call a line by hand: in the terminal, in the browser, step by step", "phone")}
"""By the names of their entry points: the purposes of the commands, and the extras that they need."""


def _serve(arguments: argparse.Namespace) -> int:
    if importlib.util.find_spec("uvicorn") is None:
        raise MissingExtraError(package="uvicorn", extra="server")
    from yemot_ai.server.run import run  # noqa: PLC0415 - an extra

    limits = ServerLimits(**{name: getattr(arguments, name) for name in SERVER_OPTIONS})
    flow = load_flow(arguments.flow)
    flow.ai.check()
    return run(
        flow,
        host=arguments.host,
        port=arguments.port,
        limits=limits,
        log_level=arguments.log_level,
        record_folder=arguments.record,
    )


def _ext_ini(arguments: argparse.Namespace) -> int:
    secret = secrets.token_urlsafe(SECRET_BYTES) if arguments.secret == "" else arguments.secret
    print(ext_ini(arguments.url, secret=secret), end="")
    return 0


class _PluginParser(argparse.ArgumentParser):
    """The parser of a command of another package, whose module is imported if the command is run."""

    plugin = ""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401 - argparse's signature
        if self.plugin:
            _load_plugin(self.plugin).add_arguments(self)
        return super().parse_known_args(args, namespace)


def _load_plugin(name: str) -> Any:  # noqa: ANN401 - a module with ``add_arguments``
    """Import the module of a command.

    Raises:
        MissingExtraError: it is not installed, or a package that it needs is not.
    """
    points = entry_points(group=PLUGIN_GROUP, name=name)
    try:
        return next(iter(points)).load()
    except (StopIteration, ImportError) as error:
        package = getattr(error, "name", None) or "yemot_ai_testing"
        raise MissingExtraError(package=package, extra=PLUGIN_COMMANDS[name][1]) from error


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 0 to {MAX_PORT}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("yemot-ai", description="AI agents on Yemot HaMashiach phone lines.")
    parser.add_argument("--version", action="version", version=f"yemot-ai {yemot_ai.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_PluginParser)
    serve = commands.add_parser("serve", help="answer the line over HTTP")
    serve.add_argument(
        "flow", nargs="?", default=REFERENCE_FLOW, metavar="module:flow", help=f"default: {REFERENCE_FLOW}"
    )
    serve.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    serve.add_argument("--port", type=_port, default=8000, help="0 takes a free one (default: 8000)")
    serve.add_argument("--log-level", choices=LEVELS, default="info", help="default: info")
    serve.add_argument(
        "--record",
        type=Path,
        metavar="FOLDER",
        help="write each call into a file, with the caller's number and words, "
        "for yemot-ai-testing scenario from-log",
    )
    for name, (option, description) in SERVER_OPTIONS.items():
        default = getattr(ServerLimits(), name)
        serve.add_argument(
            option,
            dest=name,
            type=type(default),
            default=default,
            metavar="N",
            help=f"{description} (default: {default:g})",
        )
    serve.set_defaults(run=_serve)
    ini = commands.add_parser("ext-ini", help="print the settings of an extension that is served at URL")
    ini.add_argument("url", metavar="URL")
    ini.add_argument(
        "--secret",
        nargs="?",
        const="",
        help="let the line send a secret, for AccessPolicy(secret=…) or YEMOT_AI_SECRET; "
        "without a value, generate one",
    )
    ini.set_defaults(run=_ext_ini)
    for name, (purpose, _) in PLUGIN_COMMANDS.items():
        commands.add_parser(name, help=purpose).plugin = name
    return parser
