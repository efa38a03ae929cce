"""The recordings of the real Codex."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from yemot_ai_testing.cli.main import main
from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.binary import RECOMMENDED_VERSION
from yemot_ai_testing.codex.drift.drift import Corpus, compare_corpora
from yemot_ai_testing.codex.recorder.recorder import CASES, record
from yemot_ai_testing.codex.recordings import Recording

LISTS = {"features", "help", "help_root", "help_resume"}


def recording_id(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def shape(recording: Recording) -> object:
    """Return the parts of a recording that are the same in every run."""
    events = [json.loads(line.text) for line in recording.stdout if line.text.startswith("{")]
    kinds = [(event["type"], event.get("item", {}).get("type")) for event in events]
    failures = [event["error"]["message"] for event in events if event["type"] == "turn.failed"]
    return recording.argv, recording.exit_code, kinds, failures, recording.stdin


@pytest.mark.parametrize("version", recordings.versions())
def test_every_case_is_recorded_of_every_version(version: str) -> None:
    recorded = recordings.load_version(version)
    assert set(recorded) == set(CASES)
    assert {recording.version for recording in recorded.values()} == {version}


def test_the_recommended_version_is_the_newest_recorded_one() -> None:
    assert recordings.versions()[-1] == RECOMMENDED_VERSION


def test_several_versions_are_recorded_oldest_first() -> None:
    assert recordings.versions()[:4] == ("0.142.0", "0.163.0", "0.169.0", "0.171.0")
    assert recordings.server_versions()[:2] == ("0.169.0", "0.171.0")


def test_the_error_for_a_version_that_is_not_recorded_lists_the_recorded_ones() -> None:
    with pytest.raises(LookupError, match=r"0\.1\.2 is not recorded; recorded are 0\.142\.0, .*real@0\.1\.2"):
        recordings.load_version("0.1.2")


@pytest.mark.parametrize("path", sorted(recordings.folder().glob("*/*.json")), ids=recording_id)
def test_a_recording_is_small(path: Path) -> None:
    # Lists of features and options are long; a turn is not.
    assert path.stat().st_size < (24_000 if recordings.read_file(path).case in LISTS else 4_000)


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = recordings.folder() / RECOMMENDED_VERSION / "characters.json"
    recording = recordings.read_file(path)
    recording.write(tmp_path / "again.json")
    assert recordings.read_file(tmp_path / "again.json") == recording
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("text", ["{}", "[]", "no", '{"stdout": 3}'])
def test_the_error_for_a_file_that_is_not_a_recording_names_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "one.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"one\.json is not a recording"):
        recordings.load_folder(tmp_path)


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="yemot-ai-testing record"):
        recordings.load_folder(tmp_path)


@pytest.mark.slow
def test_the_real_binary_still_does_what_was_recorded(real_binary: Path, tmp_path: Path) -> None:
    paths = record(real_binary, tmp_path / "now")
    current = {path.stem: recordings.read_file(path) for path in paths}
    version = current["version"].version
    if version in recordings.versions():
        stored = recordings.load_version(version)
        assert {case: shape(recording) for case, recording in current.items()} == {
            case: shape(recording) for case, recording in stored.items()
        }
    else:  # a version that is not recorded may differ in what does not break us
        newest = Corpus.load(recordings.versions()[-1])
        report = compare_corpora(newest, Corpus.load(tmp_path / "now").with_binary(real_binary))
        assert not report.breaks, report.differences


@pytest.mark.parametrize("path", sorted(recordings.folder().glob("*/*.json")), ids=recording_id)
def test_a_recording_has_no_private_data(path: Path) -> None:
    assert recordings.find_private_data(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("in /home/dana/x", "an absolute path: '/home'"),
        ('"/tmp/x"', "an absolute path: '/tmp'"),
        ("url: http://127.0.0.1:8080/v1", "the address of a server"),
        ("key sk" + "-abcdefgh", "what looks like a secret"),
        ("Authorization: Bearer " + "abcdefghij", "what looks like a secret"),
        ("password=" + "hunter2hunter2", "what looks like a secret"),
        ("token " + "aB3" * 16, "what looks like a secret"),
        ("key AKIA" + "ABCDEFGH1234", "what looks like a secret"),
        ("-----BEGIN PRIVATE KEY-----", "what looks like a secret"),
        ("dana@example.org", "an email address"),
        (r"C:\Users\dana", "an absolute path"),
        ("thread 01a2021e-e1f2-71a2-898b-4fcd956cbb54", "an id of one run"),
    ],
)
def test_private_data_is_found(text: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in recordings.find_private_data(text))


def kinds_of_messages(path: Path) -> set[str]:
    """Return who sent what: the method of each message, or whether it is a result or an error.

    The server sends notifications of several threads, so neither their order nor their number is fixed.
    """
    read = [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]
    return {
        f"{line['by']} {line['message'].get('method') or sorted({'result', 'error'} & set(line['message']))}"
        for line in read
    }


@pytest.mark.slow
def test_the_real_app_server_still_sends_what_was_recorded(real_binary: Path, tmp_path: Path) -> None:
    assert main(["record", "--interface=app-server", f"--codex={real_binary}", f"--out={tmp_path}"]) == 0
    stored = recordings.folder() / "app-server" / RECOMMENDED_VERSION
    assert {path.name: kinds_of_messages(path) for path in tmp_path.iterdir()} == {
        path.name: kinds_of_messages(path) for path in stored.iterdir()
    }


@pytest.mark.parametrize("option", ["--live", "--script=turns.yaml"])
def test_turns_of_your_own_are_not_recorded_of_an_app_server(
    real_binary: Path, tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["record", "--interface=app-server", f"--codex={real_binary}", "--script=turns.yaml", option]
    assert main(argv) == 2
    assert "leave out --interface app-server" in capsys.readouterr().err
