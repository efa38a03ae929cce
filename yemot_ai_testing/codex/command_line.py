"""Command lines of Codex: where the settings that select the model service belong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["with_model_options"]

_CONFIG_OPTION: Final = re.compile(r"-c|--config(?:=|$)")


def with_model_options(options: Sequence[str], argv: Sequence[str]) -> list[str]:
    """The command line ``argv`` with the settings that lead to the model.

    Up to 0.163 a ``-c`` of a subcommand takes back every one before it (measured), so the settings stand
    beside the last ``-c`` there is.
    """
    ends = argv.index("--") if "--" in argv else len(argv)
    given = [place for place in range(ends) if _CONFIG_OPTION.match(argv[place])]
    place = given[-1] if given else 0
    return [*argv[:place], *options, *argv[place:]]
