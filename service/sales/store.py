"""What leaves the bank's store: only what is in it, as the database sees to."""

from dataclasses import dataclass
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.material import Material
from service import ledger, prices
from service.errors import Conflict, FieldProblem
from service.ledger import BalanceTooLow, Draft, Movement, chart


class StockTooLow(Conflict):
    english = "There is less of this material in the store."
    indonesian = "Stok jenis sampah ini di gudang tidak cukup."


@dataclass(frozen=True, slots=True)
class Residue:
    """Grams of one material that nobody buys, and why."""

    bank_id: UUID
    material: str
    grams: int
    reason: str
    entered_by: UUID


async def throw_away(session: AsyncSession, residue: Residue) -> UUID:
    """Take grams out of the store for good; the id that they go by in the ledger.

    Raises UnknownMaterial or StockTooLow.
    """
    await check_material(session, residue.material)
    residue_id = new_id()
    out = Movement(
        f"residue:{residue_id}",
        debit=chart.residue(residue.material),
        credit=chart.stock(residue.material),
        amount=residue.grams,
    )
    draft = Draft(
        "residue",
        [out],
        event_at=utc_now(),
        about_id=residue_id,
        actor_id=residue.entered_by,
        memo=residue.reason,
    )
    await post(session, residue.bank_id, draft)
    return residue_id


async def check_material(session: AsyncSession, code: str) -> None:
    """Raises UnknownMaterial."""
    known = await session.exec(select(Material.code).where(Material.code == code))
    if known.first() is None:
        unknown = prices.UnknownMaterial
        raise unknown(FieldProblem("/material", unknown.english, unknown.indonesian))


async def post(session: AsyncSession, bank_id: UUID, draft: Draft) -> None:
    """Post an act that takes grams out of the store. Raises StockTooLow."""
    try:
        await ledger.post(session, bank_id, draft)
    except BalanceTooLow as error:
        raise StockTooLow from error
