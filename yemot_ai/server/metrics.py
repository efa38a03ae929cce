"""``yemot-ai serve --metrics-port``: the metrics of the flow on a port that the line never sees."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from yemot_ai.errors import ConfigurationError
from yemot_ai.flow import AIFlow
from yemot_ai.observability import Metrics
from yemot_ai.server.options import ServeOptions

__all__ = ["served_metrics"]

log = logging.getLogger("yemot_ai")


@contextlib.contextmanager
def served_metrics(flow: AIFlow, options: ServeOptions) -> Iterator[None]:
    """Serve the metrics of ``flow``, if there is a port for them, while the context is open.

    Raises:
        ConfigurationError: the port cannot be opened.
        MissingExtraError: ``prometheus-client`` is not installed.
    """
    host, port = options.metrics_host, options.metrics_port
    if port is None:
        yield
        return
    metrics = Metrics(flow)
    from prometheus_client import start_http_server  # noqa: PLC0415 - an extra

    try:
        server, thread = start_http_server(port, addr=host, registry=metrics.registry)
    except OSError as error:
        raise ConfigurationError(
            f"--metrics-port {port}, --metrics-host {host}: {error.strerror or error}: take another one"
        ) from error
    log.info("metrics on http://%s:%d/metrics", host, server.server_port)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
