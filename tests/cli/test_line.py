from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai_testing.cli.main import main


def test_all_extensions_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["line", "fixtures/lines/shop"]) == 0

    rows = capsys.readouterr().out.splitlines()
    assert rows.pop().startswith("2/wish.ini: skipped-file: ")
    assert [row.split()[:2] for row in rows] == [
        ["/", "menu"],
        ["/1", "api"],
        ["/2", "api"],
        ["/3", "playfile"],
    ]


def test_a_warning_has_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ext.ini").write_text("type=api\napi_link=http://127.0.0.1/x\napi_hangup_sent=no\n")

    assert main(["line", str(tmp_path)]) == 1
    assert "ext.ini:3: unknown-key" in capsys.readouterr().out


def test_a_missing_folder_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["line", str(tmp_path / "no")]) == 2
    assert "there is no folder" in capsys.readouterr().err
