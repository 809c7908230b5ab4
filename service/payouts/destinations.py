"""Where a resident is paid to: one account at a time, and a change of it waits."""

import re
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Policy
from models.base import utc_now
from models.payout import Destination, PayoutMethod
from service import events, members
from service.database import one_at_a_time
from service.errors import FieldProblem, Malformed

_BETWEEN = re.compile(r"[\s.\-]")
_NUMBER = re.compile(r"[0-9]{5,20}")


class DestinationNotValid(Malformed):
    english = "Say where the money is to go: channel, account number and the holder's name."
    indonesian = "Sebutkan tujuan pencairan: saluran, nomor rekening, dan nama pemilik."


def account_number(method: PayoutMethod, text: str) -> str:
    """A bank's account in digits only, or a wallet's phone number as E.164.

    Raises DestinationNotValid.
    """
    if method == PayoutMethod.EWALLET:
        try:
            return members.normal_phone(text)
        except members.PhoneNotValid:
            raise _not_valid(
                "A wallet goes by its phone number, like 0812-3456-7890.",
                "Dompet digital memakai nomor telepon, misalnya 0812-3456-7890.",
            ) from None
    digits = _BETWEEN.sub("", text)
    if not _NUMBER.fullmatch(digits):
        raise _not_valid(
            "An account number has 5 to 20 digits.",
            "Nomor rekening terdiri dari 5 sampai 20 angka.",
        )
    return digits


def masked(number: str) -> str:
    """An account as others may see it: its last four digits."""
    return "•" * max(len(number) - 4, 0) + number[-4:]


async def destination_of(
    session: AsyncSession, bank_id: UUID, resident_id: UUID
) -> Destination | None:
    """Where a resident is paid to now."""
    query = select(Destination).where(
        Destination.bank_id == bank_id,
        Destination.resident_id == resident_id,
        col(Destination.ended_at).is_(None),
    )
    return (await session.exec(query)).first()


def check_saved(saved: Destination, method: PayoutMethod) -> None:
    """Whether a saved destination is an account, or a wallet, as asked for.

    Raises DestinationNotValid.
    """
    is_wallet, channel = saved.account_number.startswith("+"), saved.channel_code
    if is_wallet == (method == PayoutMethod.EWALLET):
        return
    english, indonesian = (
        ("bank account", "rekening bank") if is_wallet else ("e-wallet", "dompet digital")
    )
    raise DestinationNotValid(
        FieldProblem(
            "/destination",
            f"The saved destination is {channel}, which is no {english}; name a destination.",
            f"Tujuan tersimpan adalah {channel}, bukan {indonesian}; sebutkan tujuannya.",
        )
    )


async def settle_on(session: AsyncSession, wanted: Destination, policy: Policy) -> Destination:
    """The destination as it stands from now on: the one there is, if it is the same.

    A resident's first one can be used at once; one that is changed, or entered by somebody else,
    only after the bank's `destination_waits_h`. The resident hears of it, and so does whoever
    could be reached at the old one.
    """
    await one_at_a_time(session, f"destination of {wanted.bank_id} {wanted.resident_id}")
    current = await destination_of(session, wanted.bank_id, wanted.resident_id)
    if current is not None and _same(current, wanted):
        return current
    waits = current is not None or wanted.entered_by != wanted.resident_id
    if current is not None:
        await _end(session, current)
    if waits:
        wanted.usable_from += timedelta(hours=policy.destination_waits_h)
    wanted.shared_with = await _others_at(session, wanted)
    session.add(wanted)
    await session.flush()
    if waits:
        await _tell_of_change(session, current, wanted, policy.destination_waits_h)
    return wanted


def _same(one: Destination, other: Destination) -> bool:
    return (one.channel_code, one.account_number, one.account_holder_name) == (
        other.channel_code,
        other.account_number,
        other.account_holder_name,
    )


async def _end(session: AsyncSession, current: Destination) -> None:
    await session.exec(
        update(Destination)
        .where(col(Destination.bank_id) == current.bank_id, col(Destination.id) == current.id)
        .values(ended_at=utc_now())
        .execution_options(synchronize_session=False)
    )


async def _others_at(session: AsyncSession, wanted: Destination) -> int:
    """How many other residents of the bank were ever paid to the same account."""
    query = select(func.count(func.distinct(Destination.resident_id))).where(
        Destination.bank_id == wanted.bank_id,
        Destination.channel_code == wanted.channel_code,
        Destination.account_number == wanted.account_number,
        Destination.resident_id != wanted.resident_id,
    )
    return (await session.exec(query)).one()


async def _tell_of_change(
    session: AsyncSession, old: Destination | None, new: Destination, waits_h: int
) -> None:
    body = {
        "channel": new.channel_code,
        "account": masked(new.account_number),
        "waits_h": waits_h,
    }
    bank_id, whose, kind = new.bank_id, new.resident_id, "destination_changed"
    await events.record(session, bank_id, kind, person_id=whose, body=body)
    if old is not None and old.account_number.startswith("+"):
        # A wallet is a phone: whoever holds it hears that it is no longer the destination.
        told = body | {"to_phone": old.account_number}
        await events.record(session, bank_id, kind, person_id=whose, body=told)


def _not_valid(english: str, indonesian: str) -> DestinationNotValid:
    return DestinationNotValid(FieldProblem("/destination/account_number", english, indonesian))
