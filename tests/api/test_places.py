"""Only so many requests are worked on at a time; the rest are told at once to come again."""

from contextlib import ExitStack
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


class _Visits:
    """Places, and a clock that is told how late it is."""

    def __init__(self, most: int) -> None:
        self.now = 0.0
        self.places = Places(most, clock=lambda: self.now)

    def flood(self) -> None:
        for _ in range(4):
            self.come(40)

    def come(self, many: int, *, after: float = 0.125) -> int:
        """How many of as many as come together are let in."""
        self.now += after
        return _enter(self.places, many)


def test_a_flood_leaves_an_eighth_of_the_places_until_it_is_over() -> None:
    visits = _Visits(16)
    assert visits.come(40) == 16  # A burst may fill the house.
    visits.flood()
    assert visits.come(40) == 2
    assert visits.come(3, after=0.75) == 2
    assert visits.come(40, after=0.5) == 16


def test_a_burst_every_second_is_no_flood() -> None:
    visits = _Visits(16)
    assert {visits.come(40, after=1) for _ in range(9)} == {16}


def test_an_eighth_of_few_places_is_one() -> None:
    visits = _Visits(1)
    visits.flood()
    assert visits.come(9) == 1


def _enter(places: Places, many: int) -> int:
    """How many of as many as come at the same time are let in."""
    with ExitStack() as inside:
        for entered in range(many):
            try:
                inside.enter_context(places.one())
            except TooBusy:
                for _ in range(many - entered - 1):
                    assert places.refuse()
                return entered
    return many


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
