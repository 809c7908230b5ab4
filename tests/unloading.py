"""Loads to unload: pickups that were collected, and where the ledger says things are."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from models.bank import CreditWhen, Settlement
from models.people import Person
from models.pickup import Pickup
from service import ledger, pickups
from service.keys import Keys
from service.ledger import Place
from service.weighing import Weighed
from tests.factories import PET, Town, a_listing, claim_pickup, collect_pickup
from tests.storing import goods_fit

DOOR: dict[str, Any] = {"settlement": Settlement.OUTRIGHT, "credit_when": CreditWhen.DOOR}
STATION: dict[str, Any] = {"settlement": Settlement.OUTRIGHT, "credit_when": CreditWhen.STATION}
SHARED: dict[str, Any] = {"settlement": Settlement.SHARED}


def weighed(grams: int, material: str = PET, condition: str = "clean") -> Weighed:
    return Weighed(material, condition, grams, 0, "")


async def fetch(town: Town, keys: Keys, *lines: Weighed, resident: Person | None = None) -> Pickup:
    """A pickup on the load of the town's collector, weighed like this at the door."""
    whose = (resident or town.resident).id
    listing = replace(a_listing(town), resident_id=whose, entered_by=whose)
    async with town.database.transaction() as session:
        listed = await pickups.list_waste(session, listing)
    pickup = await claim_pickup(town, listed.pickup)
    await collect_pickup(town, keys, pickup, lines or [weighed(5_000)])
    return pickup


async def there(town: Town, *places: Place) -> list[int]:
    """What the ledger says is in each place: debits less credits."""
    async with town.database.reading() as session:
        rows = await ledger.trial_balance(session, town.bank_id)
    balances = {(row.code, row.unit): row.balance for row in rows}
    return [balances.get((place.code, place.unit), 0) for place in places]


async def standing(town: Town, resident_id: UUID | None = None) -> tuple[int, int]:
    """A resident's available and pending rupiah."""
    async with town.database.reading() as session:
        found = await ledger.standing(session, town.bank_id, resident_id or town.resident.id)
    return found.available_idr, found.pending_idr


async def is_sound(town: Town) -> bool:
    """Whether the ledger replays, custody adds up on every day, and all goods are in the store."""
    async with town.database.reading() as session:
        page = await ledger.open_page(session, town.bank_id)
        days = await ledger.mass_balance(session, town.bank_id, page.day, page.day)
    async with town.database.reading() as session:
        verified = await ledger.verify(session, [town.bank_id])
    adds_up = all(day.balance == 0 for day in days)
    return verified.is_clean and adds_up and await goods_fit(town)
