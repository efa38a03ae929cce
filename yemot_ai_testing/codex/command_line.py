"""Command lines of Codex: where the settings that select the model service belong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["with_model_options"]

_CONFIG_OPTION: Final = re.compile(r"-c|--config(?:=|$)")


def with_model_options(options: Sequence[str], argv: Sequence[str]) -> list[str]:
    """Return the command line ``argv`` with the settings that select the model.

    Up to 0.163 a ``-c`` of a subcommand discards every ``-c`` before it (measured), so the settings are
    inserted before the last ``-c``.
    """
    end = argv.index("--") if "--" in argv else len(argv)
    config_options = [index for index in range(end) if _CONFIG_OPTION.match(argv[index])]
    index = config_options[-1] if config_options else 0
    return [*argv[:index], *options, *argv[index:]]
