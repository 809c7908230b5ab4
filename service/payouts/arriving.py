"""Payouts that arrived: what is done to one is done to many, in as many statements.

Nearly all that gateways tell is this. A statement costs this process about what it costs the
database, and each transaction keeps the float's counters, by which all payouts go, to its end.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import table_of, utc_now
from models.payout import UNDER_WAY, Cause, Payout, PayoutStatus
from service.gateways import Gateways, Notice
from service.payouts import moving

_KEY = "payout-"
LOOK_AGAIN = timedelta(hours=25)
"""Banks send back within a day what they can't book."""

# What somebody else has locked is not waited for: who locks several can't wait for another.
_UNDER_WAY = (
    select(Payout)
    .where(
        col(Payout.bank_id).in_(select(Bank.id)),
        col(Payout.gateway) == bindparam("gateway"),
        col(Payout.status).in_(UNDER_WAY),
    )
    .with_for_update(skip_locked=True)
)
_BY_ID = _UNDER_WAY.where(col(Payout.id).in_(bindparam("named", expanding=True)))
_BY_GATEWAY_ID = _UNDER_WAY.where(col(Payout.gateway_id).in_(bindparam("named", expanding=True)))
_NOW = bindparam("now", type_=table_of(Payout).c.moved_at.type)
_CHANGED = (
    "status",
    "moves",
    "cause",
    "cause_detail",
    "tries",
    "moved_by",
    "moved_at",
    "sent_at",
    "paid_at",
    "due_at",
)
_MOVE = (
    update(Payout)
    .where(
        col(Payout.bank_id) == bindparam("of_bank"),
        col(Payout.id).in_(bindparam("ids", expanding=True)),
        col(Payout.status).in_(UNDER_WAY),
    )
    .values(
        status=PayoutStatus.PAID,
        moves=col(Payout.moves) + 1,
        cause=bindparam("to_cause"),
        cause_detail="",
        tries=0,
        moved_by=bindparam("by"),
        moved_at=_NOW,
        sent_at=func.coalesce(col(Payout.sent_at), col(Payout.asked_at), _NOW),
        paid_at=_NOW,
        due_at=bindparam("look_again_at"),
    )
    .returning(col(Payout.id), *(getattr(Payout, name) for name in _CHANGED))
)


async def expected(
    session: AsyncSession, gateways: Gateways, name: str, notices: Sequence[Notice]
) -> list[Payout | None]:
    """Of each notice of an arrival the payout that it tells of, locked, if it is under way and
    nothing else that is said of it is new; each payout once."""
    found = await _under_way(session, name, notices)
    left = {payout.id: payout for payout in found if _pays_for(gateways, name, payout)}
    expecting: list[Payout | None] = []
    for notice in notices:
        payout = next((one for one in left.values() if _is_meant(notice, one)), None)
        expecting.append(left.pop(payout.id) if payout else None)
    return expecting


def id_in(key: str) -> UUID | None:
    """The payout that a gateway knows by this key, if the key is one of ours."""
    try:
        return UUID(key.removeprefix(_KEY))
    except ValueError:
        return None


async def _under_way(
    session: AsyncSession, gateway: str, notices: Sequence[Notice]
) -> list[Payout]:
    ids = [payout_id for notice in notices if (payout_id := id_in(notice.key))]
    gateway_ids = [one.gateway_id for one in notices if one.gateway_id and not one.key]
    found: list[Payout] = []
    for query, named in ((_BY_ID, ids), (_BY_GATEWAY_ID, gateway_ids)):
        if named:
            told = {"gateway": gateway, "named": named}
            found += await session.exec(query, params=told)
    return found


def _pays_for(gateways: Gateways, name: str, payout: Payout) -> bool:
    return any(one.name == name for one in gateways.of(payout.bank_id))


def _is_meant(notice: Notice, payout: Payout) -> bool:
    named = notice.key == payout.key if notice.key else notice.gateway_id == payout.gateway_id
    return (
        named
        and payout.gateway_id != ""
        and notice.report.gateway_id in ("", payout.gateway_id)
        and notice.amount_idr in (None, payout.send_idr)
    )


async def pay(
    session: AsyncSession, payouts: Iterable[Payout], cause: Cause, by: UUID | None = None
) -> None:
    """Payouts that this transaction has locked have arrived: they move, the ledger follows,
    and the residents hear of it. Raises PayoutNotOpen."""
    of_bank = attrgetter("bank_id")
    for bank_id, some in groupby(sorted(payouts, key=of_bank), of_bank):
        arrived = list(some)
        await to_paid(session, bank_id, arrived, cause, by)
        await moving.pay_out_of_float(session, bank_id, arrived)
        await moving.tell_each(session, bank_id, arrived, "payout_arrived")


async def to_paid(
    session: AsyncSession,
    bank_id: UUID,
    payouts: Sequence[Payout],
    cause: Cause,
    by: UUID | None,
) -> None:
    """Change the state of payouts of a bank that this transaction has locked. Raises PayoutNotOpen."""
    now = utc_now()
    told = {
        "of_bank": bank_id,
        "ids": [payout.id for payout in payouts],
        "to_cause": cause,
        "by": by,
        "now": now,
        "look_again_at": now + LOOK_AGAIN,
    }
    connection = await session.connection()
    moved = {row.id: row._mapping for row in await connection.execute(_MOVE, told)}
    for payout in payouts:
        if payout.id not in moved:
            raise moving.PayoutNotOpen(status=payout.status)
        _note(payout, moved[payout.id])


def _note(payout: Payout, row: Mapping[Any, Any]) -> None:
    for name in _CHANGED:
        set_committed_value(payout, name, row[name])
