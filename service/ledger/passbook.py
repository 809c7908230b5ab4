"""The passbook: the lines of somebody's account in the order of the book, all or of some days."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import accumulate
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Executable, Integer, Uuid, bindparam, select, text
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.ledger import Entry, Journal, Page, Transfer
from service.ledger.chart import Place, chart
from service.ledger.days import BEHIND_ALL, Run, pages_of_days
from service.ledger.reversing import REVERSAL


class PassbookLine(NamedTuple):
    """One line of the passbook, as it stands in the book; `version` orders them.

    `at` is when it happened, `day` the day of business on which it was written.
    """

    id: UUID
    at: datetime
    kind: str
    memo: str
    amount_idr: int
    balance_idr: int
    about_id: UUID | None
    version: int
    key: str
    day: date
    journal_id: UUID
    actor_id: UUID | None
    corrects_id: UUID | None
    """The act that this line takes back, its kind and memo."""
    corrects_kind: str | None
    corrects_memo: str | None
    corrected_by_id: UUID | None
    """The act that took this line back."""
    corrects_key: str | None = None
    """Of the line that this one takes back, if it was one line."""


class Excerpt(NamedTuple):
    """The lines of some days, oldest first, and the balance before the first of them."""

    opening_idr: int
    lines: Sequence[PassbookLine]


_reversed, _reversal = aliased(Journal), aliased(Journal)
_PLACE = (
    col(Entry.bank_id) == bindparam("of_bank"),
    col(Entry.account_id) == bindparam("of_account"),
    col(Entry.shard) == 0,
)
_LINES = (
    select(
        col(Transfer.id),
        col(Transfer.event_at),
        col(Journal.kind),
        col(Journal.memo),
        col(Entry.amount),
        col(Entry.balance_after),
        col(Journal.about_id),
        col(Entry.version),
        col(Transfer.key),
        col(Page.day),
        col(Journal.id),
        col(Journal.actor_id),
        col(Journal.reverses_id),
        col(_reversed.kind),
        col(_reversed.memo),
        col(_reversal.id),
    )
    .select_from(Entry)
    .join(
        Transfer,
        (col(Transfer.bank_id) == Entry.bank_id) & (col(Transfer.id) == Entry.transfer_id),
    )
    .join(
        Journal,
        (col(Journal.bank_id) == Transfer.bank_id) & (col(Journal.id) == Transfer.journal_id),
    )
    .join(Page, (col(Page.bank_id) == Journal.bank_id) & (col(Page.number) == Journal.page))
    .outerjoin(
        _reversed,
        (col(_reversed.bank_id) == Journal.bank_id) & (col(_reversed.id) == Journal.reverses_id),
    )
    .outerjoin(
        _reversal,
        (col(_reversal.bank_id) == Journal.bank_id) & (col(_reversal.reverses_id) == Journal.id),
    )
    .where(*_PLACE, col(Entry.amount) != 0)
)
_KEYS = select(col(Transfer.id), col(Transfer.key)).where(
    col(Transfer.bank_id) == bindparam("of_bank"),
    col(Transfer.id).in_(bindparam("of_transfers", expanding=True)),
)
_NEWEST_FIRST = _LINES.order_by(col(Entry.version).desc()).limit(bindparam("most"))
_OLDER = _NEWEST_FIRST.where(col(Entry.version) < bindparam("before"))
_FROM_UNTIL = (
    _LINES.where(
        col(Entry.version) >= bindparam("first"), col(Entry.version) < bindparam("behind_last")
    )
    .order_by(col(Entry.version))
    .limit(bindparam("most"))
)
_NEWEST = select(col(Entry.version)).where(*_PLACE).order_by(col(Entry.version).desc()).limit(1)
_BALANCE = select(col(Entry.balance_after)).where(
    *_PLACE, col(Entry.version) == bindparam("version")
)
# Pages never go back in the order of an account's entries, so halving finds where one begins.
# Looking through all entries would take longer with every year.
_FIRST_SINCE_PAGE = text("""
WITH RECURSIVE halving(low, high) AS (
  SELECT 1, :newest + 1
  UNION ALL
  SELECT CASE WHEN j.page < :page THEN (h.low + h.high) / 2 + 1 ELSE h.low END,
         CASE WHEN j.page < :page THEN h.high ELSE (h.low + h.high) / 2 END
    FROM halving h
    JOIN ledger_entry e ON e.bank_id = :of_bank AND e.account_id = :of_account
                       AND e.shard = 0 AND e.version = (h.low + h.high) / 2
    JOIN ledger_transfer t ON t.bank_id = e.bank_id AND t.id = e.transfer_id
    JOIN ledger_journal j ON j.bank_id = t.bank_id AND j.id = t.journal_id
   WHERE h.low < h.high)
SELECT low FROM halving WHERE low = high""").bindparams(
    bindparam("of_bank", type_=Uuid()),
    bindparam("of_account", type_=Uuid()),
    bindparam("newest", type_=Integer()),
    bindparam("page", type_=Integer()),
)


class _Book:
    """The entries of one person's account, to ask for one value at a time."""

    def __init__(self, session: AsyncSession, bank_id: UUID, place: Place) -> None:
        self._session = session
        self._place = {"of_bank": bank_id, "of_account": place.id_in(bank_id)}

    async def lines(self, query: Executable, **asked: int) -> list[PassbookLine]:
        connection = await self._session.connection()
        rows = await connection.execute(query, {**self._place, **asked})
        return await self._with_keys([PassbookLine(*row) for row in rows])

    async def _with_keys(self, lines: list[PassbookLine]) -> list[PassbookLine]:
        """The same with the keys of the lines that some of them take back, asked for at once."""
        found = {line.id: _taken_back(line.key) for line in lines}
        asked = [transfer_id for transfer_id in found.values() if transfer_id]
        if not asked:
            return lines
        connection = await self._session.connection()
        of = {"of_bank": self._place["of_bank"], "of_transfers": asked}
        rows = await connection.execute(_KEYS, of)
        keys: dict[UUID | None, str] = {row[0]: row[1] for row in rows}
        return [line._replace(corrects_key=keys.get(found[line.id])) for line in lines]

    async def newest(self) -> int:
        """The number of entries; 0 before the first one."""
        connection = await self._session.connection()
        return (await connection.execute(_NEWEST, self._place)).scalar() or 0

    async def balance_at(self, version: int) -> int:
        connection = await self._session.connection()
        asked = {**self._place, "version": version}
        return (await connection.execute(_BALANCE, asked)).scalar() or 0

    async def first_since(self, page: int, newest: int) -> int:
        """The first entry on this page or a later one; one behind the newest if there is none."""
        if page == BEHIND_ALL:
            return newest + 1
        connection = await self._session.connection()
        asked = {**self._place, "page": page, "newest": newest}
        first: int = (await connection.execute(_FIRST_SINCE_PAGE, asked)).scalar_one()
        return first

    async def entries_on(self, pages: Run, newest: int) -> Run:
        """The entries that stand on these pages."""
        first = await self.first_since(pages.first, newest)
        return Run(first, await self.first_since(pages.behind, newest))


def _taken_back(key: str) -> UUID | None:
    """The transfer that the one of this key takes back."""
    return UUID(key.removeprefix(REVERSAL)) if key.startswith(REVERSAL) else None


async def passbook_lines(
    session: AsyncSession, bank_id: UUID, resident_id: UUID, *, before: int | None, limit: int
) -> list[PassbookLine]:
    """Lines of the passbook, newest first; `before` is the version of the last one seen."""
    place = chart.available(resident_id)
    return await lines_of(session, bank_id, place, before=before, limit=limit)


async def lines_of(
    session: AsyncSession, bank_id: UUID, place: Place, *, before: int | None, limit: int
) -> list[PassbookLine]:
    """As passbook_lines(), of any account that belongs to one person."""
    book = _Book(session, bank_id, place)
    if before is None:
        return await book.lines(_NEWEST_FIRST, most=limit)
    return await book.lines(_OLDER, most=limit, before=before)


async def passbook_of_days(
    session: AsyncSession, bank_id: UUID, resident_id: UUID, days: tuple[date, date], *, limit: int
) -> Excerpt:
    """The lines written on the days of business from the first to the last, both included.

    A day that is over gets no more lines, unless it is opened again.
    """
    book = _Book(session, bank_id, chart.available(resident_id))
    newest = await book.newest()
    pages = await pages_of_days(session, bank_id, *days)
    opening = await book.balance_at(await book.first_since(pages.begins, newest) - 1)
    for run in pages.earlier:
        entries = await book.entries_on(run, newest)
        opening += await book.balance_at(entries.behind - 1)
        opening -= await book.balance_at(entries.first - 1)
    lines: list[PassbookLine] = []
    for run in pages.runs:
        first, behind = await book.entries_on(run, newest)
        lines += await book.lines(_FROM_UNTIL, first=first, behind_last=behind, most=limit)
    return Excerpt(opening, _by_day(opening, lines)[:limit])


def _by_day(opening_idr: int, lines: Sequence[PassbookLine]) -> list[PassbookLine]:
    """Lines in the order of their days, each with what all before it leave.

    That is the order of the book and its balances, unless a day was opened again.
    """
    ordered = sorted(lines, key=lambda line: (line.day, line.version))
    balances = accumulate((line.amount_idr for line in ordered), initial=opening_idr)
    next(balances)
    return [
        line._replace(balance_idr=balance) for line, balance in zip(ordered, balances, strict=True)
    ]
