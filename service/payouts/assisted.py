"""Asking for money for somebody else: so much a day, and to no account known as the helper's."""

import unicodedata
from uuid import UUID

from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Policy
from models.base import id_at, utc_now
from models.payout import Destination, Payout, PayoutStatus
from models.people import Membership, Person
from service import banks
from service.database import one_at_a_time
from service.errors import Conflict

_GIVEN_BACK = (PayoutStatus.CANCELLED, PayoutStatus.REJECTED)


class AssistedLimitReached(Conflict):
    english = (
        "Others may ask for Rp{limit_idr} a day for one resident; Rp{left_idr} is left today."
        " The resident can ask for more."
    )
    indonesian = (
        "Pencairan yang dibantu paling banyak Rp{limit_idr} sehari untuk satu warga; hari ini"
        " tersisa Rp{left_idr}. Warga sendiri dapat meminta lebih."
    )


class HelpersAccount(Conflict):
    english = "Nobody has somebody else's money sent to an account or wallet of their own."
    indonesian = "Uang warga tidak boleh dikirim ke rekening atau dompet milik yang membantu."


async def check_limit(
    session: AsyncSession, policy: Policy, resident_id: UUID, amount_idr: int
) -> None:
    """Whether so much more may be asked for today by others. Raises AssistedLimitReached."""
    bank_id = policy.bank_id
    await one_at_a_time(session, f"assisted {bank_id} {resident_id}")
    bank = await banks.get(session, bank_id)
    midnight = banks.midnight_of(bank, banks.day_at(bank, utc_now()))
    query = select(func.coalesce(func.sum(Payout.amount_idr), 0)).where(
        Payout.bank_id == bank_id,
        Payout.resident_id == resident_id,
        Payout.entered_by != resident_id,
        col(Payout.id) >= id_at(midnight),
        col(Payout.retry_of).is_(None),
        col(Payout.status).not_in(_GIVEN_BACK),
    )
    left = policy.assisted_payout_limit_idr - int((await session.exec(query)).one())
    if amount_idr > left:
        raise AssistedLimitReached(
            limit_idr=policy.assisted_payout_limit_idr, left_idr=max(left, 0)
        )


async def check_account(session: AsyncSession, account: Destination, helper_id: UUID) -> None:
    """Whether an account is one that the helper was ever paid to, at any bank of theirs, their
    phone's wallet, or in their name. Raises HelpersAccount."""
    names = await _names_of(session, helper_id, account.resident_id)
    if is_in_name_of(account.account_holder_name, *names) or await _is_known_as_theirs(
        session, account.account_number, helper_id
    ):
        raise HelpersAccount


def is_in_name_of(holder: str, helper: str, resident: str) -> bool:
    """Whether an account's holder has the helper's name, which the resident hasn't.

    Case, accents, spaces and punctuation don't matter.
    """
    return bool(_folded(helper)) and _folded(holder) == _folded(helper) != _folded(resident)


def _folded(name: str) -> str:
    parted = unicodedata.normalize("NFKD", name.casefold())
    return "".join(one for one in parted if one.isalnum())


async def _names_of(session: AsyncSession, *person_ids: UUID) -> list[str]:
    query = select(Person.id, Person.name).where(col(Person.id).in_(person_ids))
    names = dict((await session.exec(query)).all())
    return [names.get(person_id, "") for person_id in person_ids]


async def _is_known_as_theirs(session: AsyncSession, account_number: str, helper_id: UUID) -> bool:
    theirs = select(Membership.bank_id).where(Membership.person_id == helper_id)
    was_paid_there = (
        select(Destination.id)
        .where(
            col(Destination.bank_id).in_(theirs),
            Destination.resident_id == helper_id,
            Destination.account_number == account_number,
        )
        .exists()
    )
    query = select(Person.id).where(
        Person.id == helper_id, or_(Person.phone == account_number, was_paid_there)
    )
    return (await session.exec(query)).first() is not None
