"""Whose a drawer is: opened for an officer, closed when it is empty.

Whoever posts to an officer's drawer shares a lock on its row, so that none is closed while
money is on its way into it.
"""

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import utc_now
from models.drawer import MAIN, Drawer
from models.ledger import Account, Floor
from service import ledger, members
from service.database import constraint_of
from service.errors import Conflict, Forbidden, NoSuchThing
from service.ledger import Place, chart


class DrawerNameTaken(Conflict):
    english = "There is a drawer of this name already, or cash was once kept under it."
    indonesian = "Nama laci ini sudah dipakai, atau pernah dipakai untuk menyimpan kas."


class OfficerHasDrawer(Conflict):
    english = "This officer has an open drawer already; close it first."
    indonesian = "Petugas ini sudah memiliki laci kas terbuka; tutup laci itu dahulu."


class DrawerClosed(Conflict):
    english = "The drawer {drawer} is closed. Open it again first."
    indonesian = "Laci kas {drawer} sudah ditutup. Buka lagi laci itu dahulu."


class DrawerNeverOpened(Conflict):
    english = (
        "Only a drawer that was opened for an officer is filled or closed, and nobody keeps"
        " {drawer}. It can be counted."
    )
    indonesian = (
        "Hanya laci yang dibuka untuk petugas yang diisi atau ditutup, sedangkan {drawer} tidak"
        " dipegang siapa pun. Isinya dapat dihitung."
    )


class DrawerNotEmpty(Conflict):
    english = "There are still Rp{balance_idr} in this drawer; put them into the safe first."
    indonesian = "Masih ada Rp{balance_idr} di laci ini; masukkan ke brankas dahulu."


class NoOwnDrawer(Forbidden):
    english = "Cash is paid by a treasurer, or by an officer from an open drawer of their own."
    indonesian = (
        "Tunai dibayarkan oleh bendahara, atau oleh petugas dari laci kas miliknya sendiri."
    )


async def open_drawer(
    session: AsyncSession, bank_id: UUID, name: str, *, officer_id: UUID, by: UUID
) -> Drawer:
    """Open a drawer for an officer of the bank, with nothing in it.

    Raises NoSuchThing, DrawerNameTaken or OfficerHasDrawer.
    """
    if not await members.is_officer(session, bank_id, officer_id):
        raise NoSuchThing(thing="officer")
    drawer = Drawer(bank_id=bank_id, name=name, officer_id=officer_id, opened_by=by)
    await _check_free(session, drawer)
    session.add(drawer)
    try:
        await session.flush()
    except IntegrityError as error:
        broken = constraint_of(error)
        raise (OfficerHasDrawer if "officer" in broken else DrawerNameTaken) from error
    return drawer


async def close(session: AsyncSession, drawer: Drawer, *, by: UUID) -> Drawer:
    """Close an empty drawer. Raises DrawerClosed or DrawerNotEmpty."""
    closed = await session.exec(
        update(Drawer)
        .where(
            col(Drawer.bank_id) == drawer.bank_id,
            col(Drawer.id) == drawer.id,
            col(Drawer.closed_at).is_(None),
        )
        .values(closed_at=utc_now(), closed_by=by)
        .returning(col(Drawer.id))
        .execution_options(synchronize_session=False)
    )
    if closed.first() is None:
        raise DrawerClosed(drawer=drawer.name)
    # Only now: whoever put money in has committed.
    place = chart.drawer(drawer.name)
    balance = (await ledger.balances(session, drawer.bank_id, [place])).get(place, 0)
    if balance:
        raise DrawerNotEmpty(balance_idr=balance)
    await session.refresh(drawer)
    return drawer


async def paying_from(
    session: AsyncSession, bank_id: UUID, officer_id: UUID, *, or_safe: bool = True
) -> Place:
    """Where the cash is that an officer pays with: in their open drawer, else in the safe.

    Raises NoOwnDrawer, if the safe is not for them. Post with `paid_out_of(place)` around it, so that a drawer with too little says so.
    """
    mine = (Drawer.bank_id == bank_id, Drawer.officer_id == officer_id)
    query = select(Drawer.name).where(*mine, col(Drawer.closed_at).is_(None))
    name = (await session.exec(query.with_for_update(read=True))).first()
    if name is None and not or_safe:
        raise NoOwnDrawer
    return chart.drawer(name) if name else chart.CASH


async def at(session: AsyncSession, bank_id: UUID, name: str) -> Place:
    """The place of a drawer by its name, open while this transaction lasts.

    A name that was never opened is a place without a keeper and without a floor, as banks
    use it that don't count. Raises DrawerClosed.
    """
    if name == MAIN:
        return chart.CASH
    query = (
        select(Drawer.closed_at)
        .where(Drawer.bank_id == bank_id, Drawer.name == name)
        .order_by(col(Drawer.id).desc())
        .limit(1)
        .with_for_update(read=True)
    )
    found = list(await session.exec(query))
    if found and found[0] is not None:
        raise DrawerClosed(drawer=name)
    return chart.drawer(name) if found else chart.cash(name)


async def keeper_of(session: AsyncSession, bank_id: UUID, name: str) -> Drawer | None:
    """The drawer that was opened last under this name; None if cash was only kept under it,
    and for the safe. Raises NoSuchThing.
    """
    if name == MAIN:
        return None
    query = (
        select(Drawer)
        .where(Drawer.bank_id == bank_id, Drawer.name == name)
        .order_by(col(Drawer.id).desc())
        .limit(1)
    )
    drawer = (await session.exec(query)).first()
    if drawer is None and await _floor_of(session, bank_id, chart.cash(name)) is None:
        raise NoSuchThing(thing="drawer")
    return drawer


async def _check_free(session: AsyncSession, drawer: Drawer) -> None:
    """See that the account has a floor: one that was used without it keeps none."""
    place = chart.drawer(drawer.name)
    await ledger.open_accounts(session, drawer.bank_id, [place])
    if await _floor_of(session, drawer.bank_id, place) != Floor.DEBIT:
        raise DrawerNameTaken


async def _floor_of(session: AsyncSession, bank_id: UUID, place: Place) -> str | None:
    query = select(Account.floor).where(
        Account.bank_id == bank_id, Account.id == place.id_in(bank_id)
    )
    return (await session.exec(query)).first()
