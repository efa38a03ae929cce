"""The addresses of the platform's API."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

__all__ = ["API_URL", "DOWNLOAD_URL", "GATEWAY_DOWNLOAD_URL", "GATEWAY_URL", "is_http_url"]

API_URL: Final = "https://www.call2all.co.il/ym/api/"
"""What is before the name of a command [OFF]."""

GATEWAY_URL: Final = "https://rest.yemot.co.il/api/v1/switch/"
"""The same at the newer gateway, which takes API keys [LIB]."""

DOWNLOAD_URL: Final = f"{API_URL}DownloadFile"
GATEWAY_DOWNLOAD_URL: Final = f"{GATEWAY_URL}DownloadFile"


def is_http_url(url: str) -> bool:
    """Return whether ``url`` is an http or https URL with a host, in ASCII, without a query."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    has_host = parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0
    return has_host and url.isascii() and url.isprintable() and not (parts.query or parts.fragment)
