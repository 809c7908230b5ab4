"""Asking for a correction, agreeing to it, refusing it."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.correction import Correction, CorrectionStatus
from models.weighing import Weighing
from service import banks, drawers, events, ledger, lots
from service.corrections.owners import hold_owners
from service.corrections.undoing import CORRECTABLE, NotCorrectable, undo
from service.database import constraint_of, one_at_a_time
from service.errors import Conflict, Forbidden, NoSuchThing
from service.ledger import Act, Place, chart
from service.ledger.chart import STOCK

_BY_TWO = ("cash_put_in", "cash_taken_out")
"""Cash that only treasurers put into the safe or take out of it."""


class OwnCorrection(Forbidden):
    english = "Nobody corrects what is in their own account, or agrees to what they asked for."
    indonesian = "Tidak boleh mengoreksi rekening sendiri atau menyetujui permintaan sendiri."


class CorrectionAlreadyAsked(Conflict):
    english = "Somebody has already asked for this correction."
    indonesian = "Koreksi ini sudah diminta."


class CorrectionNotOpen(Conflict):
    english = "This correction was already decided."
    indonesian = "Koreksi ini sudah diputuskan."


async def ask(
    session: AsyncSession, bank_id: UUID, act: Act, *, by: UUID, reason: str
) -> Correction:
    """Take an act back at once, or above the bank's limit ask a second officer to agree.

    Raises OwnCorrection, NotCorrectable, NotReversible, CorrectionAlreadyAsked, OwnerDeleted,
    AlreadyReversed, BalanceTooLow, DrawerClosed or DrawerTooLow.
    """
    _check_another(act, by)
    await _alone_with(session, act)
    await _check_open(session, bank_id, act)
    await hold_owners(session, act)
    policy = await banks.policy_of(session, bank_id)
    amount = await _amount_idr(session, bank_id, act)
    correction = Correction(
        bank_id=bank_id,
        id=new_id(),
        journal_id=act.journal_id,
        reason=reason,
        amount_idr=amount,
        needs_two=amount > policy.correction_limit_idr or act.kind in _BY_TWO,
        status=CorrectionStatus.ASKED,
        asked_by=by,
        asked_at=utc_now(),
    )
    if not correction.needs_two:
        correction.reversal_id = await _make(session, correction, act, by=by)
        correction.status = CorrectionStatus.MADE
    await _save(session, correction)
    return correction


async def agree(session: AsyncSession, correction: Correction, *, by: UUID) -> None:
    """The second officer agrees, and the act is taken back.

    Raises OwnCorrection, CorrectionNotOpen, NotCorrectable, OwnerDeleted, AlreadyReversed,
    BalanceTooLow, DrawerClosed or DrawerTooLow; after these last ones it can be agreed to later.
    """
    act = await ledger.act_of(session, correction.bank_id, correction.journal_id)
    _check_second(correction, act, by)
    await _alone_with(session, act)
    await hold_owners(session, act)
    # Deciding locks the row, so that of two who decide the slower finds it decided.
    await _decide(session, correction, by, status=CorrectionStatus.ASKED)
    reversal_id = await _make(session, correction, act, by=by)
    made = {"status": CorrectionStatus.MADE, "reversal_id": reversal_id}
    await _decide(session, correction, by, **made)


async def refuse(session: AsyncSession, correction: Correction, *, by: UUID, reason: str) -> None:
    """The second officer says no; the act stays. Raises OwnCorrection or CorrectionNotOpen."""
    act = await ledger.act_of(session, correction.bank_id, correction.journal_id)
    _check_second(correction, act, by)
    refused = {"status": CorrectionStatus.REFUSED, "decision_reason": reason}
    await _decide(session, correction, by, **refused)


async def find_act(
    session: AsyncSession, bank_id: UUID, *, journal_id: UUID | None, about_id: UUID | None
) -> Act:
    """What is to be corrected: a line's act, or that of a weighing, payout or sale.

    Also what can't be corrected, so that somebody may hear why. Raises NoSuchThing.
    """
    if journal_id is not None:
        return await ledger.act_of(session, bank_id, journal_id)
    if about_id is None:
        raise NoSuchThing(thing="entry")
    try:
        return await ledger.act_about(session, bank_id, about_id, CORRECTABLE)
    except NoSuchThing:
        # Why a count or a hold can't be corrected says more than that it isn't there.
        return await ledger.act_about(session, bank_id, about_id)


async def find(session: AsyncSession, bank_id: UUID, correction_id: UUID) -> Correction:
    """A correction of this bank. Raises NoSuchThing."""
    query = select(Correction).where(Correction.bank_id == bank_id, Correction.id == correction_id)
    correction = (await session.exec(query)).first()
    if correction is None:
        raise NoSuchThing(thing="correction")
    return correction


async def of_bank(
    session: AsyncSession,
    bank_id: UUID,
    *,
    status: CorrectionStatus | None,
    before: UUID | None,
    limit: int,
) -> list[Correction]:
    """Corrections of a bank, newest first."""
    query = (
        select(Correction)
        .where(Correction.bank_id == bank_id)
        .order_by(col(Correction.id).desc())
        .limit(limit)
    )
    if status is not None:
        query = query.where(Correction.status == status)
    if before is not None:
        query = query.where(col(Correction.id) < before)
    return list(await session.exec(query))


def _check_another(act: Act, by: UUID) -> None:
    if by in act.owners():
        raise OwnCorrection


def _check_second(correction: Correction, act: Act, by: UUID) -> None:
    _check_another(act, by)
    if by == correction.asked_by:
        raise OwnCorrection


async def _alone_with(session: AsyncSession, act: Act) -> None:
    """Let nobody else take this act back meanwhile.

    Who asks writes the correction last, and who agrees marks it first: the two would wait for
    each other.
    """
    await one_at_a_time(session, f"correction of {act.journal_id}")


async def _check_open(session: AsyncSession, bank_id: UUID, act: Act) -> None:
    """What can be said before anybody is asked to agree; the database decides when it is made."""
    if not act.is_reversible:
        raise ledger.NotReversible
    if act.kind not in CORRECTABLE:
        raise NotCorrectable
    if await ledger.reversal_of(session, bank_id, act.journal_id):
        raise ledger.AlreadyReversed


async def _amount_idr(session: AsyncSession, bank_id: UUID, act: Act) -> int:
    """What counts against the limit: the rupiah it moved, or the worth of unsold goods."""
    query = select(func.sum(Weighing.amount_idr)).where(
        Weighing.bank_id == bank_id,
        or_(col(Weighing.pickup_id) == act.about_id, col(Weighing.dropoff_id) == act.about_id),
    )
    # What a sale brought others is a part of what its buyer owes.
    moved = act.most_idr if act.kind == "sale" else act.moved_idr
    return max(moved, int((await session.exec(query)).one() or 0))


async def _make(session: AsyncSession, correction: Correction, act: Act, *, by: UUID) -> UUID:
    """Take the act back, and what followed from it outside of the ledger."""
    stored = _moved_in_store(act)
    # Before all else, as a sale does, so that the two can't wait for each other.
    await lots.alone_with(session, correction.bank_id, stored)
    await _hold_drawers(session, correction.bank_id, act)
    await undo(session, correction.bank_id, act, correction.reason)
    with drawers.paid_out_of(_paid_into(act)):
        reversal_id = await ledger.reverse(
            session, correction.bank_id, act, by=by, reason=correction.reason
        )
    if stored:
        await _check_store(session, correction.bank_id, stored)
    await _tell(session, correction, act)
    return reversal_id


def _moved_in_store(act: Act) -> set[str]:
    """The materials of which an act put grams into the bank's store, or took some out."""
    return {
        step.debit.material for step in act.steps if STOCK in (step.debit.code, step.credit.code)
    }


async def _hold_drawers(session: AsyncSession, bank_id: UUID, act: Act) -> None:
    """See that no drawer which cash comes out of or goes back to is closed. Raises DrawerClosed."""
    places = {place for step in act.steps for place in (step.debit, step.credit)}
    for name in sorted(place.whose for place in places if place.kind == "cash"):
        await drawers.at(session, bank_id, name)


def _paid_into(act: Act) -> Place:
    """The drawer that cash went into, out of which it goes again; else the safe."""
    into = act.steps[0].debit
    return into if into.kind == "cash" else chart.CASH


async def _check_store(session: AsyncSession, bank_id: UUID, materials: set[str]) -> None:
    """Refuse if the bank's own grams are gone, and those in the store are other residents'."""
    room = await lots.room(session, bank_id, materials)
    if any(grams < 0 for grams in room.own.values()):
        raise NotCorrectable


async def _save(session: AsyncSession, correction: Correction) -> None:
    connection = await session.connection()
    try:
        await connection.execute(insert(Correction), [correction.model_dump()])
    except IntegrityError as error:
        broken = constraint_of(error)
        if "correction_once" in broken or "correction.journal_id" in broken:
            raise CorrectionAlreadyAsked from error
        raise


async def _decide(session: AsyncSession, correction: Correction, by: UUID, **values: Any) -> None:
    decided = await session.exec(
        update(Correction)
        .where(
            col(Correction.bank_id) == correction.bank_id,
            col(Correction.id) == correction.id,
            col(Correction.status) == CorrectionStatus.ASKED,
        )
        .values(decided_by=by, decided_at=utc_now(), **values)
        .returning(col(Correction.id))
        .execution_options(synchronize_session=False)
    )
    happened = decided.first() is not None
    await session.refresh(correction)
    if not happened:
        raise CorrectionNotOpen


async def _tell(session: AsyncSession, correction: Correction, act: Act) -> None:
    for resident_id in act.owners("resident"):
        given = act.given_idr(resident_id)
        body = {
            "correction_id": str(correction.id),
            "amount_idr": abs(given),
            "reason": correction.reason,
        }
        if act.kind == "sale":
            (body["material"],) = _moved_in_store(act)
        kind = _told_as(act, given)
        await events.record(session, correction.bank_id, kind, person_id=resident_id, body=body)


def _told_as(act: Act, given_idr: int) -> str:
    if act.kind == "sale":
        return "sale_corrected"
    if given_idr:
        return "passbook_reduced" if given_idr > 0 else "passbook_raised"
    return "goods_corrected"
