"""Write a small tested project: ``yemot-ai new``."""

from __future__ import annotations

from yemot_ai.new.models import MODELS
from yemot_ai.new.names import ProjectName
from yemot_ai.new.project import write_project

__all__ = ["MODELS", "ProjectName", "write_project"]
