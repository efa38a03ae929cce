"""Links as an HTTP client sends them: ASCII only, percent-encoded as a browser does.

>>> http_url("http://127.0.0.1:8000/שלום עולם?q=א#top").path
'/%D7%A9%D7%9C%D7%95%D7%9D%20%D7%A2%D7%95%D7%9C%D7%9D'
>>> percent_encoded("/already%20encoded/%D7%90")
'/already%20encoded/%D7%90'
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

__all__ = ["http_url", "is_loopback", "path_of", "percent_encoded"]

_UNSAFE: Final = re.compile(r"[^\x21-\x7e]+|[\"<>`{}]+")
_INVALID_IN_HOST: Final = re.compile(r"[\x00-\x20\x7f%<>\\^|`{}\"]")


def percent_encoded(text: str) -> str:
    """Return a path or query in ASCII; what is encoded already stays as it is."""
    return _UNSAFE.sub(lambda match: quote(match[0].encode(errors="replace"), safe=""), text)


def http_url(url: str) -> SplitResult:
    """Return the parts of an http(s) URL in ASCII: the host in IDNA, the rest percent-encoded.

    Raises:
        ValueError: ``url`` is no http(s) URL, or its host or port is invalid.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an http(s) url begins with http:// or https:// and has a host")
    if _INVALID_IN_HOST.search(parts.hostname):
        raise ValueError(f"{parts.hostname!r} is no name of a host")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.encode("idna").decode()
    user, at, _ = parts.netloc.rpartition("@")
    port = "" if parts.port is None else f":{parts.port}"
    return SplitResult(
        parts.scheme,
        f"{percent_encoded(user)}{at}{host}{port}",
        percent_encoded(parts.path) or "/",
        percent_encoded(parts.query),
        "",
    )


def path_of(url: str) -> str:
    """Return the percent-encoded path of a URL; ``/`` if it is none."""
    try:
        return http_url(url).path
    except ValueError:
        return "/"


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
