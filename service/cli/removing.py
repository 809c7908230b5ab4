"""Ends somebody's part in a waste bank."""

import asyncio

import typer

from models.bank import Bank
from models.people import Person, Role
from service import audit, leaving
from service.cli.ground import require_schema
from service.cli.naming import told
from service.cli.opening import find_bank
from service.cli.private import find_person
from service.cli.refusals import Refused
from service.database import open_database
from service.privacy import LastTreasurer
from service.settings import Settings


def remove_member(who: str, *, bank: str, role: str, is_agreed: bool) -> None:
    """End a part, having asked. Raises Refused, or the problem that is in the way."""
    settings = Settings()
    require_schema(settings)
    if not is_agreed:
        typer.confirm(f"End the part of {who} as {role} at {bank}?", abort=True)
    person, at = asyncio.run(_remove(settings, who, bank, Role(role)))
    called = ", ".join(one for one in (person.name, person.phone) if one) or str(person.id)
    typer.echo(f"{at.name} no longer has {called} as {role}.")


async def _remove(settings: Settings, who: str, wanted: str, role: Role) -> tuple[Person, Bank]:
    database = open_database(settings.database)
    try:
        async with database.transaction() as session:
            bank = await find_bank(session, wanted)
            person = await find_person(session, who)
            await leaving.end(session, bank.id, person.id, role, by=None)
            await audit.by_system(
                session,
                bank.id,
                audit.END_PART,
                about_kind="role",
                about=role.value,
                person_id=person.id,
            )
            return person, bank
    except LastTreasurer as error:
        first = f'{told("member add")} PHONE --bank "{wanted}" --role treasurer'
        raise Refused(f"{error} {first}") from None
    finally:
        await database.close()
