"""What every test over HTTP asks with."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from service.api.dependencies import Parts
from service.app import create_app
from service.database import Database
from service.keys import Keys
from service.settings import Settings
from tests import factories
from tests.api.asking import Asking


@pytest.fixture(scope="session")
def app() -> FastAPI:
    """One application for all tests, since its routes are slow to prepare."""
    return create_app(Settings())


@pytest.fixture
async def client(app: FastAPI, parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    """HTTP without a network, asking for English words."""
    app.state.parts = parts
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://jumpa", headers={"Accept-Language": "en"}
    ) as opened:
        yield opened


@pytest.fixture(scope="session")
async def quiet(database: Database) -> factories.Town:
    """A town for requests that change nothing; tests that only refuse can share it."""
    return await factories.make_town(database)


@pytest.fixture
def asking(client: httpx.AsyncClient, keys: Keys) -> Asking:
    return Asking(client, keys)
