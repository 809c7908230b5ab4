"""How a payout moves: one conditional update, and what the ledger makes of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, inspect, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import new_id, utc_now
from models.ledger import TransferKind
from models.payout import Cause, FeeBy, Payout, PayoutSource, PayoutStatus
from service import events, ledger
from service.errors import Conflict
from service.ledger import Draft, Movement, chart
from service.observing.masking import without_numbers

PAID = "payout"
"""The kind of the act that pays a payout or gives it back."""
REVERSED = "payout_reversed"


class PayoutNotOpen(Conflict):
    english = "This payout is {status}; that can't be done any more, or not yet."
    indonesian = "Pencairan ini berstatus {status}; hal ini tidak dapat dilakukan."


async def move(
    session: AsyncSession,
    payout: Payout,
    allowed: Sequence[PayoutStatus],
    to: PayoutStatus,
    cause: Cause,
    *,
    is_locked: bool = False,
    **values: Any,
) -> None:
    """Change the state if it is still one of these; of two at once, one gets through.

    What this transaction has locked (`is_locked`) and read since is not read again. Values may say who moved it (`moved_by`) and why (`cause_detail`); the guard in the
    database writes the move down. Raises PayoutNotOpen.
    """
    told = {"moved_by": None, "cause_detail": "", "tries": 0, "moved_at": utc_now()} | values
    told |= {"status": to, "cause": cause, "cause_detail": without_numbers(told["cause_detail"])}
    connection = await session.connection()
    which = {"of_bank": payout.bank_id, "of_id": payout.id, "allowed": list(allowed)}
    bound = which | {f"to_{name}": value for name, value in told.items()}
    moving = _move_to(tuple(told), is_locked=is_locked)
    row = (await connection.execute(moving, bound)).first()
    if row is None:
        await session.refresh(payout)
        raise PayoutNotOpen(status=payout.status)
    for name, value in (told | row._asdict()).items():
        set_committed_value(payout, name, value)


@lru_cache(maxsize=64)
def _move_to(names: tuple[str, ...], *, is_locked: bool) -> ReturningUpdate[Any]:
    """The statement that sets these columns; it takes as long to build as to run."""
    return (
        update(Payout)
        .where(
            col(Payout.bank_id) == bindparam("of_bank"),
            col(Payout.id) == bindparam("of_id"),
            col(Payout.status).in_(bindparam("allowed", expanding=True)),
        )
        .values(
            {"moves": col(Payout.moves) + 1} | {name: bindparam(f"to_{name}") for name in names}
        )
        .returning(*((col(Payout.moves),) if is_locked else inspect(Payout).columns))
    )


async def note_reason(session: AsyncSession, payout: Payout, reason: str) -> None:
    """Why a person decided as they did."""
    await session.exec(
        update(Payout)
        .where(col(Payout.bank_id) == payout.bank_id, col(Payout.id) == payout.id)
        .values(reason=reason)
        .execution_options(synchronize_session=False)
    )
    await session.refresh(payout)


def book_of(payout: Payout) -> ledger.Place:
    """The book that a payout leaves."""
    return book_at(PayoutSource(payout.source), payout.resident_id)


def book_at(source: PayoutSource, whose: UUID) -> ledger.Place:
    """A resident's passbook, or what a collector earned."""
    return chart.earnings(whose) if source == PayoutSource.EARNINGS else chart.available(whose)


async def hold(
    session: AsyncSession,
    bank_id: UUID,
    payout_id: UUID,
    *,
    book: ledger.Place,
    amount_idr: int,
    by: UUID | None,
) -> UUID:
    """Set an amount aside in somebody's book; the id of the hold. Raises BalanceTooLow."""
    draft = _hold(payout_id, book, amount_idr, by)
    return (await ledger.post(session, bank_id, draft))[0]


async def hold_again(session: AsyncSession, payout: Payout, next_id: UUID) -> UUID:
    """What was held for a payout is held for the next; the id of that hold.

    Both at once: posted one after the other, the second could wait for counters of somebody
    who waits for those of the first.
    """
    given_back = _act(payout, [_resolution(payout, TransferKind.VOID)], None)
    held = _hold(next_id, book_of(payout), payout.amount_idr, None)
    return (await ledger.post_all(session, payout.bank_id, [given_back, held]))[-1]


async def give_back(session: AsyncSession, payout: Payout, by: UUID | None = None) -> None:
    """What was held is available again."""
    draft = _act(payout, [_resolution(payout, TransferKind.VOID)], by)
    await ledger.post(session, payout.bank_id, draft)


async def pay_out(
    session: AsyncSession,
    payout: Payout,
    source: ledger.Place,
    *,
    by: UUID | None = None,
    at: datetime | None = None,
) -> None:
    """What was held leaves the passbook and the place it was paid from, a drawer or a float."""
    await ledger.post(session, payout.bank_id, _payment(payout, source, by, at))


async def pay_out_of_float(session: AsyncSession, bank_id: UUID, payouts: Sequence[Payout]) -> None:
    """The same for many of a bank at once, each from the float of its gateway."""
    drafts = [_payment(payout, chart.float(payout.gateway), None, None) for payout in payouts]
    await ledger.post_all(session, bank_id, drafts)


async def take_back(session: AsyncSession, payout: Payout) -> None:
    """The bank of the resident has sent it back: the passbook gets all that left it.

    Whether the gateway gives its fee back shows on its report; until then the waste bank
    bears it, whoever had paid it.
    """
    paid = await ledger.act_about(session, payout.bank_id, payout.id, [PAID])
    await ledger.post(session, payout.bank_id, _return(payout, paid.journal_id))


async def pay_out_and_take_back(
    session: AsyncSession, payout: Payout, source: ledger.Place
) -> None:
    """It had come back before anybody here heard that it was paid.

    Both at once: what comes back needs counters that come before those of what left, and who
    holds these could wait for those.
    """
    paid_id = new_id()
    paid = replace(_payment(payout, source, None, None), id=paid_id)
    await ledger.post_all(session, payout.bank_id, [paid, _return(payout, paid_id)])


async def tell(session: AsyncSession, payout: Payout, kind: str) -> None:
    """The resident hears of it."""
    await tell_each(session, payout.bank_id, [payout], kind)


async def tell_each(
    session: AsyncSession, bank_id: UUID, payouts: Sequence[Payout], kind: str
) -> None:
    """Each resident hears of theirs; all are of one bank."""
    told = [(payout.resident_id, _news(payout)) for payout in payouts]
    await events.record_each(session, bank_id, kind, told)


def _news(payout: Payout) -> dict[str, str | int]:
    return {
        "payout_id": str(payout.id),
        "amount_idr": payout.amount_idr,
        "receives_idr": payout.send_idr,
        "reason": payout.reason,
        "failure": payout.failure,
        "channel": payout.channel_code,
    }


def _hold(payout_id: UUID, book: ledger.Place, amount_idr: int, by: UUID | None) -> Draft:
    held = Movement(
        f"payout:{payout_id}:hold",
        debit=book,
        credit=chart.IN_TRANSIT,
        amount=amount_idr,
        kind=TransferKind.HOLD,
    )
    return Draft("payout_hold", [held], event_at=utc_now(), about_id=payout_id, actor_id=by)


def _resolution(payout: Payout, kind: TransferKind) -> Movement:
    return Movement(
        f"payout:{payout.id}:{kind}",
        debit=book_of(payout),
        credit=chart.IN_TRANSIT,
        amount=payout.amount_idr,
        kind=kind,
        pending_id=payout.hold_id,
    )


def _payment(payout: Payout, source: ledger.Place, by: UUID | None, at: datetime | None) -> Draft:
    moves = [
        _resolution(payout, TransferKind.SETTLE),
        Movement(f"payout:{payout.id}:out", chart.IN_TRANSIT, source, payout.send_idr),
    ]
    if payout.fee_idr:
        bearer = chart.FEES if payout.fee_by == FeeBy.BANK else chart.IN_TRANSIT
        moves.append(Movement(f"payout:{payout.id}:fee", bearer, source, payout.fee_idr))
    return _act(payout, moves, by, at)


def _return(payout: Payout, paid_id: UUID) -> Draft:
    whose, key = book_of(payout), f"payout:{payout.id}:back"
    moves = [Movement(key, chart.float(payout.gateway), whose, payout.send_idr)]
    if payout.amount_idr > payout.send_idr:
        lost = payout.amount_idr - payout.send_idr
        moves.append(Movement(f"{key}_fee", chart.FEES, whose, lost))
    return Draft(REVERSED, moves, event_at=utc_now(), about_id=payout.id, reverses_id=paid_id)


def _act(
    payout: Payout, moves: list[Movement], by: UUID | None, at: datetime | None = None
) -> Draft:
    return Draft(PAID, moves, event_at=at or utc_now(), about_id=payout.id, actor_id=by)
