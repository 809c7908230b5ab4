"""Only so many requests are worked on at a time; the rest are told at once to come again."""

from dataclasses import replace

import httpx
import pytest

from service.api.dependencies import Parts
from service.api.errors import TooBusy
from service.api.places import Places
from service.app import create_app
from service.keys import Keys
from tests.api.asking import Asking, done, refused
from tests.factories import Town


def test_a_place_is_free_again_whatever_happened_on_it() -> None:
    places = Places(1)
    with pytest.raises(ZeroDivisionError), places.one():
        assert 1 / 0
    with places.one(), pytest.raises(TooBusy), places.one():
        pytest.fail("There is no second place.")
    with places.one():
        pass


async def test_a_busy_server_says_so_and_how_it_is(parts: Parts, town: Town, keys: Keys) -> None:
    settings = parts.settings.model_copy(update={"at_work": 1})
    app = create_app(settings)
    app.state.parts = replace(parts, settings=settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://jumpa") as http:
        asking = Asking(http, keys)
        with app.state.places.one():
            busy = await asking.get(town.resident, "/v1/me")
            refused(busy, 503, "too_busy")
            assert busy.headers["Retry-After"] == "1"
            assert busy.headers["X-Content-Type-Options"] == "nosniff"
            done(await asking.get(None, "/healthz"))
            done(await asking.get(None, "/readyz"))
        done(await asking.get(town.resident, "/v1/me"))
