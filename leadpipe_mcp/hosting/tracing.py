"""Spans for the collector that the operator names in OpenTelemetry's own variables."""

import os

from leadpipe_mcp import __version__
from leadpipe_mcp.settings import SettingsError

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def trace_if_asked() -> None:
    """Send spans to a collector, if one is named.

    Raises:
        SettingsError: If what that needs is not installed.
    """
    named = [name for name in ENDPOINTS if os.environ.get(name)]
    if not named:
        return
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise SettingsError(f"{named[0]}: needs pip install 'leadpipe-mcp[otel]'.") from None
    known = {"service.name": "leadpipe-mcp", "service.version": __version__}
    provider = TracerProvider(resource=Resource.create(known))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
