"""The bank's store: what must hold in it whatever was received, sold or decided."""

from collections import Counter

from sqlmodel import select

from models.base import new_id, utc_now
from models.sale import Lot
from service import ledger
from service.ledger import Draft, Movement, chart
from tests.factories import PET, Town


async def goods_fit(town: Town) -> bool:
    """Whether of every material the store has all that residents still wait to see sold."""
    unsold: Counter[str] = Counter()
    async with town.database.reading() as session:
        for lot in await session.exec(select(Lot).where(Lot.bank_id == town.bank_id)):
            unsold[lot.material] += lot.grams - lot.sold_grams
        stores = {chart.stock(material): grams for material, grams in unsold.items()}
        there = await ledger.balances(session, town.bank_id, stores)
    return all(there[store] >= grams for store, grams in stores.items())


async def has_own(town: Town, grams: int) -> None:
    """PET in the store that is the bank's own: what a station once found on top."""
    found = Movement(f"test:{new_id()}", chart.stock(PET), chart.weighing_difference(PET), grams)
    async with town.database.transaction() as session:
        await ledger.post(session, town.bank_id, Draft("receiving", [found], utc_now()))
