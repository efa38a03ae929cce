"""Hide keys and secrets in findings: an exception or an answer of a server may quote them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from yemot_ai.doctor.finding import Finding
from yemot_ai.flow import AIFlow

__all__ = ["hide_secrets"]

MIN_LENGTH: Final = 8
"""Characters; a shorter value occurs in too many words to be replaced."""

_SECRET_NAME: Final = re.compile(r"KEY|TOKEN|SECRET|PASSW", re.IGNORECASE)


def hide_secrets(findings: Iterable[Finding], flow: AIFlow | None) -> list[Finding]:
    """Return the findings without the values of variables such as ``…_KEY``, and the secret of the flow."""
    values = [value for name, value in os.environ.items() if _SECRET_NAME.search(name)]
    own = flow.access.secret if flow else None
    secrets = sorted({value.strip() for value in (*values, own or "")}, key=len, reverse=True)
    long = [secret for secret in secrets if len(secret) >= MIN_LENGTH]
    return [
        replace(finding, message=_hide(finding.message, long), remedy=_hide(finding.remedy, long))
        for finding in findings
    ]


def _hide(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "…")
    return text
