"""Help for whoever lost their second factor."""

import asyncio
from uuid import UUID

import typer
from sqlmodel.ext.asyncio.session import AsyncSession

from service import audit, auth, members
from service.auth import second_factor
from service.cli.ground import require_schema
from service.cli.opening import phone_number
from service.cli.refusals import Refused
from service.database import open_database
from service.settings import Settings


def reset_second_factor(phone: str) -> None:
    """Take off somebody's second factor, and sign them out everywhere. Raises Refused."""
    settings = Settings()
    require_schema(settings)
    number = phone_number(phone)
    devices = asyncio.run(_reset(settings, number))
    typer.echo(f"{number} has no second factor now, and was signed out of {devices} device(s).")


async def _reset(settings: Settings, number: str) -> int:
    database = open_database(settings.database)
    try:
        async with database.transaction() as session:
            person = await members.find_by_phone(session, number)
            if person is None or not await second_factor.is_on(session, person.id):
                raise Refused(f"{number} has no second factor.")
            await second_factor.take_off(session, person.id)
            await _note(session, person.id)
            return await auth.end_all(session, person.id)
    finally:
        await database.close()


async def _note(session: AsyncSession, person_id: UUID) -> None:
    """In every bank where they play a part: there somebody may now come in by phone alone."""
    for bank_id in await members.roles_of(session, person_id):
        await audit.by_system(
            session,
            bank_id,
            "reset_second_factor",
            about_kind="person",
            about=str(person_id),
            person_id=person_id,
        )
