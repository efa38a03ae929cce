"""The private folders of Codex, with the login and nothing else."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from yemot_ai.providers.codex.home.folders import CodexHome, is_thread_id

THREAD = "01a2021e-e1f2-71a2-898b-4fcd956cbb54"
OTHER = "01a2021e-e1f2-71a2-898b-4fcd956cbb55"
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The Codex home of the user, with files that a caller must not get."""
    folder = tmp_path / "users"
    folder.mkdir()
    for name in ("auth.json", "AGENTS.md", "config.toml"):
        (folder / name).write_text("{}", encoding="utf-8")
    monkeypatch.setenv("CODEX_HOME", str(folder))
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path / "ours"))
    return folder


def test_only_the_login_is_linked_in(users: Path) -> None:
    home = CodexHome.for_codex_home(None)
    home.prepare(KEY)
    assert [path.name for path in home.codex_home.iterdir()] == ["auth.json"]
    assert (home.codex_home / "auth.json").readlink() == users / "auth.json"


def test_every_folder_is_private() -> None:
    home = CodexHome.for_codex_home(None)
    home.prepare(KEY)
    for folder in (home.root, home.codex_home, home.work_dir(KEY)):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_without_a_login_nothing_is_linked(users: Path) -> None:
    (users / "auth.json").unlink()
    home = CodexHome.for_codex_home(None)
    home.prepare(KEY)
    assert list(home.codex_home.iterdir()) == []


def test_the_link_follows_the_user_to_another_home(
    users: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    CodexHome.for_codex_home(None).prepare(KEY)
    moved = users.rename(tmp_path / "moved")
    monkeypatch.setenv("CODEX_HOME", str(moved))
    home = CodexHome.for_codex_home(None)
    home.prepare(KEY)
    assert (home.codex_home / "auth.json").readlink() == moved / "auth.json"


def test_without_a_login_of_the_user_a_login_in_the_private_home_is_kept() -> None:
    home = CodexHome.for_codex_home(None)
    home.codex_home.mkdir(parents=True)
    (home.codex_home / "auth.json").write_text("ours", encoding="utf-8")
    home.prepare(KEY)
    assert (home.codex_home / "auth.json").read_text(encoding="utf-8") == "ours"


KEY_OLD, KEY_NEW = ({"auth_mode": "apikey", "OPENAI_API_KEY": f"sk-{name}"} for name in ("OLD", "NEW"))


def tokens(day: str) -> dict[str, object]:
    return {"tokens": {"access_token": day}, "last_refresh": f"2026-11-{day}T08:00:00.123456789Z"}


@pytest.mark.parametrize(
    ("copied", "users_login"),
    [
        (KEY_OLD, KEY_NEW),
        (KEY_OLD, KEY_OLD),
        (tokens("01"), tokens("02")),
        (tokens("02"), tokens("02")),
        (tokens("02"), KEY_NEW),
        (KEY_OLD, tokens("02")),
        ("not JSON", KEY_NEW),
    ],
)
def test_a_copy_of_a_login_is_replaced_by_the_link(
    users: Path, copied: object, users_login: object, caplog: pytest.LogCaptureFixture
) -> None:
    home = CodexHome.for_codex_home(None)
    home.codex_home.mkdir(parents=True)
    copy = home.codex_home / "auth.json"
    (users / "auth.json").write_text(json.dumps(users_login), encoding="utf-8")
    # The copy is the later file: its time says nothing about the login in it.
    copy.write_text(text := json.dumps(copied), encoding="utf-8")
    home.prepare(KEY)
    home.prepare(KEY)

    assert copy.readlink() == users / "auth.json"
    assert copy.with_name("auth.json.replaced").read_text(encoding="utf-8") == text
    (record,) = caplog.records
    assert str(users / "auth.json") in record.getMessage()


@pytest.mark.parametrize(
    "later", [tokens("03"), {**tokens("02"), "last_refresh": "2026-11-02T11:00:00+02:00"}]
)
def test_a_copy_whose_tokens_were_refreshed_later_is_kept(users: Path, later: object) -> None:
    home = CodexHome.for_codex_home(None)
    home.codex_home.mkdir(parents=True)
    (users / "auth.json").write_text(json.dumps(tokens("02")), encoding="utf-8")
    (home.codex_home / "auth.json").write_text(json.dumps(later), encoding="utf-8")
    home.prepare(KEY)

    assert json.loads((home.codex_home / "auth.json").read_text(encoding="utf-8")) == later


def test_a_login_in_the_private_home_that_is_the_login_of_the_user_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = CodexHome.for_codex_home(None)
    monkeypatch.setenv("CODEX_HOME", str(home.codex_home))
    home.codex_home.mkdir(parents=True)
    (home.codex_home / "auth.json").write_text("ours", encoding="utf-8")
    CodexHome.for_codex_home(None).prepare(KEY)
    assert (home.codex_home / "auth.json").read_text(encoding="utf-8") == "ours"


def test_a_link_to_the_home_of_the_user_is_replaced_by_a_folder(
    users: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = CodexHome.for_codex_home(None)
    home.root.mkdir(parents=True)
    home.codex_home.symlink_to(users)
    home.prepare(KEY)
    assert [path.name for path in home.codex_home.iterdir()] == ["auth.json"]
    assert sorted(path.name for path in users.iterdir()) == ["AGENTS.md", "auth.json", "config.toml"]
    assert (users / "auth.json").read_text(encoding="utf-8") == "{}"
    (record,) = caplog.records
    assert str(users) in record.getMessage()


SETTINGS = ("config.toml", "line.config.toml", "AGENTS.md", "AGENTS.override.md", ".env", "hooks.json")
SETTINGS_FOLDERS = ("skills", "prompts", "rules", "memories", "plugins", "agents", "hooks")


@pytest.mark.parametrize("name", [*SETTINGS, *(f"{folder}/x.md" for folder in SETTINGS_FOLDERS)])
def test_settings_in_the_private_home_are_moved_out_of_it(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    home = CodexHome.for_codex_home(None)
    for text in ("first", "second"):
        file = home.codex_home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        home.prepare(KEY)
        assert [path.name for path in home.codex_home.iterdir()] == ["auth.json"]
    assert (home.root / "ignored" / name).read_text(encoding="utf-8") == "second"
    assert "would have reached callers" in caplog.records[0].getMessage()


def test_what_codex_notes_about_a_working_folder_is_deleted_without_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path / "link"))
    home = CodexHome.for_codex_home(None)
    home.prepare(KEY)
    for folder in (home.work_dir(KEY), home.work_dir(KEY).resolve()):
        # The words of 0.142 after `thread/start` with a sandbox that may write.
        noted = f'[projects."{folder}"]\ntrust_level = "trusted"\n'
        (home.codex_home / "config.toml").write_text(noted, encoding="utf-8")
        home.prepare(KEY)
    assert [path.name for path in home.codex_home.iterdir()] == ["auth.json"]
    assert not (home.root / "ignored").exists()
    assert caplog.records == []


@pytest.mark.parametrize(
    "settings",
    [
        '[projects."{work}/x"]\ntrust_level = "trusted"\n[mcp_servers.x]\ncommand = "x"',
        '[projects."{work}/x"]\ntrust_level = "trusted"\nother = 1',
        '[projects."{work}/x"]\n[projects."/elsewhere"]\ntrust_level = "trusted"',
        '[projects."{work}/../x"]\ntrust_level = "trusted"',
        "projects = 7",
        'projects."{work}/x" = 7',
        "[projects",
        "",
    ],
    ids=["server", "key", "elsewhere", "outside", "number", "text", "broken", "empty"],
)
def test_other_settings_beside_the_notes_of_codex_are_moved_with_a_warning(
    settings: str, caplog: pytest.LogCaptureFixture
) -> None:
    home = CodexHome.for_codex_home(None)
    home.codex_home.mkdir(parents=True)
    text = settings.replace("{work}", str(home.work_dir(KEY).parent))
    (home.codex_home / "config.toml").write_text(text, encoding="utf-8")
    home.prepare(KEY)
    assert (home.root / "ignored" / "config.toml").read_text(encoding="utf-8") == text
    assert "would have reached callers" in caplog.records[0].getMessage()


def test_linked_settings_in_the_private_home_stay_where_the_link_leads(users: Path) -> None:
    home = CodexHome.for_codex_home(None)
    home.codex_home.mkdir(parents=True)
    (home.codex_home / "config.toml").symlink_to(users / "config.toml")
    home.prepare(KEY)
    assert [path.name for path in home.codex_home.iterdir()] == ["auth.json"]
    assert (users / "config.toml").read_text(encoding="utf-8") == "{}"


def test_files_of_codex_in_the_private_home_stay() -> None:
    home = CodexHome.for_codex_home(None)
    names = ["auth.json", "installation_id", "models_cache.json", "sessions", "thread-writer-locks"]
    for name in names[1:]:
        (home.codex_home / name).mkdir(parents=True)
    home.prepare(KEY)
    assert sorted(path.name for path in home.codex_home.iterdir()) == names


def test_settings_in_a_home_of_the_user_stay(users: Path) -> None:
    CodexHome.for_codex_home(users).prepare(KEY)
    assert (users / "config.toml").exists()


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"YEMOT_AI_HOME": "{tmp}/a"}, "{tmp}/a/codex/home"),
        ({"YEMOT_AI_HOME": "", "XDG_STATE_HOME": "{tmp}/b"}, "{tmp}/b/yemot-ai/codex/home"),
        (
            {"YEMOT_AI_HOME": "", "XDG_STATE_HOME": "", "HOME": "{tmp}/c"},
            "{tmp}/c/.local/state/yemot-ai/codex/home",
        ),
    ],
)
def test_the_private_folder_is_in_the_state_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], place: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(tmp=tmp_path))
    assert CodexHome.for_codex_home(None).codex_home == Path(place.format(tmp=tmp_path))


def test_instructions_are_in_a_private_file_that_is_written_once() -> None:
    home = CodexHome.for_codex_home(None)
    home.prepare(KEY)
    file = home.instructions_file("ענה בקצרה")
    assert file.read_text(encoding="utf-8") == "ענה בקצרה"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert home.instructions_file("ענה בקצרה") == file
    assert home.instructions_file("ענה באריכות") != file


def test_the_environment_is_the_minimum_and_what_the_user_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    monkeypatch.setenv("SECRET", "s")
    home = CodexHome.for_codex_home(None)
    environment = home.environment({"CODEX_API_KEY": "k"})
    assert environment["PATH"] == "/bin"
    assert environment["HTTPS_PROXY"] == "http://proxy"
    assert environment["CODEX_API_KEY"] == "k"
    assert environment["CODEX_HOME"] == str(home.codex_home)
    assert environment["HOME"] != str(Path.home())
    assert "SECRET" not in environment


def create_files(home: CodexHome, thread: str, key: str) -> list[Path]:
    paths = [
        home.root / "databases" / key / "state.sqlite",
        home.codex_home / "sessions" / "2026" / "01" / "02" / f"rollout-2026-01-02T03-04-05-{thread}.jsonl",
        home.codex_home / "thread-writer-locks" / f"{thread}.lock",
        home.codex_home / "shell_snapshots" / f"{thread}.17.sh",
    ]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def test_deleting_a_conversation_deletes_only_its_files() -> None:
    home = CodexHome.for_codex_home(None)
    deleted, kept = create_files(home, THREAD, KEY), create_files(home, OTHER, KEY[::-1])
    home.delete_conversation(THREAD, KEY)
    assert not any(path.exists() for path in deleted)
    assert all(path.exists() for path in kept)


@pytest.mark.parametrize(
    "name", ["", "*", "**", "../*", "?" * 36, THREAD.upper(), f"{THREAD}*", f"*{THREAD[1:]}"]
)
def test_an_invalid_thread_id_deletes_nothing(name: str) -> None:
    home = CodexHome.for_codex_home(None)
    kept = create_files(home, THREAD, KEY)
    home.delete_conversation(name, name)
    assert all(path.exists() for path in kept)


def test_a_given_codex_home_has_no_databases_folder(tmp_path: Path) -> None:
    assert CodexHome.for_codex_home(tmp_path).databases_dir(KEY) is None
    assert CodexHome.for_codex_home(None).databases_dir(KEY) is not None


def test_a_thread_id_is_a_uuid_with_dashes() -> None:
    assert is_thread_id(THREAD)
    assert not any(
        map(
            is_thread_id,
            ("", "x", THREAD.replace("-", ""), f"{{{THREAD}}}", f"urn:uuid:{THREAD}", f" {THREAD}"),
        )
    )
