"""The flow: its import, its extensions, and who may call."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from yemot_ai.doctor.finding import Finding, error, ok, warning
from yemot_ai.errors.failure_place import describe_failure
from yemot_ai.flow import AIFlow
from yemot_ai.importer import ImportTargetError, import_from_string
from yemot_ai.server.extensions import list_extensions

__all__ = ["check_access", "check_extensions", "import_flow"]

CHECK: Final = "flow"

MODULE_REMEDY: Final = "run the command in the folder of the module"

NAME_REMEDY: Final = "name the AIFlow of the module: module:attribute"


def import_flow(target: str) -> tuple[AIFlow | None, Finding]:
    """Import the flow that ``module:attribute`` names; any exception of its module is a finding.

    Returns:
        The flow, or None; and what was found.
    """
    name = target if ":" in target else f"{target}:flow"
    try:
        value = import_from_string(name, [str(Path.cwd())])
    except ImportTargetError as failure:
        is_elsewhere = isinstance(failure.__cause__, ModuleNotFoundError)
        return None, error(CHECK, str(failure), MODULE_REMEDY if is_elsewhere else NAME_REMEDY)
    except (Exception, SystemExit) as failure:  # noqa: BLE001 - any code may be in the module
        return None, error(CHECK, f"{name} cannot be imported: {_relative(describe_failure(failure))}")
    if not isinstance(value, AIFlow):
        found = f"{name} is no AIFlow, but of type {type(value).__name__}"
        return None, error(CHECK, found, NAME_REMEDY)
    return value, ok(CHECK, f"{name} is imported")


def check_extensions(flow: AIFlow) -> Iterator[Finding]:
    """List the extensions, and who answers each; a greeting that cannot be spoken has failed the import."""
    if not flow.routes and not flow.agents:
        yield error("extensions", "none: each caller hears that it does not exist", 'add @flow.ai_agent("")')
    for extension in list_extensions(flow):
        yield ok(extension.path, ", ".join(filter(None, (extension.who, _relative(extension.place)))))
    if (flow.routes or flow.agents) and "" not in {*flow.routes, *flow.agents}:
        yield warning(
            "extensions",
            "none for the root: a caller who dials the number reaches the flow by a menu of the line only",
            'if callers should reach it directly, add @flow.get("") or @flow.ai_agent("")',
        )


def check_access(flow: AIFlow) -> Iterator[Finding]:
    """Look whether strangers can call the flow."""
    if flow.access.secret is None:
        yield warning(
            "secret",
            "none: anyone who finds the URL can call the flow",
            "AIFlow(ai, access=AccessPolicy(secret=…)); yemot-ai ext-ini URL --secret makes one",
        )
    else:
        yield ok("secret", "the flow requires one")


def _relative(place: str) -> str:
    """Return a place as seen from the working directory, if it is in it."""
    folder = f"{Path.cwd()}{os.sep}"
    return place.removeprefix(folder)
