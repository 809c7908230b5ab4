"""The people of a directory, found or made by what it calls them."""

from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Person
from models.sign_in import OutsideIdentity
from service.auth import Outsider
from service.database import Database, one_at_a_time
from service.oidc.claimed import Claimed


async def identify(database: Database, claimed: Claimed, *, officers_prove: bool) -> Outsider:
    """Whom a token of a directory speaks for; who comes first is entered, in a transaction of its own."""
    async with database.reading() as session:
        person_id = await _known(session, claimed)
    if person_id is None:
        async with database.transaction() as session:
            person_id = await _enter(session, claimed)
    proved = claimed.proved or not officers_prove
    return Outsider(person_id, claimed.grants, proved=proved)


async def _known(session: AsyncSession, claimed: Claimed) -> UUID | None:
    query = select(OutsideIdentity.person_id).where(
        OutsideIdentity.issuer == claimed.issuer, OutsideIdentity.subject == claimed.subject
    )
    return (await session.exec(query)).first()


async def _enter(session: AsyncSession, claimed: Claimed) -> UUID:
    await one_at_a_time(session, f"outside {claimed.issuer} {claimed.subject}")
    known = await _known(session, claimed)
    if known is not None:
        return known
    person = Person(phone=None, name=claimed.name)
    session.add(person)
    await session.flush()
    session.add(
        OutsideIdentity(issuer=claimed.issuer, subject=claimed.subject, person_id=person.id)
    )
    return person.id
