"""``yemot-ai setup``: write the settings of a flow's extensions to the line, by the platform's API."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from yemot_ai.cli.load_flow import load_flow
from yemot_ai.errors import ConfigurationError
from yemot_ai.ext_ini import extension_file, folders_between, settings, url_warnings
from yemot_ai.flow import AccessPolicy, AIFlow
from yemot_ai.platform_api.client import PlatformApi
from yemot_ai.platform_api.credentials import (
    SWITCH_ID_VARIABLE,
    TOKEN_VARIABLE,
    Credentials,
    read_token_file,
)
from yemot_ai.platform_api.extension_plan import ExtensionPlan, apply_plan, ini_path, plan_extension
from yemot_ai.protocol import Request

__all__ = ["add_arguments", "run"]

OK: Final = 0
DIFFERENT: Final = 1
"""The exit code if the line has other settings, and nothing was written."""

MAX_SECONDS: Final = 600
"""The longest timeout of a request."""

OPEN_TO_ALL: Final = (
    "without a secret, all who find the URL can call the flow: AIFlow(…, access=AccessPolicy(secret=…)), "
    "and this command writes it"
)
NO_TOKEN: Final = (
    f"the platform's API needs a token: set {TOKEN_VARIABLE}, or give a file that only you can read by "
    "--token-file FILE"
)
TOKEN_IN_ARGUMENTS: Final = (
    f"a token among the arguments can be read by all programs of this machine: set {TOKEN_VARIABLE}, or use "
    "--token-file FILE"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Show how the settings of a flow's extensions on the line differ from those that it needs; "
        "with --apply, write them. Exit code: 0 if the line has them, 1 if it has others, 2 for an error."
    )
    parser.add_argument("flow", metavar="module:flow", help="whose extensions need the settings")
    parser.add_argument("--url", required=True, metavar="URL", help="where the line reaches your server")
    parser.add_argument(
        "--root", default="", metavar="FOLDER", help="the folder of the line that is the flow's root (1/2)"
    )
    parser.add_argument("--apply", action="store_true", help="write the settings; other ones stay")
    parser.add_argument(
        "--force", action="store_true", help="of --apply: also extensions that have another type"
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help=f"the token of the API (default: {TOKEN_VARIABLE})"
    )
    # Without it --token would be short for --token-file, and an error would show the token as a path.
    parser.add_argument("--token", help=argparse.SUPPRESS)
    parser.add_argument(
        "--switch-id",
        default="",
        metavar="UUID",
        help=f"the line, for API keys of rest.yemot.co.il (default: {SWITCH_ID_VARIABLE})",
    )
    parser.add_argument("--api-url", default="", metavar="URL", help="another address of the platform's API")
    parser.add_argument(
        "--timeout", type=_seconds, default=20.0, metavar="N", help="seconds for each request (default: 20)"
    )
    parser.add_argument(
        "--backup",
        type=Path,
        default=Path("yemot-backup"),
        metavar="FOLDER",
        help="where --apply keeps the files that it changes (default: yemot-backup)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show the differences, or write the settings; return the exit code.

    Raises:
        YemotAIError: the settings could not be read or written; what is printed as written stays written.
    """
    if arguments.token is not None:
        raise ConfigurationError(TOKEN_IN_ARGUMENTS)
    flow = load_flow(arguments.flow)
    secret = _secret(flow.access, arguments.url)
    wanted = settings(arguments.url, secret=secret, secret_name=flow.access.secret_name)
    folders = _folders(flow, arguments.root)
    api = PlatformApi(_credentials(arguments), arguments.api_url, arguments.timeout)
    plans = [plan_extension(folder, api.text_file(ini_path(folder)), wanted) for folder in folders]
    _print_plans(plans, flow.access.secret)
    _print_notes([*_notes(flow, folders, arguments), *_type_notes(plans)])
    if not any(plan.changes for plan in plans):
        return OK
    if not arguments.apply:
        print("nothing was written: --apply writes it")
        return DIFFERENT
    _apply(api, [plan for plan in plans if plan.changes], arguments)
    return OK


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to {MAX_SECONDS}")
    return seconds


def _credentials(arguments: argparse.Namespace) -> Credentials:
    if arguments.token_file is not None:
        switch_id = arguments.switch_id or os.environ.get(SWITCH_ID_VARIABLE, "")
        return Credentials(read_token_file(arguments.token_file), switch_id)
    credentials = Credentials.from_environment()
    if credentials is None:
        raise ConfigurationError(NO_TOKEN)
    return Credentials(credentials.token, arguments.switch_id or credentials.switch_id)


def _secret(access: AccessPolicy, url: str) -> str | None:
    """Return the secret that the line has to send; None if there is none, or the URL has it."""
    if access.secret is None or access.has_secret(Request(()), urlsplit(url).path):
        return None
    return access.secret


def _folders(flow: AIFlow, root: str) -> list[str]:
    """Return the folders of the flow's extensions on the line.

    Raises:
        ConfigurationError: there is none, or a name cannot be a folder.
    """
    names = sorted({*flow.routes, *flow.agents})
    if not names:
        raise ConfigurationError("the flow has no extensions: register a handler, or an agent")
    base = root.strip("/")
    folders = ["/".join(filter(None, (base, name))) for name in names]
    for folder in folders:
        extension_file(folder)
    return folders


def _apply(api: PlatformApi, plans: Sequence[ExtensionPlan], arguments: argparse.Namespace) -> None:
    replaced = [plan.folder for plan in plans if plan.replaced_type]
    if replaced and not arguments.force:
        raise ConfigurationError(
            f"{_listed(replaced)}: another type of extension is there, and nothing was written; "
            "--force replaces it"
        )
    if backup := _back_up(arguments.backup, plans):
        print(f"the files as they were: {backup}")
    for plan in plans:
        apply_plan(api, plan)
        print(f"/{plan.folder}: written")


def _back_up(base: Path, plans: Sequence[ExtensionPlan]) -> Path | None:
    """Write the files that are going to change into a new folder; return it, None if there are none.

    Raises:
        ConfigurationError: they cannot be written.
    """
    texts = {ini_path(plan.folder): plan.before for plan in plans if plan.before is not None}
    if not texts:
        return None
    folder = base / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    try:
        for path, text in texts.items():
            _write_private(folder / path, text)
    except OSError as error:
        raise ConfigurationError(
            f"the backup {error.filename}: {error.strerror}; nothing was written to the line"
        ) from error
    return folder


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read: an ``ext.ini`` can contain passwords."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="surrogatepass", newline="") as file:  # noqa: PTH123 - of a descriptor
        file.write(text)


def _print_plans(plans: Iterable[ExtensionPlan], secret: str | None) -> None:
    for plan in plans:
        state = "no file" if plan.before is None else f"{len(plan.kept)} other settings stay"
        print(f"/{plan.folder}: {state if plan.changes else 'no difference'}")
        for change in plan.changes:
            if change.old is not None:
                print(f"- {_shown(change.key, change.old, secret)}")
            print(f"+ {_shown(change.key, change.new, secret)}")


def _shown(key: str, value: str, secret: str | None) -> str:
    """Return a line of the file without the secrets in it: the value of a constant may be one."""
    if key.startswith("api_add_"):
        value = f"{value.partition('=')[0]}=***"
    line = f"{key}={value.replace(secret, '***') if secret else value}"
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line
    )


def _print_notes(notes: Iterable[str]) -> None:
    sys.stdout.flush()
    for note in notes:
        print(f"yemot-ai: {note}", file=sys.stderr)


def _notes(flow: AIFlow, folders: Sequence[str], arguments: argparse.Namespace) -> list[str]:
    notes = url_warnings(arguments.url)
    if flow.access.secret is None:
        notes.append(OPEN_TO_ALL)
    unknown = [folder for folder in folders if folder not in {*flow.routes, *flow.agents}]
    if unknown:
        notes.append(
            f"the requests of the line name {_listed(unknown)}, which the flow does not have as extensions: "
            "register them, or leave out --root"
        )
    if between := folders_between(folders):
        notes.append(
            f"{_listed(between)}: no handler, but the way to one; give it a menu of the line, or a handler"
        )
    return notes


def _type_notes(plans: Iterable[ExtensionPlan]) -> list[str]:
    return [
        f"/{plan.folder} has type={plan.replaced_type}: what it does now will no longer happen"
        for plan in plans
        if plan.replaced_type
    ]


def _listed(folders: Iterable[str]) -> str:
    return ", ".join(f"/{folder}" for folder in folders)
