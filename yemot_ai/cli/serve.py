"""``yemot-ai serve``: answer the line over HTTP."""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path
from typing import Final

from yemot_ai.cli.load_flow import REFERENCE_FLOW, load_flow
from yemot_ai.errors import ConfigurationError, MissingExtraError
from yemot_ai.server.limits import ServerLimits
from yemot_ai.server.logs import FORMATS, LEVELS, LogOptions
from yemot_ai.server.options import ServeOptions

__all__ = ["SERVER_OPTIONS", "add_arguments", "run"]

MAX_PORT: Final = 65535

SERVER_OPTIONS: Final = {
    "connections": ("--limit-connections", "open connections"),
    "header_seconds": ("--header-seconds", "seconds until the headers of a request have to be there"),
    "keep_alive_seconds": ("--keep-alive-seconds", "seconds that a connection stays open after a response"),
    "drain_seconds": ("--drain", "seconds that running turns get after SIGTERM, SIGINT or SIGHUP"),
}
"""By the fields of ``ServerLimits``: the options of ``serve`` and their help."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "flow", nargs="?", default=REFERENCE_FLOW, metavar="module:flow", help=f"default: {REFERENCE_FLOW}"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    parser.add_argument("--port", type=_port, default=8000, help="0 takes a free one (default: 8000)")
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that serve; they need a shared store"
    )
    parser.add_argument(
        "--reload", action="store_true", help="serve again when a Python file changes, for development"
    )
    parser.add_argument("--log-level", choices=LEVELS, default="info", help="default: info")
    for options, level, what in (("-v", "debug", "also the words"), ("-q", "warning", "problems only")):
        parser.add_argument(
            options, dest="log_level", action="store_const", const=level, help=f"--log-level {level}: {what}"
        )
    parser.add_argument(
        "--log-format", choices=FORMATS, default="", help="json: one object a line (default: text)"
    )
    parser.add_argument(
        "--metrics-port",
        type=_port,
        metavar="PORT",
        help="metrics for Prometheus at /metrics of another port (extra: metrics; default: none)",
    )
    parser.add_argument(
        "--metrics-host",
        default="127.0.0.1",
        metavar="HOST",
        help="address of --metrics-port (default: this machine only)",
    )
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FOLDER",
        help="write each call into a file, with the caller's number and words, "
        "for yemot-ai-testing scenario from-log",
    )
    for name, (option, description) in SERVER_OPTIONS.items():
        default = getattr(ServerLimits(), name)
        parser.add_argument(
            option,
            dest=name,
            type=type(default),
            default=default,
            metavar="N",
            help=f"{description} (default: {default:g})",
        )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve a flow until a signal ends it; return the exit code.

    Raises:
        MissingExtraError: if the extra ``server`` is not installed.
        ConfigurationError: if the flow cannot be served.
    """
    if importlib.util.find_spec("uvicorn") is None:
        raise MissingExtraError(package="uvicorn", extra="server")
    if arguments.record is not None:
        _make_record_folder(arguments.record)
    from yemot_ai.server.run import run as serve  # noqa: PLC0415 - an extra

    options = ServeOptions(
        arguments.flow,
        host=arguments.host,
        port=arguments.port,
        limits=ServerLimits(**{name: getattr(arguments, name) for name in SERVER_OPTIONS}),
        log=LogOptions(arguments.log_level, arguments.log_format, has_workers=arguments.workers > 1),
        record_folder=arguments.record,
        metrics_port=arguments.metrics_port,
        metrics_host=arguments.metrics_host,
        workers=arguments.workers,
        reload=arguments.reload,
    )
    return serve(options, load_flow)


def _make_record_folder(folder: Path) -> None:
    """Make the folder of the records now: while calls are served, an error of it is only a warning.

    Raises:
        ConfigurationError: if it cannot be made, or not be written to.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--record {folder}: {error.strerror}: name another folder") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigurationError(f"--record {folder}: nothing can be written there: name another folder")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 0 to {MAX_PORT}")
    return int(text)
