"""Many collectors at one spot: nobody twice, no errors, and everybody gets some."""

import asyncio
from collections import Counter
from uuid import UUID

from sqlmodel import func, select

from models.people import Role
from models.pickup import Pickup, PickupStatus
from service import claims
from service.claims import Wish
from service.database import Database
from tests.factories import LUBUK_PAKAM, Town, add_person, list_pickup, make_town

COLLECTORS, EACH = 32, 3


async def claim_some(town: Town, collector_id: UUID, claimed: list[tuple[UUID, UUID]]) -> None:
    for _ in range(EACH):
        async with town.database.transaction() as session:
            wish = Wish(LUBUK_PAKAM, max_jobs=1, capacity_grams=None)
            drive = await claims.claim_nearest(session, [town.bank_id], collector_id, wish)
        claimed += [(stop.pickup.id, collector_id) for stop in drive.stops]


async def test_thirty_two_collectors_at_one_spot_share_what_is_there(database: Database) -> None:
    town = await make_town(database)
    async with database.transaction() as session:
        people = [
            await add_person(session, town.bank_id, Role.COLLECTOR) for _ in range(COLLECTORS)
        ]
    for _ in range(COLLECTORS * EACH):
        await list_pickup(town)
    claimed: list[tuple[UUID, UUID]] = []
    await asyncio.gather(*(claim_some(town, person.id, claimed) for person in people))
    assert len({pickup_id for pickup_id, _ in claimed}) == len(claimed) == COLLECTORS * EACH
    assert set(Counter(by for _, by in claimed).values()) == {EACH}
    async with database.reading() as session:
        query = select(Pickup.id, Pickup.collector_id).where(
            Pickup.bank_id == town.bank_id, Pickup.status == PickupStatus.CLAIMED
        )
        assert set(await session.exec(query)) == set(claimed)
        left = select(func.count()).where(
            Pickup.bank_id == town.bank_id, Pickup.status == PickupStatus.OPEN
        )
        assert (await session.exec(left)).one() == 0
