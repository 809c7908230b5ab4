"""How many residents a material came from."""

from datetime import timedelta

from models.base import utc_now
from models.people import Role
from service import weighing
from service.keys import Keys
from tests.factories import KARDUS, PET, Town, another
from tests.selling import bring
from tests.unloading import fetch, weighed


async def test_a_resident_counts_once_for_each_material(town: Town, keys: Keys) -> None:
    neighbour = await another(town, Role.RESIDENT)
    await fetch(town, keys, weighed(5_000), weighed(1_000, KARDUS))
    await bring(town, 1_000)
    await bring(town, 1_000, resident=neighbour)
    now = utc_now() + timedelta(seconds=1)
    hour = timedelta(hours=1)
    async with town.database.reading() as session:
        found = await weighing.givers(session, town.bank_id, now - hour, now)
        later = await weighing.givers(session, town.bank_id, now, now + hour)
    assert found == {PET: 2, KARDUS: 1}
    assert later == {}
