"""Commands that look after a database: migrate, seed, verify."""

import asyncio

import typer
from sqlmodel import select

from models.bank import Bank
from service import ledger
from service.app import VERSION, only_server
from service.cli.ground import make_data_folder, require_schema
from service.database import open_database, schema
from service.demo.seeding import seed as seed_demo
from service.keys import heads_file, keys_of_seals
from service.ledger import Verified
from service.sealing import Checked, check
from service.seeds import load_reference
from service.settings import Settings


def migrate() -> None:
    """Bring the schema and the reference data to this version's."""
    settings = Settings()
    make_data_folder(settings)
    with only_server(settings):
        schema.upgrade(settings.database)
        # With it, for a bank can't be opened nor prices entered without.
        asyncio.run(fill(settings, with_demo=False))
    typer.echo("The database is at this version's schema; materials and districts are in it.")


def seed(*, with_demo: bool) -> None:
    """Enter reference data, and the demo town if it is wanted."""
    settings = Settings()
    require_schema(settings)
    asyncio.run(fill(settings, with_demo=with_demo))
    typer.echo("Materials and districts are up to date." + " The demo is there." * with_demo)


async def fill(settings: Settings, *, with_demo: bool) -> None:
    """Put in what every database starts with."""
    database = open_database(settings.database)
    try:
        if with_demo:
            await seed_demo(database)
            return
        async with database.transaction() as session:
            await load_reference(session)
    finally:
        await database.close()


def verify() -> None:
    """Replay the ledgers of all banks and check their seals; exit code 1 if anything differs."""
    settings = Settings()
    require_schema(settings)
    result, sealed = asyncio.run(_verified(settings))
    findings = [*result.findings, *sealed.findings]
    for finding in findings:
        typer.echo(f"bank {finding.bank_id}, {finding.subject}: {finding.problem}")
    typer.echo(
        f"{result.banks} banks, {result.accounts} accounts, {result.transfers} transfers,"
        f" {result.entries} entries, {sealed.pages} sealed pages, {sealed.days} sealed days,"
        f" {sealed.entries} audit entries: "
        + (f"{len(findings)} findings." if findings else "everything adds up.")
    )
    if findings:
        raise typer.Exit(1)


def version() -> None:
    """Say which version this is."""
    typer.echo(f"Jumpa Madu {VERSION}")


async def _verified(settings: Settings) -> tuple[Verified, Checked]:
    database = open_database(settings.database)
    try:
        async with database.reading() as session:
            banks = list(await session.exec(select(Bank.id)))
            replayed = await ledger.verify(session, banks)
        keys = keys_of_seals(settings)
        noted = heads_file(settings)
        return replayed, await asyncio.to_thread(check, settings.database, banks, keys, noted)
    finally:
        await database.close()
