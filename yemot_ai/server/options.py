"""What ``yemot-ai serve`` is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from yemot_ai.errors import ConfigurationError
from yemot_ai.server.limits import ServerLimits
from yemot_ai.server.logs import LogOptions
from yemot_ai.validation import check_number

__all__ = ["ServeOptions"]


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The options of ``yemot-ai serve``; they can be pickled, for processes that serve.

    Args:
        flow: the flow, as ``module:attribute``.
        host: the address to listen on.
        port: the port; 0 for a free one.
        limits: connections and deadlines.
        log: the log.
        record_folder: where the calls are recorded; None to record none.
        metrics_port: where the metrics are, for Prometheus; None for nowhere.
        metrics_host: the address of that port.
        workers: how many processes serve.
        reload: serve again when a file of the application changes.

    Raises:
        ConfigurationError: the options cannot work together.
    """

    flow: str
    host: str = "127.0.0.1"
    port: int = 8000
    limits: ServerLimits = field(default_factory=ServerLimits)
    log: LogOptions = field(default_factory=LogOptions)
    record_folder: Path | None = None
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
    workers: int = 1
    reload: bool = False

    def __post_init__(self) -> None:
        check_number("--workers", self.workers, "a whole number above 0", whole=True)
        if self.workers > 1 and self.reload:
            raise ConfigurationError("--reload serves with one process: leave out --workers")
        if self.workers > 1 and self.metrics_port is not None:
            raise ConfigurationError("--metrics-port shows one process: leave out --workers")
        if self.workers > 1 and self.record_folder is not None:
            raise ConfigurationError("--record writes the calls of one process: leave out --workers")
