"""The command that enters a price list from a file."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank
from models.base import utc_now
from models.material import Material
from models.price import Price
from service import audit, prices
from service.cli.ground import require_schema
from service.cli.naming import told
from service.cli.opening import find_bank
from service.cli.refusals import Refused
from service.database import open_database
from service.errors import in_words
from service.prices.entering import GRACE
from service.prices.importing import (
    MOST_BYTES,
    NewPriceRow,
    PriceFileNotReadable,
    instant_of,
    read_prices,
)
from service.settings import Settings

_What = tuple[str, str, str]
"""What a price is for: material, condition and channel."""
_Book = dict[_What, list[tuple[datetime, int | None]]]
"""When each price began, and what it is."""


class _Change(NamedTuple):
    """A price to be, and the one that is in force until it begins."""

    price: prices.NewPrice
    before: int | None


class _Plan(NamedTuple):
    """What an import is going to do."""

    bank: Bank
    changes: list[_Change]
    unchanged: int


def import_prices(path: Path, *, bank: str, begins: str, is_agreed: bool) -> None:
    """Show what a file would change, and enter that if it is agreed to."""
    settings = Settings()
    require_schema(settings)
    plan = asyncio.run(_plan(settings, _text_of(path), bank, begins))
    if not plan.changes:
        typer.echo(f"{plan.bank.name} has all these prices already; unchanged: {plan.unchanged}.")
        return
    Console().print(_table(plan))
    if plan.unchanged:
        typer.echo(f"unchanged: {plan.unchanged}")
    if not is_agreed:
        typer.confirm(f"Enter this for {plan.bank.name}?", abort=True)
    asyncio.run(_enter(settings, plan))
    typer.echo(f"Prices entered for {plan.bank.name}: {len(plan.changes)}.")


def _text_of(path: Path) -> str:
    if path.stat().st_size > MOST_BYTES:
        raise Refused(f"{path} is larger than 1 MB, too large for a price list.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(f"{path} is not in UTF-8; save it as “CSV UTF-8”.") from None


async def _plan(settings: Settings, text: str, wanted: str, begins: str) -> _Plan:
    database = open_database(settings.database)
    try:
        async with database.reading() as session:
            bank = await find_bank(session, wanted)
            zone = ZoneInfo(bank.time_zone)
            default = _instant(begins, zone) if begins else utc_now()
            rows = _rows(text, await _materials(session), zone)
            changes = _changes(
                [_new_price(row, default) for row in rows], await _book(session, bank)
            )
            _check_not_past(changes)
            return _Plan(bank, changes, len(rows) - len(changes))
    finally:
        await database.close()


async def _materials(session: AsyncSession) -> set[str]:
    known = set(await session.exec(select(Material.code)))
    if not known:
        raise Refused(f"There are no materials yet. Run `{told('seed')}` first.")
    return known


async def _book(session: AsyncSession, bank: Bank) -> _Book:
    book: _Book = {}
    for price in await session.exec(select(Price).where(Price.bank_id == bank.id)):
        what = (price.material, price.condition, price.channel)
        book.setdefault(what, []).append((price.valid_from, price.price_idr))
    return book


def _changes(new: Sequence[prices.NewPrice], book: _Book) -> list[_Change]:
    """Those that differ from what is in force when they begin, in the order of the file."""
    changes: dict[int, _Change] = {}
    # By their beginnings, for a row may follow on another one of the same file.
    for number, price in sorted(enumerate(new), key=lambda one: one[1].valid_from):
        what = (price.material, str(price.condition), str(price.channel))
        known = book.setdefault(what, [])
        before = _in_force(known, price.valid_from)
        if before != price.price_idr:
            changes[number] = _Change(price, before)
            known.append((price.valid_from, price.price_idr))
    return [changes[number] for number in sorted(changes)]


def _in_force(known: Sequence[tuple[datetime, int | None]], at: datetime) -> int | None:
    begun = [one for one in known if one[0] <= at]
    return max(begun, key=itemgetter(0))[1] if begun else None


def _check_not_past(changes: Sequence[_Change]) -> None:
    """Before anybody is asked; the price book would refuse it afterwards."""
    if any(change.price.valid_from < utc_now() - GRACE for change in changes):
        raise prices.PastPrice


async def _enter(settings: Settings, plan: _Plan) -> None:
    database = open_database(settings.database)
    try:
        async with database.transaction() as session:
            # What was to begin at once begins now, however long somebody looked at the table.
            now = utc_now()
            new = [
                replace(price, valid_from=max(price.valid_from, now)) for price, _ in plan.changes
            ]
            await prices.add(session, plan.bank.id, new, entered_by=None)
            await audit.by_system(
                session, plan.bank.id, "import_prices", about_kind="price", about=""
            )
    finally:
        await database.close()


def _instant(text: str, zone: ZoneInfo) -> datetime:
    try:
        return instant_of(text, zone)
    except ValueError:
        raise Refused(f"--from {text}: write 2026-12-01 or 2026-12-01T08:00+07:00.") from None


def _rows(text: str, known: set[str], zone: ZoneInfo) -> list[NewPriceRow]:
    try:
        return read_prices(text, known, zone=zone)
    except PriceFileNotReadable as error:
        lines = [_place(field.pointer, field.english) for field in error.fields]
        raise Refused("\n".join([str(error), *lines])) from None


def _place(pointer: str, sentence: str) -> str:
    _, line, *column = pointer.split("/")
    return f"  line {line}{', ' + column[0] if column else ''}: {sentence}"


def _new_price(row: NewPriceRow, default: datetime) -> prices.NewPrice:
    return prices.NewPrice(
        row.material, row.condition, row.channel, row.price_idr, row.valid_from or default
    )


def _table(plan: _Plan) -> Table:
    table = Table(title=f"Prices of {plan.bank.name}", title_justify="left")
    for heading in ("material", "channel", "condition"):
        table.add_column(heading)
    for heading in ("before", "new"):
        table.add_column(heading, justify="right")
    table.add_column(f"from ({plan.bank.time_zone})")
    zone = ZoneInfo(plan.bank.time_zone)
    for price, before in plan.changes:
        table.add_row(
            price.material,
            price.channel,
            price.condition,
            _rupiah(before),
            _rupiah(price.price_idr),
            price.valid_from.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
        )
    return table


def _rupiah(price_idr: int | None) -> str:
    # As it may stand in the file, where 1,500 is refused.
    return "not bought" if price_idr is None else in_words(price_idr, "id")
