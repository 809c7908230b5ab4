"""Help for whoever lost their second factor."""

import asyncio

import typer

from service import auth, members
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
            return await auth.end_all(session, person.id)
    finally:
        await database.close()
