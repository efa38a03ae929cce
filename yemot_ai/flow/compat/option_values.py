"""Values of the options of ``call.read``, and folders, from whatever yemot-flow's handlers give.

A value that is changed on its way to the line is logged once, with the file and line of the handler.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import PurePath
from typing import Final, TypeAlias

from yemot_ai.errors import ConfigurationError
from yemot_ai.flow.code_warnings import warn_once
from yemot_ai.protocol.fields.white_space import strip_blanks

__all__ = [
    "CountOption",
    "SwitchOption",
    "file_name",
    "folder_target",
    "is_on",
    "keys",
    "one_of",
    "recording_folder",
    "replacement",
    "text",
    "value_name",
    "whole_number",
]

SwitchOption: TypeAlias = bool | str | None
"""True or False, or a word for them: the line's own, such as ``Ok``; ``yes``; None, "" and ``no``."""

CountOption: TypeAlias = int | float | str | None
"""A whole number; None, "" and yemot-flow's ``*`` mean the line's default."""

_TRUE: Final = {"yes", "true"}
_FALSE: Final = {"", "no", "false"}
_REPLACEMENT_LENGTH: Final = 2
_AUDIO_SUFFIX: Final = re.compile(r"\.(?:wav|ogg|mp3)$", re.IGNORECASE)
_NOT_IN_NAMES: Final = re.compile(r"[,=&.\x00-\x1f\x7f]+")


def text(value: object) -> str:
    """Return a text; None is the line's default, as "" is.

    Raises:
        ConfigurationError: it is neither a text nor a number nor a path.
    """
    if value is None:
        return ""
    if not isinstance(value, str | int | float | Decimal | PurePath):
        raise ConfigurationError(
            f"{value!r} is a {type(value).__name__}, which the line cannot be sent as a text"
        )
    return str(value)


def is_on(name: str, switch: SwitchOption, word: str) -> bool:
    """Return the value of a switch.

    Args:
        name: the option.
        switch: the developer's argument.
        word: the line's word for True.

    Raises:
        ConfigurationError: it is neither a bool nor a word that the line knows.
    """
    if switch is None or isinstance(switch, int | float):
        return bool(switch)
    given = str(switch).strip().casefold()
    if given == word.casefold():
        return True
    if given not in _TRUE | _FALSE:
        raise ConfigurationError(
            f"call.read({name}={switch!r}) is neither True nor False, nor the line's {word!r}"
        )
    return given in _TRUE


def whole_number(name: str, number: CountOption, *, minimum: int = 1) -> int | None:
    """Return a number, rounded down but not to nothing.

    None, "" and ``*`` are the line's default, and so is what is less than ``minimum``.

    Raises:
        ConfigurationError: it is not a number.
    """
    if number is None or (isinstance(number, str) and number.strip() in {"", "*"}):
        return None
    try:
        # A float would round a long number.
        exact = Decimal(number) if isinstance(number, int | str | Decimal) else float(number)
        whole = max(math.floor(exact), 1) if exact > 0 else math.floor(exact)
    except (TypeError, ValueError, OverflowError, InvalidOperation) as error:
        raise ConfigurationError(f"call.read({name}={number!r}) is not a whole number") from error
    if whole < minimum:
        warn_once(f"call.read({name}={number!r}) is less than {minimum}; the line's default is used")
        return None
    if isinstance(number, bool) or whole != exact:
        warn_once(f"call.read({name}={number!r}) is not a whole number; %d is sent", whole)
    return whole


def keys(allowed: str | int | Iterable[str | int] | None) -> tuple[str, ...]:
    """Return allowed keys given as ``"123"``, ``"10.11"``, ``"1,2"``, ``[1, 2]`` or ``"from_folder"``."""
    if allowed is None or allowed == "from_folder":
        return (allowed,) if allowed else ()
    if isinstance(allowed, Iterable) and not isinstance(allowed, str | bytes | Mapping):
        return tuple(text(key) for key in allowed)
    parts = re.split(r"[.,\s]+", text(allowed).strip(" .,"))
    return tuple(parts) if len(parts) > 1 else tuple(parts[0])


def replacement(value: str | None) -> str:
    """Return the two characters of ``replace_char``, from and to [OFF].

    yemot-flow's examples give ``"#"``, for the key that ends the typing. That key ends it in any case, and
    one character, or more than two, replace nothing.
    """
    characters = text(value)
    if characters and len(characters) != _REPLACEMENT_LENGTH:
        warn_once(
            "call.read(replace_char=%r) replaces nothing: the line takes two characters, from and to; "
            "# ends the typing without it",
            characters,
        )
        return ""
    return characters


def recording_folder(path: str | None) -> str:
    """Return the folder of a recording as the line takes it: from the root, without a slash at its end [OFF].

    A relative folder, as in yemot-flow's examples, is one below the root.
    """
    given = strip_blanks(text(path))[0]
    parts = [part for part in given.removeprefix("ivr2:").split("/") if part not in {"", ".", ".."}]
    folder = "".join(f"/{part}" for part in parts)
    if given and not folder:
        warn_once(
            "call.read(path=%r) names no folder; the line records where it does by default "
            "(api_dir, else this extension)",
            given,
        )
    elif given.removeprefix("ivr2:").rstrip("/") != folder:
        warn_once("call.read(path=%r) is no folder from the root; %r is sent", given, folder)
    return folder


def file_name(name: str | None) -> str:
    """Return the name of an audio file without its extension, which the line does not take [OFF]."""
    return _AUDIO_SUFFIX.sub("", strip_blanks(text(name))[0])


def value_name(name: str | None) -> str:
    """Return a name for the line: without the characters that end a name or a field [OFF].

    >>> value_name("UserInput.Main")
    'UserInput_Main'
    """
    return _NOT_IN_NAMES.sub("_", strip_blanks(text(name))[0]) or "Digits"


def folder_target(folder: str | int | None) -> str:
    """Return a target for ``call.goto``: without blanks around it and needless slashes.

    >>> folder_target("/1/ "), folder_target(None)
    ('/1', '/')
    """
    given = strip_blanks(text(folder))[0]
    return ("/" if given[:1] in {"", "/"} else "") + "/".join(part for part in given.split("/") if part)


def one_of(words: Iterable[str], word: str) -> str:
    """Return ``word`` as the line spells it; whether case matters there is not confirmed [?]."""
    return next((known for known in words if known.casefold() == word.casefold()), word)
