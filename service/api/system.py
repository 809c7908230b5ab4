"""Whether the product is well, what it counts, and what its problems mean."""

import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from pydantic import BaseModel

from service import banks, events
from service.api.dependencies import CurrentParts
from service.api.envelope import page_policy
from service.api.errors import (
    NoSuchPath,
    TryAgainSoon,
    answer_of,
    documented,
    language_of,
    status_of,
    type_of,
)
from service.api.late import VitalRoute
from service.api.titles import title_of
from service.database import schema
from service.errors import Problem

router = APIRouter(tags=["system"], route_class=VitalRoute)
_LAG = Gauge("jumpa_outbox_lag_seconds", "As /readyz last saw it: how long notices wait")
_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_FACT = re.compile(r"\{\w+\}")
_WORDS = {
    "id": {"language": "Indonesia", "title": "Masalah", "all": "Semua masalah"},
    "en": {"language": "English", "title": "Problems", "all": "All problems"},
}
PageLanguage = Annotated[str, Depends(language_of)]


class HealthView(BaseModel):
    status: str


@router.get("/healthz")
async def healthz() -> HealthView:
    """The process is alive."""
    return HealthView(status="ok")


class ReadyView(BaseModel):
    """`outbox_lag_s`: for how long the notice that waits longest has been due."""

    status: str
    outbox_lag_s: int


@router.get(
    "/readyz", responses={503: {"description": "`try_again_soon`"}}, response_model=ReadyView
)
async def readyz(request: Request, parts: CurrentParts) -> ReadyView | Response:
    """The database can be reached, has this version's schema and triggers, and the worker
    keeps up: not with `JUMPA_READY_LAG_S` set and notices waiting longer than that."""
    async with parts.database.reading() as session:
        connection = await session.connection()
        lacking = await connection.run_sync(schema.problems)
        lag_s = 0.0 if lacking else await events.lag_s(session, await banks.all_ids(session))
    _LAG.set(lag_s)
    most_s = parts.settings.ready_lag_s
    if lacking or (most_s and lag_s > most_s):
        return answer_of(request, TryAgainSoon())
    return ReadyView(status="ready", outbox_lag_s=round(lag_s))


@router.get("/", include_in_schema=False)
async def root() -> RedirectResponse:
    """Somebody who opens the address in a browser wants to see something."""
    return RedirectResponse("/docs")


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """The description of every call, to read and to try, from files of our own."""
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=request.app.title,
        swagger_js_url="/static/swagger-ui/swagger-ui-bundle.js",
        swagger_css_url="/static/swagger-ui/swagger-ui.css",
        swagger_favicon_url="/static/swagger-ui/favicon-32x32.png",
    )
    page.headers["Content-Security-Policy"] = page_policy(*_inline_scripts(bytes(page.body)))
    return page


@router.get("/metrics", response_class=Response)
async def metrics() -> Response:
    """Counters in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get("/problems", response_class=HTMLResponse)
async def problem_list(language: PageLanguage) -> HTMLResponse:
    """Every problem type there is, in both languages, the caller's first."""
    both = _both(language)
    rows = "".join(
        f'<tr><td><a href="{type_of(problem)}">{slug}</a></td><td>{status_of(problem)}</td>'
        + "".join(f'<td lang="{one}">{_said(problem, one)}</td>' for one in both)
        for slug, problem in sorted(_known().items())
    )
    titles = ("type", "status", *(_WORDS[one]["language"] for one in both))
    head = "".join(f"<th>{title}</th>" for title in titles)
    body = f"<table><tr>{head}</tr>{rows}</table>"
    return HTMLResponse(_page(_WORDS[language]["title"], body, language))


@router.get("/problems/{slug}", response_class=HTMLResponse, responses=documented(NoSuchPath))
async def problem_page(
    slug: Annotated[str, Path(max_length=80)], language: PageLanguage
) -> HTMLResponse:
    """What one problem type means, in both languages, the caller's first."""
    problem = _known().get(slug)
    if problem is None:
        raise NoSuchPath
    said = "".join(f'<p lang="{one}">{_said(problem, one)}</p>' for one in _both(language))
    back = f'<p><a href="/problems">{_WORDS[language]["all"]}</a></p>'
    body = f"<p>HTTP {status_of(problem)}</p>{said}{back}"
    return HTMLResponse(_page(title_of(problem, language), body, language))


def _inline_scripts(page: bytes) -> list[str]:
    """The scripts that stand in a page itself, as its policy names them."""
    found = _SCRIPT.findall(page)
    return [f"'sha256-{b64encode(sha256(one).digest()).decode()}'" for one in found]


def _known() -> dict[str, type[Problem]]:
    """Problems that are answered with: those that no other is made of."""
    return {problem.slug(): problem for problem in Problem.family() if not problem.__subclasses__()}


def _said(problem: type[Problem], language: str) -> str:
    """Title and sentence as they stand in a page: what is filled in later is left open."""
    sentence = problem.english if language == "en" else problem.indonesian
    return f"<b>{escape(title_of(problem, language))}</b><br>{escape(_FACT.sub('…', sentence))}"


def _both(language: str) -> list[str]:
    return sorted(_WORDS, key=lambda one: one != language)


def _page(title: str, body: str, language: str) -> str:
    style = (
        "body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}"
        "td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}"
        # On a phone each row is a paragraph: four columns would be a word wide.
        "@media(max-width:44rem){table,tbody,tr,td{display:block}th{display:none}"
        "tr+tr{border-top:1px solid #ccc;padding:.6rem 0}td{overflow-wrap:anywhere}}"
    )
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{style}</style>'
        f"<h1>{escape(title)}</h1>{body}</html>"
    )
