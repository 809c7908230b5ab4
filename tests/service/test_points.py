"""The optional index of flat points: found when it is there, and never another answer."""

import random
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from routing.geo import Point
from service.claims import points
from service.claims.board import boards
from service.database import Database, open_database
from tests.factories import LUBUK_PAKAM, Town, change_pickup, list_pickup, make_town

DEPLOYING = Path(__file__).parents[2] / "docs" / "deploy.md"


async def nearest(database: Database, town: Town, here: Point) -> list[tuple[UUID, float]]:
    async with database.reading() as session:
        (board,) = await boards(session, [town.bank_id], town.collector.id)
        assert await points.has_index(session) == (database.engine is not town.database.engine)
        ranked = await board.best(here, k=7, within_m=20_000)
        return [(one.key, one.distance_m) for one in ranked]


async def run(database: Database, *statements: str) -> None:
    async with database.engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in statements:
            await alone.execute(text(statement))


@pytest.mark.parametrize("at", [LUBUK_PAKAM, Point(60.0, 10.75)])
@pytest.mark.parametrize("age_tau_s", [0, 14_400])
async def test_the_nearest_are_the_same_with_an_index_of_points(
    database: Database, database_url: str, at: Point, age_tau_s: int
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has no such index")
    town = await make_town(database, at=at, age_tau_s=age_tau_s)
    chance = random.Random(4)
    for _ in range(40):
        near = Point(at.lat + chance.uniform(-0.02, 0.02), at.lon + chance.uniform(-0.02, 0.02))
        pickup = await list_pickup(town, at=near)
    await change_pickup(town, pickup.id, status="cancelled")
    without = await nearest(database, town, at)
    other = open_database(database_url)
    try:
        await run(other, *points.INDEX)
        assert await nearest(other, town, at) == without
        assert len(without) == 7
    finally:
        await run(other, "DROP INDEX ix_pickup_open_point")
        await other.close()


async def test_sqlite_has_no_such_index(database: Database) -> None:
    async with database.reading() as session:
        assert not await points.has_index(session)


def test_the_guide_says_how_the_index_is_made() -> None:
    assert all(f"{statement};" in DEPLOYING.read_text() for statement in points.INDEX)
