"""Who gets something back of an act that is taken back: somebody who can still be paid."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Person
from service.errors import Conflict
from service.ledger import Act


class OwnerDeleted(Conflict):
    english = (
        "This would give money or waste back to somebody whose account was deleted: nobody could"
        " be paid it any more. Leave it; a count says what the store or the safe differs by."
    )
    indonesian = (
        "Ini mengembalikan uang atau sampah kepada orang yang akunnya sudah dihapus: tidak ada"
        " lagi yang dapat menerimanya. Biarkan; selisih di gudang atau kas dicatat saat dihitung."
    )


async def hold_owners(session: AsyncSession, act: Act) -> None:
    """See that nobody who gets something back is deleted, nor will be meanwhile.

    To be called before any row is changed that a deletion changes too, or the two could wait
    for each other. Raises OwnerDeleted.
    """
    owners = act.gave_up()
    if not owners:
        return
    query = (
        select(Person.id, Person.deleted_at)
        .where(col(Person.id).in_(owners))
        .order_by(col(Person.id))
        # As rows that name somebody do; a deletion locks them for itself alone.
        .with_for_update(read=True, key_share=True)
    )
    if any(deleted_at for _, deleted_at in await session.exec(query)):
        raise OwnerDeleted
