"""Examine an installation, a flow and its address: ``yemot-ai doctor``."""

from __future__ import annotations

from yemot_ai.doctor.examination import examine
from yemot_ai.doctor.finding import Finding, Level
from yemot_ai.doctor.report import render_json, render_table

__all__ = ["Finding", "Level", "examine", "render_json", "render_table"]
