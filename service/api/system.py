"""Whether the product is well, what it counts, and what its problems mean."""

from html import escape

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from service.api.dependencies import CurrentParts
from service.api.errors import (
    NoSuchPath,
    TryAgainSoon,
    answer_of,
    language_of,
    status_of,
    type_of,
)
from service.database import schema
from service.errors import Problem

router = APIRouter(tags=["system"])


class HealthView(BaseModel):
    status: str


@router.get("/healthz")
async def healthz() -> HealthView:
    """The process is alive."""
    return HealthView(status="ok")


@router.get(
    "/readyz", responses={503: {"description": "`try_again_soon`"}}, response_model=HealthView
)
async def readyz(request: Request, parts: CurrentParts) -> HealthView | Response:
    """The database can be reached and has this version's schema and triggers."""
    async with parts.database.reading() as session:
        connection = await session.connection()
        lacking = await connection.run_sync(schema.problems)
    if lacking:
        return answer_of(request, TryAgainSoon())
    return HealthView(status="ready")


@router.get("/metrics", response_class=Response)
async def metrics() -> Response:
    """Counters in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get("/problems", response_class=HTMLResponse)
async def problem_list(request: Request) -> HTMLResponse:
    """Every problem type there is."""
    known = sorted(_known().items())
    rows = "".join(
        f'<tr><td><a href="{type_of(problem)}">{slug}</a></td><td>{status_of(problem)}</td>'
        f"<td>{escape(_words(problem, language_of(request)))}</td></tr>"
        for slug, problem in known
    )
    head = "<tr><th>type</th><th>status</th><th></th></tr>"
    return HTMLResponse(_page("Problems", f"<table>{head}{rows}</table>"))


@router.get("/problems/{slug}", response_class=HTMLResponse)
async def problem_page(slug: str) -> HTMLResponse:
    """What one problem type means, in both languages."""
    problem = _known().get(slug)
    if problem is None:
        raise NoSuchPath
    body = (
        f"<p>HTTP {status_of(problem)}</p><p>{escape(problem.english)}</p>"
        f'<p lang="id">{escape(problem.indonesian)}</p><p><a href="/problems">All problems</a></p>'
    )
    return HTMLResponse(_page(problem.title(), body))


def _known() -> dict[str, type[Problem]]:
    """Problems that are answered with: those that no other is made of."""
    return {problem.slug(): problem for problem in Problem.family() if not problem.__subclasses__()}


def _words(problem: type[Problem], language: str) -> str:
    return problem.english if language == "en" else problem.indonesian


def _page(title: str, body: str) -> str:
    style = (
        "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}"
        "td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}"
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style}</style>'
        f"<h1>{escape(title)}</h1>{body}</html>"
    )
