"""Commands that enter things: a waste bank, a price list."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.table import Table
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank, District, Policy
from models.base import utc_now
from models.material import Material
from models.people import Role
from models.price import Channel
from service import banks, members, prices
from service.cli.ground import require_schema
from service.cli.refusals import Refused
from service.database import open_database
from service.errors import in_words
from service.prices.book import GRACE
from service.prices.importing import (
    MOST_BYTES,
    NewPriceRow,
    PriceFileNotReadable,
    instant_of,
    read_prices,
)
from service.settings import Settings


def create_bank(facts: dict[str, Any], *, treasurer: str, operator: str) -> None:
    """Open a bank with the usual rules, and the officers it was given."""
    settings = Settings()
    require_schema(settings)
    _check_time_zone(facts["time_zone"])
    officers = {Role.TREASURER: treasurer, Role.OPERATOR: operator}
    bank = asyncio.run(_create_bank(settings, facts, officers))
    typer.echo(f"{bank.name} is open: {bank.id}")
    typer.echo(f'Now its prices: jumpa price import FILE.csv --bank "{bank.name}"')


def import_prices(path: Path, *, bank: str, begins: str, is_agreed: bool) -> None:
    """Show what a file would change, and enter it if that is agreed to."""
    settings = Settings()
    require_schema(settings)
    plan = asyncio.run(_plan(settings, _text_of(path), bank, begins))
    Console().print(_table(plan))
    if not is_agreed:
        typer.confirm(f"Enter this for {plan.bank.name}?", abort=True)
    asyncio.run(_enter(settings, plan))
    typer.echo(f"Prices entered for {plan.bank.name}: {len(plan.prices)}.")


class _Plan(NamedTuple):
    """What an import is going to do."""

    bank: Bank
    prices: list[prices.NewPrice]
    in_force: dict[tuple[str, str, str], int]


async def _create_bank(
    settings: Settings, facts: dict[str, Any], officers: dict[Role, str]
) -> Bank:
    database = open_database(settings.database)
    try:
        async with database.transaction() as session:
            await _check_free(session, facts)
            bank = Bank(**facts)
            await banks.create(session, bank, Policy(bank_id=bank.id))
            for role, phone in officers.items():
                if phone:
                    await _appoint(session, bank.id, role, phone)
            return bank
    finally:
        await database.close()


async def _check_free(session: AsyncSession, facts: dict[str, Any]) -> None:
    if (await session.exec(select(Bank.id).where(Bank.name == facts["name"]))).first():
        raise Refused(f"There is a bank of that name already: {facts['name']}")
    code = facts["district_code"]
    if code and not (await session.exec(select(District).where(District.code == code))).first():
        raise Refused(f"There is no district {code}; `jumpa seed` enters those that are known.")


def _check_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(
            f"There is no time zone {name}; Indonesia has Asia/Jakarta, Asia/Makassar and"
            " Asia/Jayapura."
        ) from None


async def _appoint(session: AsyncSession, bank_id: UUID, role: Role, phone: str) -> None:
    try:
        number = members.normal_phone(phone)
    except members.PhoneNotValid as error:
        raise Refused(f"{phone}: {error}") from None
    person = await members.person_by_phone(session, number)
    await members.register(session, bank_id, person, role, entered_by=None)


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
            bank = await _find_bank(session, wanted)
            zone = ZoneInfo(bank.time_zone)
            default = _instant(begins, zone) if begins else utc_now()
            rows = _rows(text, set(await session.exec(select(Material.code))), zone)
            in_force = {
                (quote.material, quote.condition, str(channel)): quote.price_idr
                for channel in Channel
                for quote in await prices.in_force(session, bank.id, channel, utc_now())
            }
            new = [_new_price(row, default) for row in rows]
            _check_not_past(new)
            return _Plan(bank, new, in_force)
    finally:
        await database.close()


def _check_not_past(new: Sequence[prices.NewPrice]) -> None:
    """Before anybody is asked; the price book would refuse it afterwards."""
    if any(price.valid_from < utc_now() - GRACE for price in new):
        raise prices.PastPrice


async def _enter(settings: Settings, plan: _Plan) -> None:
    database = open_database(settings.database)
    try:
        async with database.transaction() as session:
            # What was to begin at once begins now, however long somebody looked at the table.
            now = utc_now()
            new = [replace(price, valid_from=max(price.valid_from, now)) for price in plan.prices]
            await prices.add(session, plan.bank.id, new, entered_by=None)
    finally:
        await database.close()


async def _find_bank(session: AsyncSession, wanted: str) -> Bank:
    known: Sequence[Bank] = (await session.exec(select(Bank).order_by(Bank.name))).all()
    for bank in known:
        if wanted.casefold() in (bank.name.casefold(), str(bank.id), bank.id.hex):
            return bank
    names = "\n".join(f"  {bank.id}  {bank.name}" for bank in known) or "  none yet"
    raise Refused(f"There is no bank {wanted}. Those that there are:\n{names}")


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
    for heading in ("now", "new"):
        table.add_column(heading, justify="right")
    table.add_column("from")
    zone = ZoneInfo(plan.bank.time_zone)
    for price in plan.prices:
        now = plan.in_force.get((price.material, price.condition, str(price.channel)))
        begins = price.valid_from.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        table.add_row(
            price.material,
            price.channel,
            price.condition,
            _rupiah(now, "-"),
            _rupiah(price.price_idr, "not bought"),
            begins,
        )
    return table


def _rupiah(price_idr: int | None, otherwise: str) -> str:
    return otherwise if price_idr is None else in_words(price_idr)
