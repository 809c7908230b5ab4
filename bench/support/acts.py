"""What the product does, one act at a time, for many callers."""

import random
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy import select as select_columns
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bench.support.grouping import Poster
from bench.support.rounds import CALLERS, Act
from models.base import Table, new_id, utc_now
from models.idempotency import Answer
from models.people import Role
from models.pickup import Pickup, PickupItem
from service import claims, ledger, pickups, weighing
from service.database import Database
from service.keys import Keys, load_keys
from service.ledger import Draft, Movement, Place
from service.settings import Settings
from service.weighing import Handover, Weighed
from tests.factories import (
    KACA,
    KARDUS,
    LUBUK_PAKAM,
    PET,
    Town,
    add_person,
    load_materials,
    make_town,
)

_HOT = Place("hot", hot=True)
_MATERIALS = (PET, KARDUS, KACA)
_LINES = [Weighed(material, "clean", 2_500, 0, "") for material in _MATERIALS]
_REMEMBER = insert(Answer)


class Acts:
    """A bank with many accounts, and a town where claimed pickups are weighed at the door."""

    def __init__(self, bank: Town, places: list[Place], town: Town, keys: Keys) -> None:
        self.bank_id = bank.bank_id
        self.town = town
        self._places = places
        self._keys = keys
        self._claimed: list[list[UUID]] = []

    @classmethod
    async def prepare(
        cls, database: Database, folder: Path, *, accounts: int, weighings: int
    ) -> "Acts":
        """Make them. The accounts are known to this process from then on."""
        async with database.transaction() as session:
            await load_materials(session)
        bank, town = await make_town(database), await make_town(database)
        places = [Place(f"bench:{number}") for number in range(accounts)]
        for _ in range(2):  # What a transaction opens is noted by the next that sees it.
            async with database.transaction() as session:
                for first in range(0, accounts, 500):
                    await ledger.open_accounts(session, bank.bank_id, places[first : first + 500])
                await ledger.open_accounts(session, bank.bank_id, [_HOT])
        made = cls(bank, places, town, load_keys(Settings(data_dir=folder)))
        for _ in range(CALLERS):
            async with database.transaction() as session:
                made._claimed.append(await _claimed(session, town, weighings // CALLERS + 1))
        return made

    @property
    def account_ids(self) -> list[UUID]:
        return [place.id_in(self.bank_id) for place in self._places]

    def posting(self, poster: Poster, *, hot: bool = False, count: int = 1) -> Act:
        """An act of so many transfers; with `hot`, always from the same account."""

        async def act(_caller: int) -> int:
            await poster.post(self.bank_id, self._draft(count, hot=hot))
            return count

        return act

    async def session_posting(self, _caller: int) -> int:
        """One transfer in a transaction of the service's own."""
        async with self.town.database.transaction() as session:
            await ledger.post(session, self.bank_id, self._draft(1, hot=False))
        return 1

    async def weighing(self, caller: int) -> int:
        """A collect of three materials, and the answer that is remembered of it."""
        bank_id, pickup_id = self.town.bank_id, self._claimed[caller].pop()
        async with self.town.database.transaction() as session:
            query = select(Pickup).where(Pickup.bank_id == bank_id, Pickup.id == pickup_id)
            pickup = (await session.exec(query)).one()
            assert pickup.collector_id is not None
            handover = Handover(self._keys.handover_code(pickup_id), _LINES, None)
            await weighing.collect(session, self._keys, pickup, pickup.collector_id, handover)
            await self._remember(session, pickup_id)
        return 1

    async def _remember(self, session: AsyncSession, about_id: UUID) -> None:
        connection = await session.connection()
        answer = {
            "bank_id": self.town.bank_id,
            "person_id": self.town.collector.id,
            "key": str(uuid4()),
            "request_hash": uuid4().hex * 2,
            "status": 201,
            "body": f'{{"id":"{about_id}"}}',
            "created_at": utc_now(),
        }
        await connection.execute(_REMEMBER, [answer])

    def _draft(self, count: int, *, hot: bool) -> Draft:
        moves = []
        for _ in range(count):
            debit, credit = random.sample(self._places, 2)
            moves.append(Movement(f"bench:{uuid4()}", _HOT if hot else debit, credit, 100))
        return Draft("bench", moves, event_at=utc_now())


async def _claimed(session: AsyncSession, town: Town, count: int) -> list[UUID]:
    """Pickups of a resident of their own, claimed by a collector of their own."""
    resident = await add_person(session, town.bank_id, Role.RESIDENT)
    collector = await add_person(session, town.bank_id, Role.COLLECTOR)
    listing = pickups.Listing(
        bank_id=town.bank_id,
        resident_id=resident.id,
        entered_by=resident.id,
        position=LUBUK_PAKAM,
        address="Jl. Diponegoro 12, Lubuk Pakam",
        window_start=None,
        window_end=None,
        items=[pickups.Listed(material, "clean", 2_500) for material in _MATERIALS],
        note="",
    )
    listed = await pickups.list_waste(session, listing)
    await claims.claim(session, listed.pickup, collector.id)
    await session.flush()
    return await _copies(session, town, listed.pickup.id, count)


async def _copies(session: AsyncSession, town: Town, of: UUID, count: int) -> list[UUID]:
    """Pickups like this one, under ids of their own."""

    async def rows(model: type[Table], key: str) -> list[dict[str, object]]:
        table = insert(model).table
        query = select_columns(table).where(table.c.bank_id == town.bank_id, table.c[key] == of)
        found = await (await session.connection()).execute(query)
        return [dict(row) for row in found.mappings()]

    (pickup,), items = await rows(Pickup, "id"), await rows(PickupItem, "pickup_id")
    ids = [new_id() for _ in range(count)]
    connection = await session.connection()
    await connection.execute(insert(Pickup), [{**pickup, "id": one} for one in ids])
    copied = [{**item, "pickup_id": one} for one in ids for item in items]
    await connection.execute(insert(PickupItem), copied)
    return ids
