from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.chromium import NoBrowserError, window


def test_a_missing_browser_is_reported_with_installation_instructions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBrowserError, match=r"apt-get install chromium chromium-driver"), window(tmp_path):
        pass
