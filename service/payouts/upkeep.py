"""What is asked of gateways in advance, so that no request has to wait for one."""

import logging
import re
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import utc_now
from models.payout import Destination, NameCheck, PayoutChannel
from service.database import Database
from service.gateways import Channel, Gateway, GatewayNotReached, Gateways, NamesNotTold
from service.payouts.floats import note

log = logging.getLogger(__name__)

NAMES_AT_A_TIME = 8
MOST_TRIES = 6
_NO_LETTER = re.compile(r"[^A-Z ]")
_WITHIN = re.compile(r"['\u2019`]")  # part of a name, as in Nur'aini


async def refresh_channels(database: Database, gateways: Gateways) -> None:
    """Write down where each bank can pay to, and what its floats hold, as gateways say now."""
    async with database.reading() as session:
        banks = list(await session.exec(select(Bank.id)))
    told: dict[str, tuple[list[Channel], int] | None] = {}
    for bank_id in banks:
        for gateway in gateways.of(bank_id):
            if gateway.name not in told:
                told[gateway.name] = await _ask(gateway)
            known = told[gateway.name]
            if known is not None:
                async with database.transaction() as session:
                    await replace_channels(session, bank_id, gateway.name, known[0])
                    await note(session, bank_id, gateway.name, known[1])
        async with database.transaction() as session:
            await _drop_others(session, bank_id, [one.name for one in gateways.of(bank_id)])


async def check_names(
    database: Database, gateways: Gateways, banks: Sequence[UUID] | None = None
) -> int:
    """Ask whose accounts new destinations are; how many were asked about."""
    async with database.reading() as session:
        among = list(await session.exec(select(Bank.id))) if banks is None else list(banks)
        waiting = await _unchecked(session, among)
    for destination in waiting:
        found = await _holder(gateways, destination)
        async with database.transaction() as session:
            await _note_name(session, destination, found)
    return len(waiting)


def same_name(given: str, found: str) -> bool:
    """Whether two spellings can be one person: case, order and signs don't matter, and a
    letter stands for a name that begins with it.
    """
    short, long = sorted((_words(given), _words(found)), key=len)
    return bool(short) and all(any(_fits(part, word) for word in long) for part in short)


def _fits(part: str, word: str) -> bool:
    one, other = sorted((part, word), key=len)
    return one == other or (len(one) == 1 and other.startswith(one))


def _words(name: str) -> set[str]:
    return set(_NO_LETTER.sub(" ", _WITHIN.sub("", name.upper())).split())


async def _ask(gateway: Gateway) -> tuple[list[Channel], int] | None:
    try:
        return list(await gateway.channels()), await gateway.balance_idr()
    except GatewayNotReached as error:
        log.warning("gateway_not_reached %s %s", gateway.name, error)
        return None


async def replace_channels(
    session: AsyncSession, bank_id: UUID, gateway: str, channels: Sequence[Channel]
) -> None:
    """Where a bank can pay to through a gateway: just these."""
    now = utc_now()
    for channel in channels:
        await session.merge(
            PayoutChannel(
                bank_id=bank_id,
                gateway=gateway,
                code=channel.code,
                name=channel.name,
                is_wallet=channel.is_wallet,
                minimum_idr=channel.minimum_idr,
                maximum_idr=channel.maximum_idr,
                fee_idr=channel.fee_idr,
                seen_at=now,
            )
        )
    gone = delete(PayoutChannel).where(
        col(PayoutChannel.bank_id) == bank_id,
        col(PayoutChannel.gateway) == gateway,
        col(PayoutChannel.code).not_in([channel.code for channel in channels]),
    )
    await session.exec(gone)


async def _drop_others(session: AsyncSession, bank_id: UUID, gateways: list[str]) -> None:
    """Channels of gateways that are no longer set up."""
    gone = delete(PayoutChannel).where(
        col(PayoutChannel.bank_id) == bank_id, col(PayoutChannel.gateway).not_in(gateways)
    )
    await session.exec(gone)


async def _unchecked(session: AsyncSession, banks: list[UUID]) -> list[Destination]:
    query = (
        select(Destination)
        .where(
            col(Destination.bank_id).in_(banks),
            Destination.name_check == NameCheck.NOT_YET,
            Destination.check_due_at <= utc_now(),
        )
        .limit(NAMES_AT_A_TIME)
    )
    return list(await session.exec(query))


async def _holder(gateways: Gateways, destination: Destination) -> tuple[NameCheck, str]:
    """What the first gateway that tells names says; NOT_YET if none could be reached."""
    result = NameCheck.NOT_TOLD, ""
    for gateway in gateways.of(destination.bank_id):
        try:
            name = await gateway.holder_of(destination.channel_code, destination.account_number)
        except NamesNotTold:
            continue
        except GatewayNotReached:
            result = NameCheck.NOT_YET, ""
            continue
        if name is None:
            return NameCheck.NO_ACCOUNT, ""
        is_same = same_name(destination.account_holder_name, name)
        return (NameCheck.SAME if is_same else NameCheck.OTHER), name
    return result


async def _note_name(
    session: AsyncSession, destination: Destination, found: tuple[NameCheck, str]
) -> None:
    check, name = found
    tries = destination.check_tries + 1
    if check == NameCheck.NOT_YET and tries >= MOST_TRIES:
        check = NameCheck.NOT_TOLD
    await session.exec(
        update(Destination)
        .where(
            col(Destination.bank_id) == destination.bank_id,
            col(Destination.id) == destination.id,
        )
        .values(
            name_check=check,
            name_found=name[:120],
            check_tries=tries,
            check_due_at=utc_now() + timedelta(minutes=2**tries),
        )
        .execution_options(synchronize_session=False)
    )
