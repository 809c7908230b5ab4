"""`jumpa route show` prints and draws a route; `jumpa roads calibrate` learns from trips."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlmodel import col, update

from models.base import utc_now
from models.pickup import Pickup, PickupStatus
from routing.geo import Point
from service import banks, claims
from service.database import Database, open_database
from service.settings import Settings
from tests import factories
from tests.factories import LUBUK_PAKAM, Town, load_materials, make_town
from tests.service.commanding import jumpa, only_setting, ready


def north(metres: float) -> Point:
    return Point(LUBUK_PAKAM.lat + metres / 111_195, LUBUK_PAKAM.lon)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = only_setting(monkeypatch, tmp_path / "data")
    ready()
    return folder


async def drive(town: Town, stops: int) -> claims.Drive:
    for number in range(1, stops + 1):
        await factories.list_pickup(town, at=north(400 * number))
    async with town.database.transaction() as session:
        wish = claims.Wish(LUBUK_PAKAM, max_jobs=stops, capacity_grams=None)
        return await claims.claim_nearest(session, [town.bank_id], town.collector.id, wish)


async def drive_through(town: Town, drive: claims.Drive, *, minutes: int) -> None:
    """Collect every stop, with so many minutes from each door to the next."""
    now = utc_now() - timedelta(hours=8)
    async with town.database.transaction() as session:
        for number, stop in enumerate(drive.stops):
            arrived = now + number * timedelta(minutes=minutes + 5)
            await session.exec(
                update(Pickup)
                .where(col(Pickup.bank_id) == town.bank_id, col(Pickup.id) == stop.pickup.id)
                .values(
                    status=PickupStatus.COLLECTED,
                    arrived_at=arrived,
                    collected_at=arrived + timedelta(minutes=5),
                )
            )


def run(made: Path, stops: int, *, minutes: int = 0) -> tuple[UUID, str]:
    """A route in the database of the commands, and its bank; driven if minutes are given."""

    async def act() -> tuple[UUID, str]:
        database: Database = open_database(Settings(data_dir=made).database)
        try:
            async with database.transaction() as session:
                await load_materials(session)
            town = await make_town(database, max_held_jobs=50)
            route = await drive(town, stops)
            if minutes:
                await drive_through(town, route, minutes=minutes)
            return route.route.id, town.bank.name
        finally:
            await database.close()

    return asyncio.run(act())


def test_a_route_is_printed_and_drawn(folder: Path) -> None:
    route, bank = run(folder, 3)
    picture = folder / "route.svg"
    shown = jumpa("route", "show", str(route), "--svg", str(picture), "--capacity-kg", "10")
    assert shown.exit_code == 0, shown.output
    assert "3 stops left" in shown.output
    assert "15.0 kg" not in shown.output
    assert shown.output.count(bank[:20]) == 2
    assert picture.read_text().startswith("<svg")


def test_a_route_that_is_not_there_is_said_so() -> None:
    refused = jumpa("route", "show", str(uuid4()))
    assert refused.exit_code == 2
    assert "There is no route" in refused.output


def test_what_is_no_id_is_said_so() -> None:
    refused = jumpa("route", "show", "xyz")
    assert refused.exit_code == 2
    assert "xyz is not an id" in refused.output


def test_the_speed_is_learnt_from_trips_and_entered_if_wanted(folder: Path) -> None:
    _, bank = run(folder, 22, minutes=3)
    told = jumpa("roads", "calibrate", "--bank", bank)
    assert told.exit_code == 0, told.output
    # 400 metres are 830 of road; in three minutes, 16.6 km an hour.
    assert "road_speed_kmh: 20 -> 16.6" in told.output
    assert "road_factor: 1.45 -> 1.45" in told.output
    assert "From 21 trips" in told.output
    assert _speed(folder, bank) == 20
    assert jumpa("roads", "calibrate", "--bank", bank, "--apply").exit_code == 0
    assert _speed(folder, bank) == pytest.approx(16.6)


def _speed(folder: Path, name: str) -> float:
    from service.cli.opening import find_bank  # noqa: PLC0415  Brings what the command does.

    async def ask() -> float:
        database = open_database(Settings(data_dir=folder).database)
        try:
            async with database.reading() as session:
                bank = await find_bank(session, name)
                return (await banks.policy_of(session, bank.id)).road_speed_kmh
        finally:
            await database.close()

    return asyncio.run(ask())


def test_few_trips_are_not_enough(folder: Path) -> None:
    _, bank = run(folder, 3, minutes=3)
    refused = jumpa("roads", "calibrate", "--bank", bank, "--apply")
    assert refused.exit_code == 2
    assert "It takes at least 20 trips; there are 2." in refused.output
