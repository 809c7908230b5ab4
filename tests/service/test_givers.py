"""How many residents a material came from."""

from datetime import timedelta

from models.base import utc_now
from models.people import Role
from service import ledger
from service.banks import day_at
from service.keys import Keys
from tests.factories import KARDUS, PET, Town, another
from tests.selling import bring, take_back
from tests.service.test_corrections import drop
from tests.unloading import fetch, weighed


async def test_a_resident_counts_once_for_each_material(town: Town, keys: Keys) -> None:
    neighbour = await another(town, Role.RESIDENT)
    await fetch(town, keys, weighed(5_000), weighed(1_000, KARDUS))
    await bring(town, 1_000)
    await bring(town, 1_000, resident=neighbour)
    assert await gave(town) == {PET: 2, KARDUS: 1}
    assert await gave(town, later=1) == {}


async def test_by_days_of_the_book_nobody_gave_what_was_taken_back(town: Town) -> None:
    """So who brings something after the day was closed counts where their grams do."""
    wrong = await drop(town, 4_000, KARDUS)
    await bring(town, 1_000)
    await take_back(town, wrong)
    assert await gave(town) == {PET: 1}
    kept = await drop(town, 3_000, KARDUS)
    async with town.database.transaction() as session:
        await ledger.turn_page(session, town.bank_id, day_at(town.bank, utc_now()) + DAY)
    await take_back(town, kept)
    await bring(town, 1_000, resident=await another(town, Role.RESIDENT))
    assert await gave(town) == {PET: 1, KARDUS: 1}
    assert await gave(town, later=1) == {PET: 1}


DAY = timedelta(days=1)


async def gave(town: Town, *, later: int = 0) -> dict[str, int]:
    """On this day, or so many days later."""
    day = day_at(town.bank, utc_now()) + later * DAY
    async with town.database.reading() as session:
        return await ledger.givers(session, town.bank_id, day, day)
