"""The commit comes before the answer: one that fails is never answered as a success."""

import httpx
import pytest
from fastapi import APIRouter
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from service.api.dependencies import Parts, Session
from service.app import create_app

_SQLITE = (
    "PRAGMA defer_foreign_keys = ON",
    "INSERT INTO membership (person_id, bank_id, role, created_at)"
    " VALUES ('00', '00', 'resident', '2026-01-01')",
)
_POSTGRESQL = (
    "CREATE TEMP TABLE parent (id int PRIMARY KEY)",
    "CREATE TEMP TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
    "INSERT INTO child VALUES (1)",
)


async def break_the_commit(session: AsyncSession) -> None:
    """Write what only the commit will refuse."""
    connection = await session.connection()
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        await connection.execute(text(statement))


@pytest.fixture
async def breaking(parts: Parts) -> httpx.AsyncClient:
    router = APIRouter()

    @router.post("/break")
    async def endpoint(session: Session) -> str:
        await break_the_commit(session)
        return "done"

    app = create_app(parts.settings)
    app.state.parts = parts
    app.include_router(router)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://jumpa")


async def test_a_commit_that_fails_is_not_answered_with_success(
    breaking: httpx.AsyncClient,
) -> None:
    async with breaking as client:
        answer = await client.post("/break")
    assert answer.status_code >= 500
    assert answer.headers["Content-Type"] == "application/problem+json"
