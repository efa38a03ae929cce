from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest

from tests.line.apps import ASK, Script
from tests.line.platform.trees import api, tree, write
from yemot_ai_testing import Caller, Line
from yemot_ai_testing.cli.main import main
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.platform.line_reader import read_folders

LINK = "http://127.0.0.1:1/a"
READ = "read=t-א=a,no,1,1,7,No"


def line(folder: Path, *responses: str) -> Line:
    return Line.read(folder, servers={LINK: Script(*responses)})


def warnings(folder: Path) -> list[str]:
    """Return file and code of each warning."""
    return [f"{warning.file}: {warning.code}" for warning in Line.read(folder).warnings]


@pytest.mark.parametrize(
    ("ivr", "ext", "is_heard"),
    [
        ("muted_messages=M1002", "", False),
        ("muted_M1002=yes", "", False),
        ("muted_messages=M1001,M1002", "muted_M1002=no", True),
        ("muted_messages=M1002", "muted_messages=", True),
        ("", "muted_M1002=yes", False),
        ("muted_messages=M1001", "", True),
    ],
)
def test_ivr_ini_mutes_messages_of_all_extensions_off(
    tmp_path: Path,
    ivr: str,
    ext: str,
    is_heard: bool,  # noqa: FBT001 - parametrized
) -> None:
    folder = write(tree(tmp_path, _="type=menu", _1=api(LINK, ext)), {"ivr.ini": ivr})
    caller = Caller(line(folder, READ), extension="1")
    caller.dial()
    assert caller.silent().startswith("M1002") == is_heard


def test_ivr_ini_has_the_settings_of_an_ext_ini(tmp_path: Path) -> None:
    app = Script(ASK)
    folder = write(
        tree(tmp_path, _="", _1="", _2="type=menu"),
        {"ivr.ini": f"{api(LINK)}\napi_add_0=branch=7"},
    )
    with Line.read(folder, servers={LINK: app}) as read:
        assert {path: settings.kind for path, settings in read.extensions.items()} == {
            "": "api",
            "1": "api",
            "2": "menu",
        }
        Caller(read, extension="1").dial()
    assert app.requests[0]["branch"] == "7"


def test_a_warning_of_ivr_ini_is_given_once(tmp_path: Path) -> None:
    folder = write(
        tree(tmp_path, _=api(LINK), _1=api(LINK), _2=api(LINK)),
        {"ivr.ini": "api_say_tts=on\napi_answer_OK=hangup=yes\nstart=min"},
    )
    assert warnings(folder) == ["ivr.ini: value", "ivr.ini: not-simulated", "ivr.ini: action"]
    assert "also in" not in str(Line.read(folder).warnings)


def test_only_the_ivr_ini_of_the_root_counts_off(tmp_path: Path) -> None:
    folder = write(tree(tmp_path, _1=api(LINK)), {"1/ivr.ini": "muted_messages=M1002"})
    assert warnings(folder) == ["1/ivr.ini: file-name"]
    assert Line.read(folder).extensions["1"].muted == frozenset()


def test_what_is_not_simulated_is_said_once_for_the_line(tmp_path: Path) -> None:
    folder = tree(tmp_path, **{f"_{number}": api(LINK, "password=1") for number in range(100)})
    (warning,) = Line.read(folder).warnings
    assert str(warning) == (
        "0/ext.ini:3: not-simulated: 'password' is not simulated [OFF]: callers are not asked for a password "
        "(also in 99 other places)"
    )


def test_skipped_files_are_said_once_for_the_line(tmp_path: Path) -> None:
    tree(tmp_path, _=api(LINK))
    write(tmp_path, {"1/WhiteList.ini": "", "1/000-SayTTS.ini": "", "000.wav": ""})
    (warning,) = Line.read(tmp_path).warnings
    assert warning.is_note
    assert str(warning).startswith(
        "1/000-SayTTS.ini: skipped-file: it is not read, nor are 1/WhiteList.ini: "
    )


@pytest.mark.parametrize(
    "name",
    [
        "Ext.ini",
        "EXT.INI",
        "ext.ini.txt",
        "ext.txt",
        "ext",
        "IVR.ini",
        "ivr.txt",
        "m0000.wav",
        "m1002-1.tts",
        "m0000.WAV",
    ],
)
def test_a_file_whose_name_is_nearly_one_of_the_line_warns(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(api(LINK), encoding="utf-8")
    assert warnings(tmp_path) == [f"{name}: file-name"]


@pytest.mark.parametrize("name", ["ext.wav", "extra.tts", "ivr2.wav", "M0000.wav", "m12.wav"])
def test_other_files_do_not_warn(tmp_path: Path, name: str) -> None:
    tree(tmp_path, _=api(LINK))
    (tmp_path / name).touch()
    assert warnings(tmp_path) == []


def test_a_settings_file_that_cannot_be_read_warns(tmp_path: Path) -> None:
    (tmp_path / "1" / "ext.ini").mkdir(parents=True)
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "ext.ini").symlink_to(tmp_path / "nothing")
    assert warnings(tmp_path) == ["1/ext.ini: unreadable", "2/ext.ini: unreadable"]
    assert [note.code for note in Line.read(tmp_path).extensions["2"].notes] == ["unreadable"]


def test_an_ivr_ini_that_cannot_be_read_warns_in_each_extension(tmp_path: Path) -> None:
    tree(tmp_path, _=api(LINK), _1=api(LINK))
    (tmp_path / "ivr.ini").symlink_to(tmp_path / "nothing")
    assert warnings(tmp_path) == ["ivr.ini: unreadable"]
    assert [note.place for note in Line.read(tmp_path).extensions["1"].notes] == ["ivr.ini"]


def test_an_ivr_ini_in_another_encoding_is_read_with_a_warning(tmp_path: Path) -> None:
    tree(tmp_path, _=api(LINK))
    (tmp_path / "ivr.ini").write_bytes("title=עברית\nmuted_messages=M1002".encode("windows-1255"))
    assert warnings(tmp_path) == ["ivr.ini: not-utf8"]
    assert Line.read(tmp_path).extensions[""].muted == {"M1002"}


def test_the_path_of_an_extension_is_that_of_its_folder(tmp_path: Path) -> None:
    write(tmp_path, {"שלוחה ראשית/7.1/ext.ini": api(LINK)})
    assert sorted(Line.read(tmp_path).extensions) == ["", "שלוחה ראשית", "שלוחה ראשית/7.1"]


def test_a_hidden_folder_is_no_extension_and_is_said_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"ext.ini": api(LINK), ".git/objects/ab/x": "", ".idea/ext.ini": api(LINK), "1/.cache/m0000.wav": ""},
    )
    (tmp_path / ".link").symlink_to(tmp_path)
    read = Line.read(tmp_path)
    assert sorted(read.extensions) == ["", "1"]
    (warning,) = read.warnings
    assert warning.is_note
    assert str(warning) == (
        ".git: hidden-folder: it is not read, nor are .idea, .link, 1/.cache: "
        "a folder whose name begins with a dot is no extension here"
    )


@pytest.mark.parametrize(
    "name", ["notes.txt", "Settings.INI", "ext.ini.bak", "ext.ini~", "000.m4a", "000", "000.wav.bak", "wav"]
)
def test_any_file_that_is_not_read_is_said(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"ext.ini": api(LINK), name: ""})
    assert warnings(tmp_path) == [f"{name}: skipped-file"]


def test_of_many_skipped_files_the_first_are_named(tmp_path: Path) -> None:
    write(tmp_path, {"ext.ini": api(LINK), **{f"{number}.log": "" for number in range(8)}})
    (warning,) = Line.read(tmp_path).warnings
    assert "nor are 1.log, 2.log, 3.log, 4.log, 3 more: only sounds (.mp3, .ogg, .tts, .wav)" in str(warning)


def test_of_skipped_files_with_one_name_the_first_is_named(tmp_path: Path) -> None:
    files = {f"{number}/{name}": "" for number in range(9) for name in ("WhiteList.ini", "log.ymgr")}
    del files["8/log.ymgr"]
    (warning,) = Line.read(write(tmp_path, files)).warnings
    assert str(warning).startswith(
        "0/WhiteList.ini: skipped-file: it is not read, nor are 0/log.ymgr, 15 more: "
    )


def test_a_sound_whose_suffix_is_in_upper_case_is_heard_with_a_warning(tmp_path: Path) -> None:
    files = {"1/M0000.WAV": "", "1/M0000-1.Wav": "", "1/5.MP3": "", "1/100.wav": ""}
    folder = write(tree(tmp_path, _1=api(LINK)), files)
    caller = Caller(line(folder, "read=f-5.f-/1/100=a,no,1,1,7,No"), extension="1")
    assert caller.dial() == "f-M0000 f-M0000-1 f-5 f-/1/100"
    assert caller.problems == ()
    assert warnings(folder) == ["1/5.MP3: file-name", "1/M0000-1.Wav: file-name", "1/M0000.WAV: file-name"]


def test_a_link_to_a_folder_is_not_followed_and_warns(tmp_path: Path) -> None:
    tree(tmp_path, _=api(LINK), _1=api(LINK))
    (tmp_path / "1" / "2").symlink_to(tmp_path)
    assert warnings(tmp_path) == ["1/2: skipped-folder"]
    assert sorted(Line.read(tmp_path).extensions) == ["", "1"]


def test_a_folder_that_cannot_be_read_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, _=api(LINK), _1=api(LINK))
    scandir = os.scandir

    def refuse(path: str) -> object:
        if os.fspath(path).endswith("/1"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    extensions, (warning,) = read_folders(tmp_path)
    assert (sorted(extensions), str(warning)) == (
        [""],
        "1: skipped-folder: the folder cannot be read (Permission denied): it is no extension here",
    )


def test_the_time_of_expiry_dates_can_be_given(tmp_path: Path) -> None:
    folder = tree(tmp_path, _=f"type(2030-10-27-00-14-22)=api\napi_link={LINK}")
    app = Script(ASK)
    Caller(Line.read(folder, servers={LINK: app}, now=datetime(2030, 1, 1))).dial()  # noqa: DTZ001
    assert len(app.sent) == 1
    late = Line.read(folder, now=datetime(2031, 1, 1))  # noqa: DTZ001
    assert late.extensions[""].kind == "menu"
    assert [warning.code for warning in late.warnings] == ["expired", "no-api"]


def test_a_caller_who_enters_an_extension_gets_its_notes_once(tmp_path: Path) -> None:
    folder = write(
        tree(tmp_path, _="type=menu\ntimeout=2", _1=api(LINK, "password=1"), _3="type=playfile"),
        {"ivr.ini": "start=min"},
    )
    caller = Caller(line(folder, "go_to_folder=/", "go_to_folder=/3"))
    caller.dial()
    caller.presses("1")
    caller.presses("1")
    notes = [problem for problem in caller.problems if problem.code == "not-simulated"]
    assert [problem.message.partition(": ")[0] for problem in notes] == [
        "ivr.ini:1",
        "ext.ini:2",
        "1/ext.ini:3",
        "3/ext.ini:1",
    ]
    assert {problem.level for problem in notes} == {"warning"}


def test_the_command_prints_what_is_not_simulated_but_succeeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree(tmp_path, _=api(LINK, "password=1"))
    assert main(["line", str(tmp_path)]) == 0
    assert "not-simulated: 'password'" in capsys.readouterr().out


def test_a_time_that_is_no_datetime_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="now is a datetime, not '2030'"):
        Line.read(tmp_path, now="2030")  # type: ignore[arg-type]  # as without mypy
