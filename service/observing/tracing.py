"""Traces and metrics over OpenTelemetry, for who sets JUMPA_TELEMETRY."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig
    from opentelemetry.sdk.trace import TracerProvider


def telemetry(*, is_wanted: bool) -> "TelemetryConfig":
    """What FastAPI is told; where it goes is said by the standard variables OTEL_…."""
    if not is_wanted:
        return {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
    # No logs: they would quote what an error quotes, and ours are masked.
    return {"tracer_provider": provider(), "logs": False, "auto_configure": True}


def provider() -> "TracerProvider":
    """Makes spans that don't say where a caller stands, which is in the query."""
    from opentelemetry.context import Context  # noqa: PLC0415  An extra.
    from opentelemetry.sdk.trace import (  # noqa: PLC0415
        Span,
        SpanProcessor,
        TracerProvider,
    )

    class WithoutQuery(SpanProcessor):
        def on_start(self, span: Span, parent_context: Context | None = None) -> None:
            for name in ("url.query", "url.full"):
                if name in (span.attributes or {}):
                    span.set_attribute(name, "")

    made = TracerProvider()
    made.add_span_processor(WithoutQuery())
    return made
