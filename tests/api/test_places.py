"""Only so many requests are worked on at a time; the rest are told at once to come again."""

from collections.abc import Callable
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


class House:
    """Places, a clock, and guests who each stay as long as they say."""

    def __init__(self, most: int = 16) -> None:
        self.now = 0.0
        self.places = Places(most, least=2, clock=lambda: self.now)
        self._inside: list[tuple[float, ExitStack]] = []

    def come(self, stays_s: float) -> bool:
        """One who wants to come in; whether they were let."""
        guest = ExitStack()
        try:
            guest.enter_context(self.places.one())
        except TooBusy:
            return False
        self._inside.append((self.now + stays_s, guest))
        return True

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        for ends, guest in sorted(self._inside, key=lambda one: one[0]):
            if ends <= until:
                self.now = max(self.now, ends)
                guest.close()
        self._inside = [one for one in self._inside if one[0] > until]
        self.now = until

    def alone(self, stays_s: float) -> None:
        for _ in range(20):
            self.come(stays_s)
            self.pass_time(1)

    def run(self, seconds: float, a_second: int, stays_s: Callable[[int], float]) -> int:
        """Let so many come; how many of those in the last second were let in."""
        let_in = 0
        for n in range(round(seconds * a_second)):
            came_in = self.come(stays_s(len(self._inside)))
            let_in += came_in and n >= (seconds - 1) * a_second
            self.pass_time(1 / a_second)
        return let_in

    def burst(self, many: int) -> int:
        return sum(self.come(0.1) for _ in range(many))


def shared(inside: int) -> float:
    """Of a machine that is busy: the more are inside, the longer each takes."""
    return 0.02 * (inside + 1)


def test_a_burst_may_fill_the_house_every_second() -> None:
    house = House()
    house.alone(0.01)
    for _ in range(9):
        house.pass_time(1)
        assert house.burst(40) == 16


def test_a_flood_leaves_few_places_until_it_is_over() -> None:
    house = House()
    house.alone(0.02)
    house.run(3, 400, shared)
    house.pass_time(0.05)
    assert house.burst(40) <= 3
    house.pass_time(1)
    assert house.burst(40) == 16


def test_who_waits_for_something_else_keeps_all_places() -> None:
    """Of a hundred milliseconds each whoever is inside, 16 places do 160 a second."""
    house = House()
    house.alone(0.1)
    assert house.run(5, 400, lambda _: 0.1) >= 150


def test_a_flood_does_not_go_on_by_itself() -> None:
    house = House()
    house.alone(0.05)
    house.run(2, 800, shared)
    assert house.run(5, 100, lambda _: 0.05) == 100


def test_two_long_ones_do_not_shut_the_house() -> None:
    house = House()
    house.alone(0.02)
    house.run(2, 400, shared)
    house.pass_time(0.01)
    while not house.come(60):
        house.pass_time(0.01)
    while not house.come(60):
        house.pass_time(0.01)
    assert house.run(4, 30, lambda _: 0.05) == 30


def test_without_a_least_all_places_stay() -> None:
    places = Places(4)
    with ExitStack() as inside:
        for _ in range(4):
            inside.enter_context(places.one())
        assert places.refuse()


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
