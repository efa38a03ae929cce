"""The recordings, the recorder, and the binary that is recorded."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.binary import RECOMMENDED_VERSION, BinaryNotFoundError, install, locate
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.recorder.recorder import CASES, record
from yemot_ai_testing.codex.recordings import Recording
from yemot_ai_testing.executable import DOUBLE_MARKER, write_executable

LISTS = {"features", "help", "help_root", "help_resume"}


def spoken(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def shape(recording: Recording) -> object:
    """What of a recording may not differ from one day to the next."""
    events = [json.loads(line.text) for line in recording.stdout if line.text.startswith("{")]
    kinds = [(event["type"], event.get("item", {}).get("type")) for event in events]
    failures = [event["error"]["message"] for event in events if event["type"] == "turn.failed"]
    return recording.argv, recording.exit_code, kinds, failures, recording.stdin


@pytest.mark.parametrize("version", recordings.versions())
def test_every_case_is_recorded_of_every_version(version: str) -> None:
    recorded = recordings.load_version(version)
    assert set(recorded) == set(CASES)
    assert {recording.version for recording in recorded.values()} == {version}


def test_the_version_that_is_asked_for_is_the_newest_recorded() -> None:
    assert recordings.versions()[-1] == RECOMMENDED_VERSION


def test_several_versions_are_recorded_oldest_first() -> None:
    assert recordings.versions() == ("0.142.0", "0.163.0", "0.169.0")


def test_a_version_that_is_not_recorded_is_told_with_those_that_are() -> None:
    with pytest.raises(LookupError, match=r"0\.1\.2 is not recorded; recorded are 0\.142\.0, .*real:0\.1\.2"):
        recordings.load_version("0.1.2")


@pytest.mark.parametrize("path", sorted(recordings.folder().glob("*/*.json")), ids=spoken)
def test_a_recording_is_small(path: Path) -> None:
    # Lists of what the program knows are long; a turn is not.
    assert path.stat().st_size < (24_000 if recordings.read_file(path).case in LISTS else 4_000)


def test_a_recording_reads_as_it_was_written(tmp_path: Path) -> None:
    path = recordings.folder() / RECOMMENDED_VERSION / "characters.json"
    recording = recordings.read_file(path)
    recording.write(tmp_path / "again.json")
    assert recordings.read_file(tmp_path / "again.json") == recording
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("text", ["{}", "[]", "no", '{"stdout": 3}'])
def test_what_is_no_recording_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "one.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"one\.json is no recording"):
        recordings.load_folder(tmp_path)


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="yemot-ai-testing record"):
        recordings.load_folder(tmp_path)


def test_the_real_binary_still_does_what_was_recorded(real_binary: Path, tmp_path: Path) -> None:
    written = record(real_binary, tmp_path / "again")
    again = {path.stem: recordings.read_file(path) for path in written}
    recorded = recordings.load_newest()
    if again["version"].version != recorded["version"].version:
        pytest.fail(f"recorded is {recorded['version'].version}: install it, or record {real_binary} again")
    assert {case: shape(one) for case, one in again.items()} == {
        case: shape(one) for case, one in recorded.items()
    }


@pytest.mark.parametrize("path", sorted(recordings.folder().glob("*/*.json")), ids=spoken)
def test_a_recording_tells_nothing_of_the_machine_it_was_made_on(path: Path) -> None:
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
        ("dana@example.org", "an address of somebody"),
        (r"C:\Users\dana", "an absolute path"),
        ("thread 01a2021e-e1f2-71a2-898b-4fcd956cbb54", "an id of one run"),
    ],
)
def test_a_recording_that_tells_too_much_is_refused(text: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in recordings.find_private_data(text))


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without any Codex, and with an empty cache."""
    monkeypatch.delenv("YEMOT_CODEX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "bin").mkdir()
    return tmp_path


def executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_executable(path, text)
    return path


@pytest.mark.parametrize("spec", ["real", "0.1.2", "./missing"])
def test_a_machine_without_the_binary_is_told_which_command_installs_it(nowhere: Path, spec: str) -> None:
    version = spec if spec == "0.1.2" else RECOMMENDED_VERSION
    with pytest.raises(BinaryNotFoundError, match=f"yemot-ai-testing codex install {version}"):
        locate(spec)
    assert not (nowhere / "cache").exists()


def test_the_binary_on_the_path_is_found(nowhere: Path) -> None:
    installed = executable(nowhere / "bin" / "codex")
    assert locate() == installed


def test_a_double_on_the_path_is_not_the_real_one(nowhere: Path) -> None:
    executable(nowhere / "bin" / "codex")
    (nowhere / "bin" / DOUBLE_MARKER).touch()
    with pytest.raises(BinaryNotFoundError):
        locate()


def test_a_fake_that_is_in_use_is_not_the_real_one(nowhere: Path) -> None:
    with FakeCodex(), pytest.raises(BinaryNotFoundError):
        locate()


def test_the_variable_comes_first(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(nowhere / "bin" / "codex")
    named = executable(nowhere / "elsewhere" / "codex-7")
    monkeypatch.setenv("YEMOT_CODEX", str(named))
    assert locate() == named


def test_of_the_installed_ones_the_newest_is_taken(nowhere: Path) -> None:
    cache = nowhere / "cache" / "yemot-ai" / "codex"
    executable(cache / "0.9.0" / "codex" / "codex")
    newest = executable(cache / "0.10.0" / "bin" / "codex")
    assert locate() == newest
    assert locate("0.9.0") == cache / "0.9.0" / "codex" / "codex"


def test_a_path_is_taken_as_it_is(nowhere: Path) -> None:
    named = executable(nowhere / "here")
    assert locate(str(named)) == named


def test_installing_unpacks_what_npm_gives(nowhere: Path) -> None:
    archive = nowhere / "package.tgz"
    with tarfile.open(archive, "w:gz") as packed:
        for name in ("bin/codex", "codex-resources/bwrap", "codex-resources/voice/lib.so"):
            member = tarfile.TarInfo(f"package/vendor/some-triple/{name}")
            member.size = 2
            packed.addfile(member, io.BytesIO(b"#!"))
    said = nowhere / "said"
    executable(nowhere / "bin" / "npm", f'#!/bin/sh\necho "$@" > {said}\n/bin/cp {archive} "$4/codex.tgz"\n')
    found = install("1.2.3")
    assert found == nowhere / "cache" / "yemot-ai" / "codex" / "1.2.3" / "bin" / "codex"
    assert locate("1.2.3") == found
    assert (found.parents[1] / "codex-resources" / "bwrap").is_file()
    assert not (found.parents[1] / "codex-resources" / "voice").exists()
    assert said.read_text(encoding="utf-8").startswith("pack @openai/codex@1.2.3-")
    (nowhere / "bin" / "npm").unlink()
    assert install("1.2.3") == found


def test_without_npm_the_python_package_is_installed(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = nowhere / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "openai_codex_cli_bin-1.2.3-py3-none-any.whl", "w") as wheel:
        about = "openai_codex_cli_bin-1.2.3.dist-info"
        wheel.writestr("codex_cli_bin/bin/codex", "#!")
        wheel.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.1\nName: openai-codex-cli-bin\nVersion: 1.2.3\n"
        )
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    assert install("1.2.3").read_text(encoding="utf-8") == "#!"


def test_when_neither_can_give_it_both_reasons_are_told(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(nowhere))
    executable(nowhere / "bin" / "npm", "#!/bin/sh\necho 'npm error 404 no such version' >&2\nexit 1\n")
    with pytest.raises(BinaryNotFoundError) as caught:
        install("1.2.3")
    assert "npm: npm error 404 no such version" in str(caught.value)
    assert "pip: ERROR: No matching distribution found" in str(caught.value)
    assert list((nowhere / "cache" / "yemot-ai" / "codex").iterdir()) == []


def test_what_is_no_version_is_not_installed(nowhere: Path) -> None:
    with pytest.raises(ValueError, match="not a version"):
        install("latest; rm")
    assert not (nowhere / "cache").exists()
