"""What leaves the bank's store: only what is in it, and residents' goods only to a buyer."""

from dataclasses import dataclass
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.material import Material
from service import ledger, lots, prices
from service.errors import Conflict, FieldProblem
from service.ledger import BalanceTooLow, Draft, Movement, chart


class StockTooLow(Conflict):
    english = "There is less of this material in the store."
    indonesian = "Stok jenis sampah ini di gudang tidak cukup."


class GoodsOfResidents(Conflict):
    english = "{grams} grams of it are residents' goods and can only be sold."
    indonesian = "{grams} gram di antaranya titipan warga dan hanya dapat dijual."


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

    Raises UnknownMaterial, StockTooLow or GoodsOfResidents.
    """
    await name_of(session, residue.material)
    await lots.alone_with(session, residue.bank_id, [residue.material])
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
    await _check_own(session, residue)
    return residue_id


async def _check_own(session: AsyncSession, residue: Residue) -> None:
    """What was taken out was the bank's own: the store still has all that residents wait for."""
    room = await lots.room(session, residue.bank_id, [residue.material])
    if room.own[residue.material] < 0:
        raise GoodsOfResidents(grams=room.unsold[residue.material])


async def name_of(session: AsyncSession, code: str) -> str:
    """What people call a material. Raises UnknownMaterial."""
    name = (await session.exec(select(Material.name).where(Material.code == code))).first()
    if name is None:
        unknown = prices.UnknownMaterial
        raise unknown(FieldProblem("/material", unknown.english, unknown.indonesian))
    return name


async def post(session: AsyncSession, bank_id: UUID, draft: Draft) -> None:
    """Post an act that takes grams out of the store. Raises StockTooLow."""
    try:
        await ledger.post(session, bank_id, draft)
    except BalanceTooLow as error:
        raise StockTooLow().at("/grams") from error
