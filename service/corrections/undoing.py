"""What a correction undoes beside the ledger: the pickup, lots, payout, sale or line behind an act."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import instant_of, utc_now
from models.payout import Cause, Payout, PayoutMethod, PayoutStatus
from models.pickup import Pickup, PickupStatus
from models.reconciliation import Action, CaseStatus, ReconciliationCase, StatementMatch
from models.sale import Lot, LotSale, Sale
from service import ledger, lots
from service.errors import Conflict
from service.ledger import Act


class NotCorrectable(Conflict):
    english = (
        "This can't be corrected as a whole: only a weighing that was neither received at the"
        " station nor sold since, a payout that was paid, a sale, a buyer's payment, residue,"
        " a balance brought over, cash that was carried, a top-up, or a decision about an exception whose line isn't"
        " matched by it (undo that match). Of goods that were sold, correct the sale first; what"
        " was counted is counted again."
    )
    indonesian = (
        "Ini tidak dapat dikoreksi: hanya penimbangan yang belum diterima di gudang dan belum"
        " terjual, pencairan yang sudah dibayar, penjualan, pembayaran pembeli, residu, saldo dari"
        " buku lama, kas yang dipindahkan, isi ulang saldo, atau keputusan selisih yang barisnya tidak dicocokkan"
        " (batalkan pencocokannya). Bila sampahnya sudah terjual, koreksi penjualannya dahulu;"
        " yang sudah dihitung, hitung lagi."
    )


async def undo(session: AsyncSession, bank_id: UUID, act: Act, reason: str) -> None:
    """Set right what an act left outside of the ledger. Raises NotCorrectable or AlreadyReversed."""
    if await _UNDO[act.kind](session, bank_id, act, reason):
        return
    if await ledger.reversal_of(session, bank_id, act.journal_id):
        raise ledger.AlreadyReversed
    raise NotCorrectable


async def _take_back_pickup(session: AsyncSession, bank_id: UUID, act: Act, reason: str) -> bool:
    """The pickup ends as cancelled, so that no station waits for its waste."""
    ended = await session.exec(
        update(Pickup)
        .where(
            col(Pickup.bank_id) == bank_id,
            col(Pickup.id) == act.about_id,
            col(Pickup.status) == PickupStatus.COLLECTED,
            col(Pickup.receiving_id).is_(None),
        )
        .values(status=PickupStatus.CANCELLED, ended_reason=reason)
        .returning(col(Pickup.id))
        .execution_options(synchronize_session=False)
    )
    return ended.first() is not None


async def _take_back_dropoff(session: AsyncSession, bank_id: UUID, act: Act, _reason: str) -> bool:
    """Its lots hold nothing any more, unless something of them is sold.

    They stay: a sale that was taken back names them.
    """
    brought = (col(Lot.bank_id) == bank_id, col(Lot.dropoff_id) == act.about_id)
    await session.exec(
        update(Lot)
        .where(*brought, col(Lot.sold_grams) == 0)
        .values(grams=0)
        .execution_options(synchronize_session=False)
    )
    sold = select(Lot.id).where(*brought, col(Lot.sold_grams) > 0)
    return (await session.exec(sold)).first() is None


async def _take_back_payout(session: AsyncSession, bank_id: UUID, act: Act, reason: str) -> bool:
    """The money is back in the drawer and on the passbook; a transfer can't be called back."""
    now = utc_now()
    reversed_ = await session.exec(
        update(Payout)
        .where(
            col(Payout.bank_id) == bank_id,
            col(Payout.id) == act.about_id,
            col(Payout.status) == PayoutStatus.PAID,
            col(Payout.method) == PayoutMethod.CASH,
        )
        .values(
            status=PayoutStatus.REVERSED,
            moves=col(Payout.moves) + 1,
            cause=Cause.CORRECTION,
            cause_detail=reason,
            moved_by=None,
            moved_at=now,
            reversed_at=now,
            reason=reason,
        )
        .returning(col(Payout.id))
        .execution_options(synchronize_session=False)
    )
    return reversed_.first() is not None


async def _take_back_sale(session: AsyncSession, bank_id: UUID, act: Act, _reason: str) -> bool:
    """Its goods wait for a buyer again; that it was made stays on record, of each lot too."""
    now = utc_now()
    marked = await session.exec(
        update(Sale)
        .where(
            col(Sale.bank_id) == bank_id,
            col(Sale.id) == act.about_id,
            col(Sale.taken_back_at).is_(None),
        )
        .values(taken_back_at=now)
        .returning(col(Sale.id))
        .execution_options(synchronize_session=False)
    )
    sale_id = marked.scalar_one_or_none()
    if sale_id is None:
        return False
    await session.exec(
        update(LotSale)
        .where(col(LotSale.bank_id) == bank_id, col(LotSale.sale_id) == sale_id)
        .values(taken_back_at=now)
        .execution_options(synchronize_session=False)
    )
    await lots.put_back(session, bank_id, sale_id)
    return True


async def _take_back_alone(_session: AsyncSession, _bank_id: UUID, _act: Act, _reason: str) -> bool:
    """What only the ledger knows: a buyer's payment, residue, cash carried, a balance brought over."""
    return True


async def _take_back_top_up(session: AsyncSession, bank_id: UUID, act: Act, _reason: str) -> bool:
    """A line that waits to be accepted as this top-up came from nobody knows where again.

    What was accepted already stays, and shows as a difference until somebody enters what it was.
    """
    top_up, about = act.steps[0], act.about_id
    if about is None:
        return False
    query = select(ReconciliationCase.id, ReconciliationCase.since).where(
        ReconciliationCase.bank_id == bank_id,
        ReconciliationCase.source == top_up.debit.whose,
        ReconciliationCase.why == "topped_up",
        ReconciliationCase.found_idr == -top_up.amount,
        col(ReconciliationCase.status).in_((CaseStatus.OPEN, CaseStatus.WAITING)),
    )
    waiting, entered_at = list(await session.exec(query)), instant_of(about)
    if waiting:
        nearest, _ = min(waiting, key=lambda case: abs(case[1] - entered_at))
        await session.exec(
            update(ReconciliationCase)
            .where(
                col(ReconciliationCase.bank_id) == bank_id, col(ReconciliationCase.id) == nearest
            )
            .values(why="not_ours", expected_idr=0, proposed_action=Action.TOP_UP)
            .execution_options(synchronize_session=False)
        )
    return True


async def _take_back_decision(session: AsyncSession, bank_id: UUID, act: Act, _reason: str) -> bool:
    """The exception is open again; a decision that matched its line is undone with the match."""
    query = select(ReconciliationCase).where(
        ReconciliationCase.bank_id == bank_id,
        ReconciliationCase.id == act.about_id,
        ReconciliationCase.status == CaseStatus.RESOLVED,
    )
    case = (await session.exec(query)).first()
    if case is None or await _is_matched(session, case):
        return False
    names = set(ReconciliationCase.model_fields) - _OF_A_DECISION
    session.add(ReconciliationCase(**case.model_dump(include=names)))
    await session.flush()
    return True


async def _is_matched(session: AsyncSession, case: ReconciliationCase) -> bool:
    query = select(StatementMatch.id).where(
        StatementMatch.bank_id == case.bank_id,
        StatementMatch.line_id == case.line_id,
        col(StatementMatch.undone_at).is_(None),
    )
    return case.line_id is not None and (await session.exec(query)).first() is not None


_OF_A_DECISION = {
    *("id", "status", "opened_at", "owner_id", "action", "reason"),
    *("resolved_by", "ended_at", "transfer_id"),
}
_UNDO: dict[str, Callable[[AsyncSession, UUID, Act, str], Awaitable[bool]]] = {
    "pickup": _take_back_pickup,
    "dropoff": _take_back_dropoff,
    "opening": _take_back_alone,
    "payout": _take_back_payout,
    "sale": _take_back_sale,
    "buyer_payment": _take_back_alone,
    "residue": _take_back_alone,
    "cash_put_in": _take_back_alone,
    "cash_taken_out": _take_back_alone,
    "float_in": _take_back_alone,
    "float_out": _take_back_alone,
    "float_top_up": _take_back_top_up,
    "reconciliation": _take_back_decision,
}
CORRECTABLE = frozenset(_UNDO)
"""The kinds of acts that can be corrected; of others more would have to follow."""
