"""What is asked of gateways in advance, so that no request has to wait for one."""

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import utc_now
from models.payout import Destination, NameCheck, PayoutChannel
from service.database import Database
from service.gateways import Channel, Gateway, GatewayNotReached, Gateways, NamesNotTold
from service.payouts.floats import is_noted, note

log = logging.getLogger(__name__)

NAMES_AT_A_TIME = 8
MOST_TRIES = 6
_OF_CHANNEL = tuple(one.name for one in fields(Channel))
_NO_LETTER = re.compile(r"[^A-Z ]")
_WITHIN = re.compile(r"['\u2019`]")  # part of a name, as in Nur'aini


class _Said(NamedTuple):
    """What a gateway says of itself."""

    channels: list[Channel]
    balance_idr: int


async def refresh_channels(
    database: Database, gateways: Gateways, banks: Sequence[UUID] | None = None
) -> None:
    """Write down where each bank can pay to, and what its floats hold, as gateways say now.

    Each as soon as its gateway has answered, so that none waits for one that doesn't.
    """
    async with database.reading() as session:
        among = list(await session.exec(select(Bank.id))) if banks is None else list(banks)
    told: dict[str, _Said | None] = {}
    for bank_id in among:
        names = []
        for gateway in gateways.of(bank_id):
            names.append(gateway.name)
            if gateway.name not in told:
                told[gateway.name] = await _ask(gateway)
            said = told[gateway.name]
            if said is not None:
                await _note_news(database, bank_id, gateway.name, said)
        await _drop_others(database, bank_id, names)


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


async def _ask(gateway: Gateway) -> _Said | None:
    try:
        return _Said(list(await gateway.channels()), await gateway.balance_idr())
    except GatewayNotReached as error:
        log.warning("gateway_not_reached %s %s", gateway.name, error)
        return None


async def _note_news(database: Database, bank_id: UUID, gateway: str, said: _Said) -> None:
    """Most rounds have none, and then nobody waits who writes."""
    async with database.reading() as session:
        known = await _channels_of(session, bank_id, gateway)
        channels_stay = {one.code: _told(one) for one in known} == _by_code(said.channels)
        if channels_stay and await is_noted(session, bank_id, gateway, said.balance_idr):
            return
    async with database.transaction() as session:
        await replace_channels(session, bank_id, gateway, said.channels)
        await note(session, bank_id, gateway, said.balance_idr)


async def replace_channels(
    session: AsyncSession, bank_id: UUID, gateway: str, channels: Sequence[Channel]
) -> None:
    """Where a bank can pay to through a gateway: just these. What stays is not written."""
    known = {one.code: one for one in await _channels_of(session, bank_id, gateway)}
    now, wanted = utc_now(), _by_code(channels)
    for code, told in wanted.items():
        if code not in known or _told(known[code]) != told:
            row = PayoutChannel(bank_id=bank_id, gateway=gateway, seen_at=now, **asdict(told))
            await session.merge(row)
    for code in known.keys() - wanted.keys():
        await session.delete(known[code])
    await session.flush()


async def _channels_of(session: AsyncSession, bank_id: UUID, gateway: str) -> list[PayoutChannel]:
    query = select(PayoutChannel).where(
        PayoutChannel.bank_id == bank_id, PayoutChannel.gateway == gateway
    )
    return list(await session.exec(query))


def _by_code(channels: Iterable[Channel]) -> dict[str, Channel]:
    return {channel.code: channel for channel in channels}


def _told(row: PayoutChannel) -> Channel:
    """The channel as its gateway told it."""
    return Channel(**{name: getattr(row, name) for name in _OF_CHANNEL})


async def _drop_others(database: Database, bank_id: UUID, gateways: list[str]) -> None:
    """Channels of gateways that are no longer set up."""
    others = (col(PayoutChannel.bank_id) == bank_id, col(PayoutChannel.gateway).not_in(gateways))
    async with database.reading() as session:
        if (await session.exec(select(PayoutChannel.code).where(*others).limit(1))).first() is None:
            return
    async with database.transaction() as session:
        await session.exec(delete(PayoutChannel).where(*others))


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
