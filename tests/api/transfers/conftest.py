"""A server that pays through a gateway that says what it is told to say."""

from typing import Any

import httpx
import pytest

from service.api.dependencies import Parts
from service.app import create_app
from service.keys import Keys
from tests.api.asking import Asking
from tests.api.transfers.transferring import EARNED
from tests.factories import Town, earn
from tests.paying import OneGateway, Till


@pytest.fixture
async def till(town: Town, keys: Keys) -> Till:
    assert await earn(town, keys, grams=50_000) == EARNED
    opened = Till(town, OneGateway())
    await opened.open()
    return opened


@pytest.fixture
async def paying(till: Till, parts: Parts, keys: Keys) -> Any:
    """Asking a server that pays through the till's gateway."""
    app = create_app(parts.settings)
    app.state.parts = Parts(
        parts.settings, parts.database, keys, parts.messenger, None, None, till.gateways
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://jumpa", headers={"Accept-Language": "en"}
    ) as client:
        yield Asking(client, keys)
