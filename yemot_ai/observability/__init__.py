"""What a server at work measures: metrics for Prometheus, spans for OpenTelemetry; nothing unless asked for.

from yemot_ai.observability import Metrics, Tracing

metrics = Metrics(flow)   # extra "metrics"; yemot-ai serve --metrics-port 9100 does this
tracing = Tracing(flow)   # extra "otel", with the SDK and the exporter of your application
"""

from yemot_ai.observability.metrics import Metrics
from yemot_ai.observability.tracing import Tracing

__all__ = ["Metrics", "Tracing"]
