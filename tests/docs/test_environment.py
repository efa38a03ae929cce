"""``docs/environment.md`` has every environment variable that the packages read, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[2]
READ: Final = re.compile(r"environ(?:\.get\(|\[)\s*\"([A-Z][A-Z_0-9]+)\"")
NAMED: Final = re.compile(r"= \"((?:YEMOT|OPENAI|ANTHROPIC)_[A-Z_]+)\"")
IN_A_TABLE: Final = re.compile(r"^\| (`[^|]+`) \|", re.MULTILINE)
WSGI: Final = {
    "CONTENT_LENGTH",
    "HTTP_ACCEPT",
    "HTTP_UPGRADE",
    "PATH_INFO",
    "QUERY_STRING",
    "REQUEST_METHOD",
    "SCRIPT_NAME",
}
OF_THE_SYSTEM: Final = {"HOME", "PATH"}
BETWEEN_OUR_PROCESSES: Final = {"YEMOT_AI_MODEL_SERVER_KEY", "YEMOT_AI_MUTATION_FOLDER", "YEMOT_AI_PROCESS"}
BY_THE_NAME_OF_A_SERVICE: Final = {
    f"{service}_{what}" for service in ("OPENAI", "ANTHROPIC") for what in ("API_KEY", "BASE_URL", "MODEL")
} | {"OPENAI_TRANSCRIPTION_MODEL"}


def variables_of_the_code() -> set[str]:
    sources = [
        path for package in ("yemot_ai", "yemot_ai_testing") for path in (ROOT / package).rglob("*.py")
    ]
    texts = [path.read_text(encoding="utf-8") for path in sources]
    read = {name for text in texts for pattern in (READ, NAMED) for name in pattern.findall(text)}
    return (read | BY_THE_NAME_OF_A_SERVICE) - WSGI - OF_THE_SYSTEM - BETWEEN_OUR_PROCESSES


def test_each_variable_is_on_the_page_and_no_other() -> None:
    page = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
    of_the_reference_agent = {"YEMOT_AI_MODE", "YEMOT_AI_STORE", "YEMOT_AI_SECRET", "YEMOT_AI_CALL_KEY"}
    in_tables = {name for cell in IN_A_TABLE.findall(page) for name in re.findall(r"`([A-Z_]+)`", cell)}

    assert all(f"`{name}`" in page for name in of_the_reference_agent)
    assert in_tables | of_the_reference_agent == variables_of_the_code()
