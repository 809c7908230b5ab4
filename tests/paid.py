"""Payouts that went through a gateway, as the ledger and the table have them afterwards."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.ledger import TransferKind
from models.payout import Cause, Payout, PayoutMethod, PayoutStatus
from models.people import Person
from models.reconciliation import LineType
from service import ledger, reconciliation
from service.ledger import Draft, Movement, chart
from service.payouts import moving
from service.reconciliation import File, Imported
from service.reconciliation.facts import Line
from service.reconciliation.readers.shapes import Read, Row, kind_of
from tests.factories import Town

GATEWAY = "xendit"
FEE_IDR, VAT_IDR = 2_500, 275


def sent_days_ago(days: float) -> datetime:
    return utc_now() - timedelta(days=days)


async def pay_through(
    town: Town,
    amount_idr: int,
    *,
    sent_at: datetime | None = None,
    status: PayoutStatus = PayoutStatus.PAID,
    resident: Person | None = None,
    **values: Any,
) -> Payout:
    """A payout that has left, committed: paid, or still at its gateway."""
    sent_at = sent_at or sent_days_ago(3)
    payout_id, whose = new_id(), (resident or town.resident).id
    async with town.database.transaction() as session:
        earned = Movement(f"test:{payout_id}", chart.PURCHASES, chart.available(whose), amount_idr)
        await ledger.post(session, town.bank_id, Draft("dropoff", [earned], sent_at))
        hold = _hold(payout_id, whose, amount_idr)
        draft = Draft("payout_hold", [hold], sent_at, about_id=payout_id)
        (hold_id,) = await ledger.post(session, town.bank_id, draft)
        sent: dict[str, Any] = {
            "channel_code": "ID_DANA",
            "account_number": "081234567890",
            "gateway": GATEWAY,
            "key": f"payout-{payout_id}",
            "gateway_id": f"disb-{payout_id}",
            "fee_idr": FEE_IDR + VAT_IDR,
            "sent_at": sent_at,
            "paid_at": sent_at if status == PayoutStatus.PAID else None,
        }
        payout = Payout(
            bank_id=town.bank_id,
            id=payout_id,
            resident_id=whose,
            entered_by=whose,
            amount_idr=amount_idr,
            method=PayoutMethod.EWALLET,
            hold_id=hold_id,
            **(sent | values),
        )
        session.add(payout)
        await session.flush()
        await _walk(session, payout, status)
        if status == PayoutStatus.PAID:
            await ledger.post(session, town.bank_id, _settled(payout, hold_id, sent_at))
    return payout


async def _walk(session: AsyncSession, payout: Payout, to: PayoutStatus) -> None:
    """Move it there by the shortest way that the database lets it go."""
    way = [PayoutStatus.APPROVED, PayoutStatus.SENDING]
    if to == PayoutStatus.REVERSED:
        way.append(PayoutStatus.PAID)
    if to not in way:
        way.append(to)
    for step in way[: way.index(to) + 1]:
        before = PayoutStatus(payout.status)
        await moving.move(session, payout, (before,), step, Cause.WORKER)


def _hold(payout_id: UUID, whose: UUID, amount_idr: int) -> Movement:
    return Movement(
        f"payout:{payout_id}:hold",
        chart.available(whose),
        chart.IN_TRANSIT,
        amount_idr,
        TransferKind.HOLD,
    )


def _settled(payout: Payout, hold_id: UUID, at: datetime) -> Draft:
    """The act that pays it, as payouts post it."""
    name, source = f"payout:{payout.id}", chart.float(payout.gateway)
    bearer = chart.IN_TRANSIT if payout.fee_by == "resident" else chart.FEES
    whose = chart.available(payout.resident_id)
    settle = Movement(
        f"{name}:settle",
        whose,
        chart.IN_TRANSIT,
        payout.amount_idr,
        TransferKind.SETTLE,
        hold_id,
    )
    moves = [settle, Movement(f"{name}:out", chart.IN_TRANSIT, source, payout.send_idr)]
    if payout.fee_idr:
        moves.append(Movement(f"{name}:fee", bearer, source, payout.fee_idr))
    return Draft("payout", moves, at, about_id=payout.id)


def lines_of(payout: Payout, *, after_s: int = 60) -> list[Row]:
    """What a gateway writes of a payout: the money, its fee, and the fee's VAT."""
    return [
        a_row(payout, LineType.OUT, -payout.send_idr, after_s=after_s),
        a_row(payout, LineType.FEE, -FEE_IDR, after_s=after_s),
        a_row(payout, LineType.VAT, -VAT_IDR, after_s=after_s),
    ]


def a_row(
    payout: Payout, kind: LineType, amount_idr: int, *, after_s: int = 60, **changes: Any
) -> Row:
    assert payout.sent_at
    booked = payout.sent_at + timedelta(seconds=after_s)
    row = Row(
        kind=kind_of(kind, amount_idr),
        external_id=f"txn-{payout.id}",
        occurrence=1,
        gateway_id=payout.gateway_id,
        reference=payout.key,
        account_number="",
        amount_idr=amount_idr,
        balance_idr=None,
        booked_at=booked,
        booked_until=booked,
        raw="[]",
    )
    return row._replace(**changes)


def a_file(rows: Sequence[Row], *, source: str = GATEWAY, holding: Any = "float") -> File:
    """A statement of these lines, and of nothing else until now."""
    read = Read("test", holding, list(rows), None, None)
    return File(source, sha256(repr(rows).encode()).hexdigest(), read)


def rows_of(lines: Iterable[Line]) -> list[Row]:
    """Facts as a file has them."""
    return [
        Row(
            kind=LineType(line.kind),
            external_id=line.external_id,
            occurrence=line.occurrence,
            gateway_id=line.gateway_id,
            reference=line.reference,
            account_number=line.account_number,
            amount_idr=line.amount_idr,
            balance_idr=None,
            booked_at=line.booked_at,
            booked_until=line.booked_until,
            raw="[]",
        )
        for line in lines
    ]


async def bring_in(
    town: Town, rows: Sequence[Row], *, by: Person | None = None, **options: Any
) -> Imported:
    """A statement, imported and committed."""
    file = a_file(rows, **options)
    async with town.database.transaction() as session:
        return await reconciliation.bring_in(session, town.bank, file, by=(by or town.operator).id)
