"""``yemot-ai ext-ini``: the settings of the line that calls a flow."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from yemot_ai.cli.load_flow import load_flow
from yemot_ai.errors import ConfigurationError
from yemot_ai.ext_ini import ext_ini, extension_file, folders_between, url_warnings, write_ext_ini
from yemot_ai.flow import AccessPolicy, AIFlow
from yemot_ai.protocol import Request

__all__ = ["add_arguments", "run"]

SECRET_BYTES: Final = 24

UNPROTECTED: Final = (
    "without a secret, anyone who finds the URL can call the flow: "
    "--secret makes one, for AccessPolicy(secret=…)"
)

FOLDER_NOTE: Final = (
    "put this into ext.ini in the folder of each extension of the flow; "
    "yemot-ai ext-ini module:flow URL --into FOLDER writes them all"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = "Print the settings of an extension that is served at URL, or write those of a flow."
    parser.add_argument("flow", nargs="?", metavar="module:flow", help="whose extensions need the settings")
    parser.add_argument("url", metavar="URL", help="where the line reaches your server")
    parser.add_argument(
        "--secret",
        nargs="?",
        const="",
        help="let the line send a secret, for AccessPolicy(secret=…) or YEMOT_AI_SECRET; "
        "without a value, that of the flow, or a new one",
    )
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="write one ext.ini for each extension of the flow"
    )
    parser.add_argument("--force", action="store_true", help="of --into: overwrite files with other settings")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print or write the settings; return the exit code.

    Raises:
        ConfigurationError: if the arguments cannot work together, or a file cannot be written.
    """
    flow = None if arguments.flow is None else load_flow(arguments.flow)
    access = AccessPolicy() if flow is None else flow.access
    secret = _secret(arguments.secret, access)
    text = ext_ini(arguments.url, secret=secret, secret_name=access.secret_name)
    if arguments.into is None:
        print(text, end="")
    elif flow is None:
        raise ConfigurationError(
            "--into needs the flow, for its extensions: yemot-ai ext-ini module:flow URL --into FOLDER"
        )
    else:
        extensions = _extensions(flow)
        for path in write_ext_ini(arguments.into, extensions, text, force=arguments.force):
            print(path)
    notes = [*_folder_notes(flow, arguments.into), *url_warnings(arguments.url)]
    _print_notes([*notes, *_secret_warnings(secret, access, arguments.url)])
    return 0


def _print_notes(notes: Iterable[str]) -> None:
    sys.stdout.flush()
    for note in notes:
        print(f"yemot-ai: {note}", file=sys.stderr)


def _extensions(flow: AIFlow) -> list[str]:
    return sorted({*flow.routes, *flow.agents})


def _secret(given: str | None, access: AccessPolicy) -> str | None:
    """Return the secret that the line sends: the given one; for "" that of the flow, or a new one."""
    if given == "":
        return access.secret or secrets.token_urlsafe(SECRET_BYTES)
    return given


def _folder_notes(flow: AIFlow | None, into: Path | None) -> list[str]:
    if flow is None:
        return [FOLDER_NOTE]
    extensions = _extensions(flow)
    if not extensions:
        return ["the flow has no extensions: register a handler, or an agent"]
    notes = [] if into else [f"put this into {', '.join(str(extension_file(name)) for name in extensions)}"]
    if between := folders_between(extensions):
        names = ", ".join(f"/{name}" for name in between)
        notes.append(f"{names}: no handler, but the way to one; give it a menu of the line, or a handler")
    return notes


def _secret_warnings(secret: str | None, access: AccessPolicy, url: str) -> list[str]:
    if secret is not None:
        return [] if access.secret in {None, secret} else ["the flow requires another secret than this one"]
    if access.secret is None:
        return [UNPROTECTED]
    if access.has_secret(Request(()), urlsplit(url).path):
        return []
    return ["the flow requires a secret, and the line would send none: --secret writes it into the file"]
