"""The commands of the platform's API that this package uses.

Sources: the platform's developer forum, threads "API" and "אפשרויות API" [OFF]; the client ``yemot-api``
0.1.36 [LIB]. ``docs/platform-api.md`` has all facts. Nothing here was tried on a live line.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from yemot_ai.errors import ConfigurationError, MalformedStreamError
from yemot_ai.platform_api.addresses import API_URL, GATEWAY_URL, is_http_url
from yemot_ai.platform_api.credentials import Credentials
from yemot_ai.platform_api.refusals import Cause, find_refusal, read_json, to_error
from yemot_ai.platform_api.transport import HTTPRequest, HTTPResponse, send

__all__ = ["PlatformApi"]

SERVICE: Final = "the platform"
MAX_BYTES: Final = 4_000_000

RESERVED: Final = frozenset({"token", "path"})
"""Parameters of ``UpdateExtension`` that are no settings [OFF]."""


@dataclass(frozen=True, slots=True)
class PlatformApi:
    """A client of the platform's API; each method is one request and blocks.

    Args:
        credentials: the token, and the line for the newer gateway.
        base_url: the address before the name of a command; by default that of the older API [OFF], with a
            ``switch_id`` that of the gateway [LIB].
        timeout: seconds for one request in all.

    Raises:
        ConfigurationError: if ``base_url`` is no http or https URL, or would send the token readable.
    """

    credentials: Credentials
    base_url: str = ""
    timeout: float = 20.0

    def __post_init__(self) -> None:
        standard = GATEWAY_URL if self.credentials.switch_id else API_URL
        url = self.base_url or standard
        if not is_http_url(url):
            raise ConfigurationError(f"{url!r} is no http or https address without a query")
        if urlsplit(url).scheme == "http" and not _is_this_machine(urlsplit(url).hostname or ""):
            raise ConfigurationError(
                f"{url!r} would send the token readable for all on the way: use https://"
            )
        object.__setattr__(self, "base_url", url if url.endswith("/") else f"{url}/")

    def text_file(self, path: str) -> str | None:
        """Return the content of a text file of the line; None if there is none (``GetTextFile`` [OFF]).

        Args:
            path: from the root of the line, such as ``1/2/ext.ini``.

        Raises:
            ProviderError: if the platform refuses, or cannot be reached; the subclass says why.
        """
        url = f"{self.base_url}GetTextFile?what={quote(_platform_path(path), safe='/:')}"
        answer = self._send(HTTPRequest(url, self.credentials.headers), missing_file_ok=True)
        if answer is None or _says_missing(answer):
            return None
        contents = answer.get("contents")
        if not isinstance(contents, str):
            raise MalformedStreamError("GetTextFile: the answer has no contents", provider=SERVICE)
        return contents

    def update_extension(self, folder: str, settings: Mapping[str, str]) -> None:
        """Write settings into the ``ext.ini`` of a folder (``UpdateExtension`` [OFF]).

        Settings that are not named stay [LIVE]; a missing folder is created [LIB]. The answer does not say
        what was written: read the file afterwards.

        Args:
            folder: from the root of the line; "" is the root.
            settings: values by name.

        Raises:
            ConfigurationError: if a setting cannot be sent.
            ProviderError: if the platform refuses, or cannot be reached; the subclass says why. After a
                timeout or a lost connection the settings may have been written.
        """
        for name, value in settings.items():
            if name in RESERVED or not name or "=" in name or not f"{name}{value}".isprintable():
                raise ConfigurationError(f"{name!r} cannot be sent as a setting of an extension")
        headers = {**self.credentials.headers, "content-type": "application/json"}
        body = json.dumps({"path": _platform_path(folder), **settings}).encode()
        self._send(HTTPRequest(f"{self.base_url}UpdateExtension", headers, "POST", body))

    def _send(self, request: HTTPRequest, *, missing_file_ok: bool = False) -> dict[str, Any] | None:
        response = send(request, timeout=self.timeout, max_bytes=MAX_BYTES, service=SERVICE)
        refusal = find_refusal(response)
        if refusal is None or refusal.cause is Cause.MISSING_FILE:
            answer = _read_answer(response)  # a missing file may also be a wrong address
            if refusal is None:
                return answer
            if missing_file_ok:
                return None
        raise to_error(refusal, service=SERVICE, credentials=self.credentials)


def _read_answer(response: HTTPResponse) -> dict[str, Any]:
    answer = read_json(response.body)
    if answer is None or not {"responseStatus", "success"} & answer.keys():
        message = (
            f"status {response.status} and a body of {response.media_type or 'no type'} are no answer of the "
            "platform's API: is the address right?"
        )
        raise MalformedStreamError(message, provider=SERVICE)
    return answer


def _says_missing(answer: Mapping[str, Any]) -> bool:
    """Return whether the answer describes a file that does not exist [CODE]."""
    file = answer.get("file")
    return isinstance(file, dict) and file.get("exists") is False


def _platform_path(path: str) -> str:
    return f"ivr2:/{path}"


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
