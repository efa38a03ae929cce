from __future__ import annotations

from tests.support.platform_fixture import platform

__all__ = ["platform"]
