"""Finding and installing the real Codex binary."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from yemot_ai_testing.codex.binary import (
    RECOMMENDED_VERSION,
    BinaryNotFoundError,
    CodexSpec,
    CodexSpecError,
    install,
    locate,
    parse_codex_spec,
)
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.executable import DOUBLE_MARKER, write_executable


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("fake", CodexSpec("fake")),
        ("fake@0.142.0", CodexSpec("fake", "0.142.0")),
        ("real", CodexSpec("real")),
        ("real@0.142.0", CodexSpec("real", "0.142.0")),
        ("./codex", CodexSpec("path", path=Path("codex"))),
        ("./0.142.0", CodexSpec("path", path=Path("0.142.0"))),
        ("~/codex", CodexSpec("path", path=Path.home() / "codex")),
    ],
)
def test_a_spec_is_the_fake_a_version_or_a_path(text: str, spec: CodexSpec) -> None:
    assert parse_codex_spec(text) == spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.142.0", "write fake@0.142.0 for the fake, real@0.142.0 for the installed binary"),
        ("real:0.142.0", "write real@0.142.0"),
        ("fake:0.142.0", "write fake@0.142.0"),
        ("real:./codex", "write ./codex"),
        ("real:", "write real"),
        ("fake@", "write a version: fake@"),
        ("real@newest", "write a version: real@"),
        ("", "an empty text"),
    ],
)
def test_an_error_names_the_spelling_to_write(text: str, message: str) -> None:
    with pytest.raises(CodexSpecError) as caught:
        parse_codex_spec(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("spec", ["fake", "fake@0.142.0"])
def test_the_fake_is_not_a_real_binary(spec: str) -> None:
    with pytest.raises(CodexSpecError, match="the fake is not a real Codex"):
        locate(spec)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without Codex, and with an empty cache."""
    monkeypatch.delenv("YEMOT_CODEX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "bin").mkdir()
    return tmp_path


def executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_executable(path, text)
    return path


@pytest.mark.parametrize("spec", ["real", "real@0.1.2", "./missing"])
def test_the_error_for_a_missing_binary_names_the_command_that_installs_it(machine: Path, spec: str) -> None:
    version = "0.1.2" if spec == "real@0.1.2" else RECOMMENDED_VERSION
    with pytest.raises(BinaryNotFoundError, match=f"yemot-ai-testing codex install {version}"):
        locate(spec)
    assert not (machine / "cache").exists()


def test_the_binary_on_the_path_is_found(machine: Path) -> None:
    installed = executable(machine / "bin" / "codex")
    assert locate() == installed


def test_a_double_on_the_path_is_not_the_real_one(machine: Path) -> None:
    executable(machine / "bin" / "codex")
    (machine / "bin" / DOUBLE_MARKER).touch()
    with pytest.raises(BinaryNotFoundError):
        locate()


def test_a_fake_that_is_in_use_is_not_the_real_one(machine: Path) -> None:
    with FakeCodex(), pytest.raises(BinaryNotFoundError):
        locate()


def test_the_variable_comes_first(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(machine / "bin" / "codex")
    named = executable(machine / "elsewhere" / "codex-7")
    monkeypatch.setenv("YEMOT_CODEX", str(named))
    assert locate() == named


def test_the_variable_can_name_an_installed_version(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = executable(machine / "cache" / "yemot-ai" / "codex" / "0.9.0" / "bin" / "codex")
    monkeypatch.setenv("YEMOT_CODEX", "real@0.9.0")
    assert locate() == installed


@pytest.mark.parametrize("value", ["fake", "0.9.0"])
def test_an_error_names_the_variable(machine: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    executable(machine / "bin" / "codex")
    monkeypatch.setenv("YEMOT_CODEX", value)
    with pytest.raises(CodexSpecError, match=r"^YEMOT_CODEX: "):
        locate()


def test_the_newest_installed_version_is_used(machine: Path) -> None:
    cache = machine / "cache" / "yemot-ai" / "codex"
    executable(cache / "0.9.0" / "codex" / "codex")
    newest = executable(cache / "0.10.0" / "bin" / "codex")
    assert locate() == newest
    assert locate("real@0.9.0") == cache / "0.9.0" / "codex" / "codex"


def test_a_path_is_used_as_it_is(machine: Path) -> None:
    named = executable(machine / "here")
    assert locate(str(named)) == named


def test_installing_unpacks_the_npm_package(machine: Path) -> None:
    archive = machine / "package.tgz"
    with tarfile.open(archive, "w:gz") as packed:
        for name in ("bin/codex", "codex-resources/bwrap", "codex-resources/voice/lib.so"):
            member = tarfile.TarInfo(f"package/vendor/some-triple/{name}")
            member.size = 2
            packed.addfile(member, io.BytesIO(b"#!"))
    arguments = machine / "arguments"
    executable(
        machine / "bin" / "npm",
        f'#!/bin/sh\necho "$@" > {arguments}\n/bin/cp {archive} "$4/codex.tgz"\n',
    )
    found = install("1.2.3")
    assert found == machine / "cache" / "yemot-ai" / "codex" / "1.2.3" / "bin" / "codex"
    assert locate("real@1.2.3") == found
    assert (found.parents[1] / "codex-resources" / "bwrap").is_file()
    assert not (found.parents[1] / "codex-resources" / "voice").exists()
    assert arguments.read_text(encoding="utf-8").startswith("pack @openai/codex@1.2.3-")
    (machine / "bin" / "npm").unlink()
    assert install("1.2.3") == found


@pytest.mark.slow
def test_without_npm_the_python_package_is_installed(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = machine / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "openai_codex_cli_bin-1.2.3-py3-none-any.whl", "w") as wheel:
        dist_info = "openai_codex_cli_bin-1.2.3.dist-info"
        wheel.writestr("codex_cli_bin/bin/codex", "#!")
        wheel.writestr(
            f"{dist_info}/METADATA", "Metadata-Version: 2.1\nName: openai-codex-cli-bin\nVersion: 1.2.3\n"
        )
        wheel.writestr(f"{dist_info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{dist_info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    assert install("1.2.3").read_text(encoding="utf-8") == "#!"


@pytest.mark.slow
def test_the_error_has_the_reasons_of_both_registries(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(machine))
    executable(machine / "bin" / "npm", "#!/bin/sh\necho 'npm error 404 no such version' >&2\nexit 1\n")
    with pytest.raises(BinaryNotFoundError) as caught:
        install("1.2.3")
    assert "npm: npm error 404 no such version" in str(caught.value)
    assert "pip: ERROR: No matching distribution found" in str(caught.value)
    assert list((machine / "cache" / "yemot-ai" / "codex").iterdir()) == []


def test_a_text_that_is_not_a_version_is_not_installed(machine: Path) -> None:
    with pytest.raises(ValueError, match="not a version"):
        install("latest; rm")
    assert not (machine / "cache").exists()
