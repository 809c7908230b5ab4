"""Traces say how long what took, and not where the caller stood."""

import httpx
from fastapi import FastAPI
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.observing.tracing import provider, telemetry


async def test_a_request_is_traced_without_its_query() -> None:
    seen = InMemorySpanExporter()
    tracing = provider()
    tracing.add_span_processor(SimpleSpanProcessor(seen))
    told = telemetry(is_wanted=True) | {"tracer_provider": tracing, "auto_configure": False}
    app = FastAPI(telemetry=told)

    @app.get("/near/{place}")
    async def near(place: str) -> str:
        return place

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://j") as http:
        assert (await http.get("/near/here?lat=3.5621")).status_code == 200
    spans = seen.get_finished_spans()
    assert "GET /near/{place}" in [span.name for span in spans]
    assert "3.5621" not in str([dict(span.attributes or {}) for span in spans])


def test_without_the_setting_nothing_is_traced() -> None:
    assert not any(telemetry(is_wanted=False).values())
