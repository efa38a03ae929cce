"""Faults in running Codex: process, command line, folders; and the check for each."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.providers.codex.faults import checks
from tests.providers.codex.faults.planting import fault, replaces, without
from yemot_ai.providers.codex import command as command_line
from yemot_ai.providers.codex import descendants, process
from yemot_ai.providers.codex import exec as exec_provider
from yemot_ai.providers.codex.capabilities import Capabilities
from yemot_ai.providers.codex.command import Setting
from yemot_ai.providers.codex.home.folders import CodexHome
from yemot_ai.providers.codex.process import ChildProcess, ProcessResult
from yemot_ai.providers.codex.session import CodexSession
from yemot_ai.providers.codex.settings import CodexSettings


@fault(checks.a_turn_ends_at_its_deadline)
def has_no_deadline(patch: pytest.MonkeyPatch) -> None:
    @replaces(patch, CodexSettings, CodexSettings._deadline)
    def deadline(self: CodexSettings) -> asyncio.Timeout:
        return asyncio.timeout(None)


@fault(checks.a_further_turn_continues_the_thread)
def never_resumes(patch: pytest.MonkeyPatch) -> None:
    @replaces(patch, command_line, command_line._resume_arguments)
    def resume_arguments(thread_id: str) -> list[str]:
        return []


@fault(checks.an_ended_session_leaves_no_files)
def does_not_delete_the_rollout(patch: pytest.MonkeyPatch) -> None:
    original = CodexHome._thread_files

    @replaces(patch, CodexHome, CodexHome._thread_files)
    def thread_files(self: CodexHome, thread_id: str) -> list[Path]:
        return [path for path in original(self, thread_id) if not path.name.startswith("rollout-")]


@fault(checks.an_ended_session_leaves_no_files)
def does_not_delete_the_databases(patch: pytest.MonkeyPatch) -> None:
    original = CodexHome._conversation_folders

    @replaces(patch, CodexHome, CodexHome._conversation_folders)
    def conversation_folders(self: CodexHome, key: str) -> list[Path]:
        return [folder for folder in original(self, key) if folder != self.databases_dir(key)]


@fault(checks.an_ended_session_leaves_no_files)
def does_not_delete_the_working_folder(patch: pytest.MonkeyPatch) -> None:
    original = CodexHome._conversation_folders

    @replaces(patch, CodexHome, CodexHome._conversation_folders)
    def conversation_folders(self: CodexHome, key: str) -> list[Path]:
        return [folder for folder in original(self, key) if folder != self.work_dir(key)]


@fault(checks.a_failed_first_turn_leaves_no_files)
def does_not_delete_a_failed_first_turn(patch: pytest.MonkeyPatch) -> None:
    original = exec_provider._delete_failed_turn

    @replaces(patch, exec_provider, exec_provider._delete_failed_turn)
    def delete(home: CodexHome, session: CodexSession, *, started: str) -> None:
        original(home, session, started="")


@fault(checks.the_prompt_is_no_argument)
def passes_the_prompt_as_an_argument(patch: pytest.MonkeyPatch) -> None:
    @replaces(patch, exec_provider, process.run_process)
    async def run(
        command: Sequence[str],
        *,
        stdin: bytes,
        receive: Callable[[bytes], None],
        env: Mapping[str, str],
        cwd: Path,
    ) -> ProcessResult:
        line = [*command[:-1], stdin.decode()]
        return await process.run_process(line, stdin=b"", receive=receive, env=env, cwd=cwd)


@fault(checks.standard_input_is_closed)
def leaves_standard_input_open(patch: pytest.MonkeyPatch) -> None:
    @replaces(patch, ChildProcess, ChildProcess.close_stdin)
    def close_stdin(self: ChildProcess) -> None: ...


@fault(checks.no_process_is_left_after_a_hang_up)
def ends_the_leader_only(patch: pytest.MonkeyPatch) -> None:
    @replaces(patch, process, process._signal)
    def send(group: int, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(group, number)

    # On Linux the mark finds the members of the group too.
    @replaces(patch, process, descendants.kill_marked)
    def kill_marked(mark: str) -> None: ...


@fault(checks.a_process_leads_a_new_session)
def starts_no_new_session(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(process, "_NEW_SESSION", False)


@fault(checks.the_environment_is_the_minimum)
def passes_the_whole_environment(patch: pytest.MonkeyPatch) -> None:
    original = CodexHome.environment

    @replaces(patch, CodexHome, CodexHome.environment)
    def environment(self: CodexHome, extra: Mapping[str, str]) -> dict[str, str]:
        return {**os.environ, **original(self, extra)}


@fault(checks.it_works_in_an_empty_private_folder)
def works_in_the_folder_of_the_server(patch: pytest.MonkeyPatch) -> None:
    @replaces(patch, exec_provider, process.run_process)
    async def run(
        command: Sequence[str],
        *,
        stdin: bytes,
        receive: Callable[[bytes], None],
        env: Mapping[str, str],
        cwd: Path,
    ) -> ProcessResult:
        return await process.run_process(command, stdin=stdin, receive=receive, env=env, cwd=Path.cwd())


@fault(checks.it_needs_no_repository)
def requires_a_repository(patch: pytest.MonkeyPatch) -> None:
    left = list(command_line._SUBCOMMAND)
    left.remove("--skip-git-repo-check")
    patch.setattr(command_line, "_SUBCOMMAND", left)


@fault(checks.the_home_of_the_user_is_not_touched)
def uses_the_home_of_the_user(patch: pytest.MonkeyPatch) -> None:
    original = CodexHome.for_codex_home

    @replaces(patch, CodexHome, CodexHome.for_codex_home)
    def for_codex_home(codex_home: str | os.PathLike[str] | None) -> CodexHome:
        home = original(codex_home)
        return home if home.login is None else replace(home, codex_home=home.login.parent)


@fault(checks.a_repository_around_the_folder_is_ignored, not_with_fake="the fake reads no AGENTS.md")
def looks_for_a_project(patch: pytest.MonkeyPatch) -> None:
    left = without(command_line._SETTINGS, "project_root_markers", "project_doc_max_bytes")
    patch.setattr(command_line, "_SETTINGS", left)


@fault(checks.the_sandbox_option_is_set)
def sets_no_sandbox(patch: pytest.MonkeyPatch) -> None:
    @replaces(patch, command_line, command_line._sandbox_options)
    def sandbox_options(sandbox: str) -> list[str]:
        return []


@fault(checks.no_tool_is_offered)
def disables_no_tool(patch: pytest.MonkeyPatch) -> None:
    @replaces(patch, command_line, command_line._disable_options)
    def disable_options(capabilities: Capabilities) -> list[str]:
        return []


@fault(checks.no_model_has_tools, not_with_fake="the fake has no catalogue of models")
def keeps_the_tools_of_the_models(patch: pytest.MonkeyPatch) -> None:
    _drop_setting(patch, "model_catalog_json")


@fault(checks.instructions_replace_the_prompt_of_codex)
def drops_the_instructions(patch: pytest.MonkeyPatch) -> None:
    _drop_setting(patch, "model_instructions_file")


def _drop_setting(patch: pytest.MonkeyPatch, path: str) -> None:
    """Drop a setting whose value is the path of a file."""
    original = command_line._settings

    @replaces(patch, command_line, command_line._settings)
    def settings(paths: Mapping[str, Path | None], config: Mapping[str, Setting]) -> dict[str, Setting]:
        return original({name: file for name, file in paths.items() if name != path}, config)
