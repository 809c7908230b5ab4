"""Commands that open a waste bank, and say who does what in it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.bank import Bank, District, Policy
from models.people import Person, Role
from service import audit, banks, members
from service.cli.ground import require_schema
from service.cli.naming import told
from service.cli.refusals import Refused
from service.database import open_database
from service.settings import Settings

_LONGEST_NAME = 120


def create_bank(facts: dict[str, Any], officers: Mapping[str, str], *, settlement: str) -> None:
    """Open a bank with the usual rules; `officers` is a phone, or nothing, for each part."""
    settings = Settings()
    require_schema(settings)
    _check_time_zone(facts["time_zone"])
    bank = Bank(**facts | {"name": _checked_name(facts["name"])})
    rules = Policy(bank_id=bank.id, settlement=settlement)
    appointed = asyncio.run(_create_bank(settings, bank, rules, officers))
    typer.echo(f"{bank.name} is open: {bank.id}")
    for person, role in appointed:
        typer.echo(f"{bank.name} has {person.phone} as {role}.")
    typer.echo(f'Now its prices: {told("price import")} FILE.csv --bank "{bank.name}"')
    typer.echo(f'Its people: {told("member add")} PHONE --bank "{bank.name}" --role ROLE')


def add_member(phone: str, *, bank: str, role: str, name: str) -> None:
    """Give somebody a part in a bank."""
    settings = Settings()
    require_schema(settings)
    named = _checked_name(name) if name else ""
    person, at = asyncio.run(_add_member(settings, phone, bank, Role(role), named))
    who = f"{person.name}, {person.phone}" if person.name else person.phone
    typer.echo(f"{at.name} has {who} as {role}.")


def _checked_name(text: str) -> str:
    name = text.strip()
    if not name:
        raise Refused("A name is needed: it is empty.")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise Refused(f"A name has at most {_LONGEST_NAME} letters, on one line.")
    return name


def phone_number(text: str) -> str:
    """The number as E.164. Raises Refused."""
    try:
        return members.normal_phone(text)
    except members.PhoneNotValid as error:
        raise Refused(f"{text}: {error}") from None


async def find_bank(session: AsyncSession, wanted: str) -> Bank:
    """The bank with this name or id. Raises Refused, naming those that there are."""
    known: Sequence[Bank] = (await session.exec(select(Bank).order_by(Bank.name))).all()
    for bank in known:
        if wanted.casefold() in (bank.name.casefold(), str(bank.id), bank.id.hex):
            return bank
    if not known:
        raise Refused(f"There is no bank yet. Open one: {told('bank create --help')}")
    names = "\n".join(f"  {bank.id}  {bank.name}" for bank in known)
    raise Refused(f"There is no bank {wanted}. Those that there are:\n{names}")


async def _create_bank(
    settings: Settings, bank: Bank, rules: Policy, officers: Mapping[str, str]
) -> list[tuple[Person, str]]:
    database = open_database(settings.database)
    try:
        async with database.transaction() as session:
            await _check_free(session, bank.name)
            await _check_district(session, bank.district_code)
            await banks.create(session, bank, rules)
            await audit.by_system(
                session, bank.id, "create_bank", about_kind="bank", about=str(bank.id)
            )
            return [
                (await _appoint(session, bank.id, Role(role), phone), role)
                for role, phone in officers.items()
                if phone
            ]
    finally:
        await database.close()


async def _add_member(
    settings: Settings, phone: str, wanted: str, role: Role, name: str
) -> tuple[Person, Bank]:
    database = open_database(settings.database)
    try:
        async with database.transaction() as session:
            bank = await find_bank(session, wanted)
            return await _appoint(session, bank.id, role, phone, name), bank
    finally:
        await database.close()


async def _check_free(session: AsyncSession, name: str) -> None:
    if (await session.exec(select(Bank.id).where(Bank.name == name))).first():
        raise Refused(f"There is a bank of that name already: {name}")


async def _check_district(session: AsyncSession, code: str | None) -> None:
    known = set(await session.exec(select(District.code)))
    if not code or code in known:
        return
    if not known:
        raise Refused(f"There are no districts yet. Run `{told('seed')}` first.")
    raise Refused(
        f"There is no district {code} among the {len(known)} that `{told('seed')}` enters:"
        " those of Deli Serdang and Medan. Elsewhere leave --district out."
    )


def _check_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(
            f"There is no time zone {name}; Indonesia has Asia/Jakarta, Asia/Makassar and"
            " Asia/Jayapura."
        ) from None


async def _appoint(
    session: AsyncSession, bank_id: UUID, role: Role, phone: str, name: str = ""
) -> Person:
    person = await members.person_by_phone(session, phone_number(phone), name=name)
    # A name that somebody goes by already is theirs to change.
    if name and not person.name:
        person.name = name
        session.add(person)
    await members.register(session, bank_id, person, role, entered_by=None)
    await audit.by_system(
        session,
        bank_id,
        "add_member",
        about_kind="person",
        about=str(person.id),
        person_id=person.id,
    )
    return person
