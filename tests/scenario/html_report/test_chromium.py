from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario.html_report.chromium import NoBrowserError, window


def test_who_has_no_browser_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBrowserError, match=r"apt-get install chromium chromium-driver"), window(tmp_path):
        pass
