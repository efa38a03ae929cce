"""The models that a new line can ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["MODELS", "Model"]


@dataclass(frozen=True, slots=True)
class Model:
    """A model service.

    Attributes:
        extras: of ``yemot-ai``, separated by commas.
        key: the environment variable that has its key; "" for a login.
        hebrew: what it needs before it answers.
        english: the same in English.
    """

    extras: str
    key: str
    hebrew: str
    english: str

    @property
    def key_line(self) -> str:
        """The lines of ``.env.example``."""
        return f"# The key of the model service.\n{self.key}=" if self.key else "# Codex has its own login."


def _service(name: str, extra: str, key: str) -> Model:
    return Model(
        f"{extra},server",
        key,
        f"{name} עונה עם המפתח שב-`{key}`.",
        f"{name} answers with the key in `{key}`.",
    )


MODELS: Final = {
    "codex": Model(
        "server",
        "",
        "אחרי `npm install -g @openai/codex` ו-`codex login` עונה Codex.",
        "Codex answers after `npm install -g @openai/codex` and `codex login`.",
    ),
    "openai": _service("OpenAI", "openai", "OPENAI_API_KEY"),
    "anthropic": _service("Anthropic", "anthropic", "ANTHROPIC_API_KEY"),
}
"""By the modes of ``YemotAI``."""
