"""Deletes a person, and looks for what is left of those who were deleted."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import typer
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Person
from service import audit, members, privacy
from service.cli.ground import require_schema
from service.cli.refusals import Refused
from service.database import open_database, schema
from service.keys import load_keys
from service.settings import Settings


def delete(who: str, *, is_agreed: bool) -> None:
    """Delete somebody, having asked. Raises Refused, or the problem that is in the way."""
    settings = Settings()
    require_schema(settings)
    if not is_agreed:
        typer.confirm(f"Delete {who} for good?", abort=True)
    person_id = asyncio.run(_delete(settings, who))
    typer.echo(f"{person_id} is deleted. Backups hold them until they are overwritten.")


def scan(logs: Sequence[Path]) -> None:
    """Print a line for everything that is left; exit code 1 if anything is."""
    settings = Settings()
    require_schema(settings)
    engine = schema.sync_engine(settings.database)
    try:
        with engine.connect() as connection:
            keys = load_keys(settings)
            left = list(privacy.scan(connection, keys, [settings.data_dir, *logs]))
    finally:
        engine.dispose()
    for one in left:
        typer.echo(f"{one.where}, {one.row}: {one.kind} of {one.person_id}")
    typer.echo(f"{len(left)} findings." if left else "Nothing is left of whom was deleted.")
    if left:
        raise typer.Exit(1)


async def _delete(settings: Settings, who: str) -> UUID:
    database = open_database(settings.database)
    messages = settings.data_dir / privacy.MESSAGES
    try:
        async with database.transaction() as session:
            person = await find_person(session, who)
            await _note(session, person.id)
            keys = load_keys(settings)
            await privacy.delete(session, keys, person.id, by=None, messages=messages)
            return person.id
    finally:
        await database.close()


async def find_person(session: AsyncSession, who: str) -> Person:
    """The person with this phone or id. Raises Refused."""
    try:
        known_as = Person.id == UUID(who)
    except ValueError:
        known_as = Person.phone == members.normal_phone(who)
    person = (await session.exec(select(Person).where(known_as))).first()
    if person is None:
        raise Refused(f"There is nobody {who}.")
    return person


async def _note(session: AsyncSession, person_id: UUID) -> None:
    """In the audit of each bank that knows them, or did."""
    for bank_id in await audit.banks_of(session, person_id):
        await audit.by_system(
            session,
            bank_id,
            "delete_person",
            about_kind="person",
            about=str(person_id),
            person_id=person_id,
        )
