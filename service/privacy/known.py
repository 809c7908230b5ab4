"""What a person is known by, gathered before it is erased."""

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.event import Event
from models.payout import HIDDEN, Destination, Payout
from models.people import Person
from models.pickup import Pickup
from service import auth, niks
from service.keys import Keys
from service.privacy import finding
from service.privacy.finding import Wanted

_SHORTEST_WORDS = 6


async def known_by(
    session: AsyncSession,
    keys: Keys,
    person: Person,
    phones: Sequence[str],
    bank_ids: Sequence[UUID],
) -> set[Wanted]:
    """Their phones, names, accounts and NIK, in normal form."""
    numbers: set[str] = set()
    names = {person.name}
    for table in (Destination, Payout):
        query = select(table.account_number, table.account_holder_name).where(
            col(table.bank_id).in_(bank_ids), table.resident_id == person.id
        )
        for number, holder in await session.exec(query):
            numbers.add(number)
            names.add(holder)
    numbers.add(niks.of(keys, person) or "")
    found = [finding.phone(phone) for phone in phones]
    found += _there(finding.number(one) for one in numbers if not one.startswith(HIDDEN))
    return {*found, *_there(map(finding.name, names))}


async def phones_of(session: AsyncSession, person: Person, bank_ids: Sequence[UUID]) -> list[str]:
    """Their number (E.164), and those of before: as they were told of each change of it.

    None that somebody else has by now: what stands under it may be theirs.
    """
    query = select(Event.body).where(
        col(Event.bank_id).in_(bank_ids), Event.person_id == person.id, Event.kind == auth.CHANGED
    )
    bodies = map(json.loads, await session.exec(query))
    before = {str(body["to_phone"]) for body in bodies if "to_phone" in body}
    others = select(Person.phone).where(col(Person.phone).in_(before), Person.id != person.id)
    before -= {phone or "" for phone in await session.exec(others)}
    return [*sorted(before), *([person.phone] if person.phone else [])]


async def words_of(session: AsyncSession, person_id: UUID, bank_ids: Sequence[UUID]) -> set[str]:
    """Where they live, and how to get there: as it stands in what was answered lately."""
    query = select(Pickup.address, Pickup.note).where(
        col(Pickup.bank_id).in_(bank_ids),
        Pickup.resident_id == person_id,
        col(Pickup.place_forgotten_at).is_(None),
    )
    said = {words for row in await session.exec(query) for words in row}
    return {words for words in said if len(words) >= _SHORTEST_WORDS}


def _there(wanted: Iterable[Wanted | None]) -> list[Wanted]:
    return [one for one in wanted if one is not None]
