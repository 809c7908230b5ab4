"""Counting: what lies in a drawer, against what the ledger says."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.drawer import MAIN, Drawer, DrawerCount
from models.ledger import Balance, Day
from service import ledger
from service.drawers.keeping import at
from service.ledger import Draft, Movement, Place, chart
from service.observing.masking import without_numbers


@dataclass(frozen=True, slots=True)
class Count:
    """What somebody found in a drawer; `close` is the day, and its version, that it closes."""

    drawer: str
    counted_idr: int
    by: UUID
    memo: str = ""
    close: tuple[date, int] | None = None


async def count(session: AsyncSession, bank_id: UUID, found: Count) -> DrawerCount:
    """Note a count, and post what it differs by to the drawer's own account of differences.

    Nobody else writes in the book meanwhile. Raises DrawerClosed or BookBusy.
    """
    await ledger.hold_book(session, bank_id)
    place = await at(session, bank_id, found.drawer)
    balance = (await ledger.balances(session, bank_id, [place])).get(place, 0)
    noted = DrawerCount(
        bank_id=bank_id,
        drawer=found.drawer,
        counted_idr=found.counted_idr,
        difference_idr=found.counted_idr - balance,
        moves=0,
        memo=without_numbers(found.memo),
        counted_by=found.by,
        day=found.close[0] if found.close else None,
        day_version=found.close[1] if found.close else None,
    )
    if noted.difference_idr:
        await _post_difference(session, noted, place)
    noted.moves = (await _moves_of(session, bank_id, [place])).get(place, 0)
    session.add(noted)
    await session.flush()
    return noted


async def note_safe(session: AsyncSession, day: Day) -> None:
    """Note the count of the safe that a day was just closed with; its difference is posted."""
    if day.closed_by is None or day.counted_cash_idr is None or day.cash_difference_idr is None:
        return
    noted = DrawerCount(
        bank_id=day.bank_id,
        drawer=MAIN,
        counted_idr=day.counted_cash_idr,
        difference_idr=day.cash_difference_idr,
        moves=(await _moves_of(session, day.bank_id, [chart.CASH])).get(chart.CASH, 0),
        counted_by=day.closed_by,
        day=day.day,
        day_version=day.version,
    )
    session.add(noted)
    await session.flush()


async def not_counted(session: AsyncSession, bank_id: UUID) -> list[str]:
    """Officers' open drawers that were moved since their last count, by name."""
    names = list(
        await session.exec(
            select(Drawer.name)
            .where(Drawer.bank_id == bank_id, col(Drawer.closed_at).is_(None))
            .order_by(col(Drawer.name))
        )
    )
    places = {chart.drawer(name): name for name in names}
    moves = await _moves_of(session, bank_id, places)
    last = await all_counted(session, bank_id)
    return [
        name
        for place, name in places.items()
        if moves.get(place, 0) != (last[name].moves if name in last else 0)
    ]


async def all_counted(session: AsyncSession, bank_id: UUID) -> dict[str, DrawerCount]:
    """The last count of each drawer that was ever counted, by name."""
    place = func.row_number().over(
        partition_by=col(DrawerCount.drawer), order_by=col(DrawerCount.id).desc()
    )
    newest = (
        select(DrawerCount.id, place.label("place"))
        .where(DrawerCount.bank_id == bank_id)
        .subquery()
    )
    query = (
        select(DrawerCount)
        .join(newest, newest.c.id == DrawerCount.id)
        .where(DrawerCount.bank_id == bank_id, newest.c.place == 1)
    )
    return {one.drawer: one for one in await session.exec(query)}


async def _post_difference(session: AsyncSession, noted: DrawerCount, place: Place) -> None:
    other = chart.CASH_DIFFERENCE if noted.drawer == MAIN else chart.drawer_difference(noted.drawer)
    more = noted.difference_idr > 0
    debit, credit = (place, other) if more else (other, place)
    move = Movement(f"drawer_count:{noted.id}", debit, credit, abs(noted.difference_idr))
    draft = Draft(
        "drawer_count",
        [move],
        event_at=utc_now(),
        about_id=noted.id,
        actor_id=noted.counted_by,
        memo=noted.memo,
    )
    await ledger.post(session, noted.bank_id, draft)


async def _moves_of(
    session: AsyncSession, bank_id: UUID, places: Iterable[Place]
) -> dict[Place, int]:
    """How often each account was moved, so far."""
    wanted = {place.id_in(bank_id): place for place in places}
    query = (
        select(Balance.account_id, func.sum(Balance.version))
        .where(Balance.bank_id == bank_id, col(Balance.account_id).in_(wanted))
        .group_by(col(Balance.account_id))
    )
    return {wanted[key]: int(moves) for key, moves in await session.exec(query)}
