"""The ``ext.ini`` files of a line that calls a flow.

>>> print(ext_ini("https://line.example.com/yemot"), end="")
type=api
api_link=https://line.example.com/yemot
api_url_post=yes
api_say_tts=no
api_wait_answer_music_on_hold=yes
>>> extension_file("1/2").as_posix()
'1/2/ext.ini'
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import SplitResult, urlsplit

from yemot_ai.errors import ConfigurationError

__all__ = [
    "FILE_NAME",
    "ext_ini",
    "extension_file",
    "folders_between",
    "settings",
    "url_warnings",
    "write_ext_ini",
]

FILE_NAME: Final = "ext.ini"

_SETTINGS: Final = (
    ("api_url_post", "yes"),  # long Hebrew values do not fit into a URL
    ("api_say_tts", "no"),  # or the line reads to callers what they said
    ("api_wait_answer_music_on_hold", "yes"),  # or they hear nothing while the request waits
)

_SECRET: Final = re.compile(r"[A-Za-z0-9._~-]{8,}")
"""Characters that need no escaping in a URL: how the line encodes constants is not documented."""

_LOCAL_NAMES: Final = (".localhost", ".local", ".internal", ".lan")


def ext_ini(url: str, *, secret: str | None = None, secret_name: str = "secret") -> str:  # noqa: S107 - a name
    """Return the ``ext.ini`` of an extension that is served at ``url`` (all settings: [OFF]).

    Args:
        url: the address that the line requests.
        secret: what the line sends with each request, for ``AccessPolicy(secret=…)``.
        secret_name: the name of the value that holds it.

    Raises:
        ConfigurationError: if ``url`` cannot be an ``api_link``, or ``secret`` cannot be a constant.
    """
    chosen = settings(url, secret=secret, secret_name=secret_name)
    return "".join(f"{name}={value}\n" for name, value in chosen.items())


def settings(url: str, *, secret: str | None = None, secret_name: str = "secret") -> dict[str, str]:  # noqa: S107 - a name
    """Return the settings that ``ext_ini`` writes, by their names; arguments and errors are the same."""
    parts = _split(url)
    if parts.query or parts.fragment:
        raise ConfigurationError(
            f"{url!r} carries a query: the line would add a second '?'; send constants by api_add_0"
        )
    return dict((("type", "api"), ("api_link", url), *_SETTINGS, *_constants(secret, secret_name)))


def url_warnings(url: str) -> list[str]:
    """Return why a line may not be able to use ``url``, or should not."""
    parts = _split(url)
    host = parts.hostname or ""
    warnings = []
    if _is_local(host):
        warnings.append(f"{host} is an address of this machine or network: the line cannot reach it")
    if parts.scheme == "http":
        warnings.append(
            "http:// sends what callers say, and the secret, readable for all on the way: "
            "serve it with a certificate, by https://"
        )
    if not url.isascii():
        warnings.append(
            "the URL has characters that are encoded when it is called; "
            "whether a line does that is not known [?]: use A-Z a-z 0-9 and %"
        )
    return warnings


def extension_file(extension: str) -> PurePosixPath:
    """Return where the ``ext.ini`` of an extension is, from the root of the line.

    Raises:
        ConfigurationError: if the name cannot be a folder.
    """
    parts = extension.split("/") if extension else []
    if any(
        part in {"", ".", ".."} or not part.isprintable() or set(part) & set('\\:*?"<>|') for part in parts
    ):
        raise ConfigurationError(f"the extension {extension!r} cannot be a folder: use names such as '1/2'")
    return PurePosixPath(*parts, FILE_NAME)


def folders_between(extensions: Iterable[str]) -> list[str]:
    """Return the extensions that lead to ``extensions`` and are none of them.

    >>> folders_between(["", "1/2/3"])
    ['1', '1/2']
    """
    names = set(extensions)
    parents = {str(parent) for name in names for parent in PurePosixPath(name).parents} - {"."}
    return sorted(parents - names)


def write_ext_ini(folder: Path, extensions: Iterable[str], text: str, *, force: bool = False) -> list[Path]:
    """Write the ``ext.ini`` of each extension; return the files.

    Args:
        folder: the root of the line.
        extensions: of the flow; "" is the root.
        text: the settings.
        force: overwrite files that have other settings.

    Raises:
        ConfigurationError: if a file with other settings exists (then nothing is written), or a file cannot
            be written.
    """
    files = {folder / extension_file(extension): text for extension in sorted(extensions)}
    try:
        different = [] if force else [path for path in files if _differs(path, text)]
        if different:
            raise ConfigurationError(
                f"{', '.join(map(str, different))}: other settings are there, and nothing was written; "
                "--force overwrites them"
            )
        _write(files)
    except OSError as error:
        raise ConfigurationError(f"{error.filename}: {error.strerror}") from error
    return list(files)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError
    except ValueError as error:
        raise ConfigurationError(f"{url!r} is no URL: {error}") from error
    plain = url.isprintable() and not any(character.isspace() for character in url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
        raise ConfigurationError(f"{url!r} is no http(s) URL that the line could call")
    return parts


def _is_folder_name(part: str) -> bool:
    return part not in {"", ".", ".."} and part.isprintable() and not set(part) & set('\\:*?"<>|')


def _is_local(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_NAMES)
    return not address.is_global


def _constants(secret: str | None, name: str) -> tuple[tuple[str, str], ...]:
    if secret is None:
        return ()
    if not _SECRET.fullmatch(secret):
        raise ConfigurationError(
            "a secret for ext.ini is 8 or more of A-Z a-z 0-9 . _ ~ - (--secret alone makes one)"
        )
    return (("api_add_0", f"{name}={secret}"),)


def _differs(path: Path, text: str) -> bool:
    """Return whether the file has other lines; an editor may have changed how they end."""
    if not path.exists():
        return False
    return path.read_bytes().decode("utf-8-sig", "replace").splitlines() != text.splitlines()


def _write(files: Mapping[Path, str]) -> None:
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
