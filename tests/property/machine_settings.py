"""Settings of Hypothesis for state machines whose examples are the same in every run."""

from __future__ import annotations

from hypothesis import Phase, settings

__all__ = ["machine_settings"]


def machine_settings(
    examples: int, steps: int, *, shrinks: bool = False, derandomize: bool = True
) -> settings:
    """Return settings for so many examples and steps.

    Args:
        examples: the most examples.
        steps: the most steps of an example.
        shrinks: whether a failing example is shrunk.
        derandomize: False lets ``--hypothesis-seed`` choose the examples.
    """
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=derandomize,
        report_multiple_bugs=False,
        phases=[Phase.generate, *([Phase.shrink] if shrinks else [])],
    )
