"""Measure what the library costs beside what an application would do without it, and how that grows.

``python -m benchmarks.performance`` prints the figures; ``--write`` keeps them, and renews
``docs/performance.md``; ``--check`` compares the ratios of the short profile with those that were kept.
"""
