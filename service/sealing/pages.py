"""Pages: turned when something was written on them, sealed when they are final."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlmodel import col, exists, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.audit import AuditEntry
from models.bank import Bank
from models.base import utc_now
from models.ledger import Journal, Page, Seal
from service import ledger
from service.database import Database
from service.keys import Keys, key_id_of
from service.sealing import book
from service.sealing.audited import audit_leaves_of
from service.sealing.canonical import LeafMaker, id_bytes
from service.sealing.heads import NO_PAGE, PageFacts, page_message
from service.sealing.merkle import Tree
from service.sealing.noted import HeadDiffers, noted_at

log = logging.getLogger(__name__)

WRITTEN_ON_FOR = timedelta(seconds=10)
"""How long a page stays open at least, so that a quiet bank's book has few pages."""
_PAGES_AT_ONCE = 100
_TRANSFERS_AT_ONCE = 100_000

_page = aliased(Page)
_OPEN = (
    select(func.max(_page.number)).where(col(_page.bank_id) == Bank.id).correlate(Bank)
).scalar_subquery()
_SEALED = (
    select(func.max(Seal.page)).where(col(Seal.bank_id) == Bank.id).correlate(Bank)
).scalar_subquery()


class Worked(NamedTuple):
    """What was worked out of a page, to be signed and kept."""

    facts: PageFacts
    leaves: bytes
    """48 bytes a transfer: its id, and its leaf."""
    audit_leaves: bytes
    """The same of the audit."""


async def turn_due(database: Database, banks: Sequence[UUID]) -> int:
    """Turn every page that was written on and has been open for a while; how many.

    A book that is being written in for longer than a turn may wait is left for the next time.
    """
    async with database.reading() as session:
        due = await _written_on(session, banks)
    turned = 0
    for page in due:
        try:
            turned += await _turn(database, page)
        except Exception:
            log.exception("page_turn_failed %s", page.bank_id)
    return turned


async def seal(database: Database, keys: Keys, banks: Sequence[UUID]) -> int:
    """Seal every final page of these banks, in order; how many this call sealed.

    Any number of workers may do it at once: a page has one seal, and they agree on it.
    """
    async with database.reading() as session:
        behind = await behind_of(session, banks)
    sealed = 0
    for bank_id in behind:
        try:
            sealed += await _seal_book(database, keys, bank_id)
        except HeadDiffers as error:
            log.error("sealing_refused %s: %s", bank_id, error)
        except Exception:
            # A book that can't be read must not keep the others open.
            log.exception("sealing_failed %s", bank_id)
    return sealed


async def behind_of(session: AsyncSession, banks: Sequence[UUID]) -> list[UUID]:
    """Banks that have final pages without a seal."""
    query = select(Bank.id).where(
        col(Bank.id).in_(banks), func.coalesce(_SEALED, 0) < func.coalesce(_OPEN, 1) - 1
    )
    return list(await session.exec(query))


def work_out(connection: Connection, bank_id: UUID, page: int, previous: bytes) -> Worked:
    """Read a page and make its trees; memory grows by 48 bytes a transfer or audit entry."""
    leaves, tree = leaves_of(connection, bank_id, page)
    audit_leaves, audit = audit_leaves_of(connection, bank_id, page)
    facts = PageFacts(bank_id, page, tree.size, tree.root(), previous, audit.size, audit.root())
    return Worked(facts, leaves, audit_leaves)


def leaves_of(
    connection: Connection,
    bank_id: UUID,
    page: int,
    each: Callable[[book.Transfer], None] | None = None,
) -> tuple[bytes, Tree]:
    """Id and leaf of each transfer of a page, and their tree; `each` is shown them all."""
    tree, leaves = Tree(), bytearray()
    for journal, transfers in book.acts_on(connection, bank_id, page):
        maker = LeafMaker(journal)
        for transfer in transfers:
            leaf = maker.leaf(transfer)
            tree.add(leaf)
            leaves += id_bytes(transfer[0])
            leaves += leaf
            if each is not None:
                each(transfer)
    return bytes(leaves), tree


async def _written_on(session: AsyncSession, banks: Sequence[UUID]) -> list[Page]:
    query = (
        select(Page)
        .join(Bank, col(Page.bank_id) == Bank.id)
        .where(
            col(Bank.id).in_(banks),
            col(Page.number) == _OPEN,
            Page.opened_at < utc_now() - WRITTEN_ON_FOR,
            or_(
                *(
                    exists().where(col(of.bank_id) == Page.bank_id, col(of.page) == Page.number)
                    for of in (Journal, AuditEntry)
                )
            ),
        )
    )
    return list(await session.exec(query))


async def _turn(database: Database, page: Page) -> bool:
    try:
        async with database.transaction() as session:
            await ledger.hold_book(session, page.bank_id)
            if (await ledger.open_page(session, page.bank_id)).number != page.number:
                return False
            await ledger.turn_page(session, page.bank_id, page.day)
    except ledger.BookBusy:
        return False
    return True


async def _seal_book(database: Database, keys: Keys, bank_id: UUID) -> int:
    sealed = 0
    # On a thread and a connection of its own: on SQLite the loop's thread serves everybody.
    while worked := await asyncio.to_thread(_next_pages, book.url_of(database), bank_id):
        if keys.heads_file is not None:
            # Before they are kept: a head follows from the page, so a second try notes the same.
            facts = [one.facts for one in worked]
            await asyncio.to_thread(noted_at(keys.heads_file).note, facts)
        if not await _keep(database, keys, worked):
            return sealed
        sealed += len(worked)
    return sealed


def _next_pages(url: str, bank_id: UUID) -> list[Worked]:
    with book.one_moment(url) as connection:
        return list(_unsealed(connection, bank_id))


def _unsealed(connection: Connection, bank_id: UUID) -> Iterator[Worked]:
    """The next final pages without a seal, not more than fit into memory."""
    page, previous = _last_seal(connection, bank_id)
    found = book.rows(
        connection, "SELECT max(number) AS open FROM ledger_page WHERE bank_id = :bank_id", bank_id
    )
    transfers = 0
    for number in range(page + 1, min(page + 1 + _PAGES_AT_ONCE, found[0]["open"] or 0)):
        worked = work_out(connection, bank_id, number, previous)
        yield worked
        previous = worked.facts.head()
        transfers += worked.facts.transfers + worked.facts.audit_entries
        if transfers >= _TRANSFERS_AT_ONCE:
            return


def _last_seal(connection: Connection, bank_id: UUID) -> tuple[int, bytes]:
    found = book.rows(
        connection,
        "SELECT page, head FROM ledger_seal WHERE bank_id = :bank_id ORDER BY page DESC LIMIT 1",
        bank_id,
    )
    return (found[0]["page"], found[0]["head"]) if found else (0, NO_PAGE)


async def _keep(database: Database, keys: Keys, worked: Sequence[Worked]) -> bool:
    """Sign and write down; False if another worker was first."""
    try:
        async with database.transaction() as session:
            connection = await session.connection()
            await connection.execute(insert(Seal), [signed(keys, one) for one in worked])
    except IntegrityError:
        return False
    return True


def signed(keys: Keys, worked: Worked) -> dict[str, object]:
    """The row of a page's seal, with its signature."""
    facts = worked.facts
    return {
        "bank_id": facts.bank_id,
        "page": facts.page,
        "form": facts.form,
        "transfers": facts.transfers,
        "leaves": worked.leaves,
        "root": facts.root,
        "audit_entries": facts.audit_entries,
        "audit_leaves": worked.audit_leaves,
        "audit_root": facts.audit_root,
        "previous": facts.previous,
        "head": facts.head(),
        "key_id": key_id_of(keys.sealing.public_key()),
        "signature": keys.sealing.sign(page_message(facts.head())),
        "sealed_at": utc_now(),
    }
