"""Cash at the counter, signed by the resident's code."""

from enum import Enum
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.payout import Cause, Payout, PayoutMethod, PayoutStatus
from service import banks, drawers
from service.errors import Conflict, FieldProblem
from service.keys import Keys
from service.payouts import moving
from service.payouts.deciding import check_another

MAX_CODE_TRIES = 5


class NotPaidInCash(Conflict):
    english = "This payout goes to an account; it isn't paid in cash."
    indonesian = "Pencairan ini dikirim ke rekening, tidak dibayar tunai."


class CashNeedsCode(Conflict):
    english = "This cash is paid only to who tells the code of the payout."
    indonesian = "Uang tunai ini dibayarkan hanya kepada yang menyebutkan kode pencairan."


class CardIssuedByYou(Conflict):
    english = (
        "You gave out this card yourself, so it doesn't sign for cash that you pay. Another"
        " officer pays this cash, or gives out a new card."
    )
    indonesian = (
        "Kartu ini Anda terbitkan sendiri, jadi tidak berlaku untuk uang tunai yang Anda bayarkan."
        " Petugas lain yang membayarkannya, atau menerbitkan kartu baru."
    )


class Signed(Enum):
    """By what it is known that the money went to the resident."""

    NO = "no"
    BY_RESIDENT = "by_resident"
    """They told the code or showed their card."""
    BY_OWN_CARD = "by_own_card"
    """The officer who pays gave the card out, so it shows nothing of whom the money went to."""


_AT_CODE = FieldProblem("/code", CashNeedsCode.english, CashNeedsCode.indonesian)


class WrongPayoutCode(Conflict):
    english = (
        "This is not the code of this payout. Tries left: {tries_left}. After the last one no"
        " code is taken: cancel the payout and ask for it again."
    )
    indonesian = (
        "Kode pencairan salah. Sisa percobaan: {tries_left}. Setelah itu kode tidak diterima"
        " lagi: batalkan pencairan ini lalu ajukan lagi."
    )
    keeps_changes = True


async def sign(session: AsyncSession, keys: Keys, payout: Payout, code: str) -> None:
    """Check what the resident says is the payout's code; a wrong one is counted.

    Raises PayoutNotOpen or WrongPayoutCode.
    """
    if payout.status != PayoutStatus.APPROVED:
        raise moving.PayoutNotOpen(status=payout.status)
    tries_left = await _count_try(session, payout)
    if not keys.is_payout_code(payout.id, code):
        raise WrongPayoutCode(tries_left=tries_left)


async def pay_cash(
    session: AsyncSession,
    payout: Payout,
    *,
    by: UUID,
    proof: str,
    signed: Signed = Signed.NO,
    or_safe: bool = True,
) -> None:
    """The money is handed over: what was held leaves the passbook and the officer's drawer.

    Who may not take it out of the safe (`or_safe`) pays from a drawer of their own, and only
    what is signed for: that is all that shows whom they gave it. Raises OwnPayout, PayoutNotOpen,
    NotPaidInCash, CashNeedsCode, CardIssuedByYou, NoOwnDrawer or DrawerTooLow.
    """
    check_another(payout, by)
    if payout.method != PayoutMethod.CASH:
        raise NotPaidInCash
    is_signed = signed is Signed.BY_RESIDENT
    if not is_signed and await _needs_code(session, payout, or_safe=or_safe):
        raise CardIssuedByYou() if signed is Signed.BY_OWN_CARD else CashNeedsCode(_AT_CODE)
    await moving.move(
        session,
        payout,
        (PayoutStatus.APPROVED,),
        PayoutStatus.PAID,
        Cause.PERSON,
        moved_by=by,
        paid_by=by,
        paid_at=utc_now(),
        proof=proof,
        code_given=is_signed,
    )
    mine = await drawers.paying_from(session, payout.bank_id, by, or_safe=or_safe)
    with drawers.paid_out_of(mine):
        await moving.pay_out(session, payout, mine, by=by)
    await moving.tell(session, payout, "payout_paid")


async def _needs_code(session: AsyncSession, payout: Payout, *, or_safe: bool) -> bool:
    return not or_safe or (await banks.policy_of(session, payout.bank_id)).cash_needs_code


async def _count_try(session: AsyncSession, payout: Payout) -> int:
    """Count a try before it is looked at, so that tries at once are tries too; how many are left.

    Raises WrongPayoutCode after too many.
    """
    counted = await session.exec(
        update(Payout)
        .where(
            col(Payout.bank_id) == payout.bank_id,
            col(Payout.id) == payout.id,
            col(Payout.code_tries) < MAX_CODE_TRIES,
        )
        .values(code_tries=col(Payout.code_tries) + 1)
        .returning(col(Payout.code_tries))
        .execution_options(synchronize_session=False)
    )
    tries: int | None = counted.scalar_one_or_none()
    if tries is None:
        raise WrongPayoutCode(tries_left=0)
    return MAX_CODE_TRIES - tries
