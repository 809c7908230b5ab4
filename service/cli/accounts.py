"""The chart of accounts: what rupiah and grams can be in, and at a bank how much is there."""

import asyncio
from collections import Counter

import typer
from rich.console import Console
from rich.table import Table

from models.bank import Bank
from service import ledger
from service.cli.ground import require_schema
from service.cli.opening import find_bank
from service.database import open_database
from service.ledger import AccountTotals
from service.ledger.chart import GRAMS, IDR, KINDS, Kind
from service.settings import Settings

_FLOORS = {"none": "", "credit": "never overdrawn", "debit": "never below 0"}


def show(bank: str) -> None:
    """Print the chart; with a bank, how many accounts of each kind it has and what they sum to."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("account", "per", "unit", "floor", "what it is", "artinya"):
        table.add_column(heading, overflow="fold")
    if not bank:
        for kind in KINDS.values():
            table.add_row(*_facts(kind))
        Console().print(table)
        return
    settings = Settings()
    require_schema(settings)
    at, rows = asyncio.run(_balances(settings, bank))
    table.add_column("accounts", justify="right")
    table.add_column("balance", justify="right")
    for kind in KINDS.values():
        table.add_row(*_facts(kind), *_figures(kind, rows))
    typer.echo(f"{at.name}: debits less credits of what was posted")
    Console().print(table)
    _check_sums(rows)


def _facts(kind: Kind) -> tuple[str, ...]:
    unit = "grams" if kind.unit == GRAMS else "rupiah"
    return kind.name, kind.per, unit, _FLOORS[kind.floor], kind.english, kind.indonesian


def _figures(kind: Kind, rows: list[AccountTotals]) -> tuple[str, str]:
    mine = [row for row in rows if row.code.partition(":")[0] == kind.name]
    return f"{len(mine):,}", f"{sum(row.balance for row in mine):,}"


def _check_sums(rows: list[AccountTotals]) -> None:
    """Every unit sums to zero over all accounts; exit code 1 if one doesn't."""
    sums: Counter[str] = Counter({IDR: 0})
    for row in rows:
        sums[row.unit] += row.balance
    wrong = {unit: total for unit, total in sums.items() if total}
    for unit, total in sorted(wrong.items()):
        typer.echo(f"{unit} sums to {total:,}, not 0.")
    if wrong:
        raise typer.Exit(1)
    typer.echo(f"Rupiah and {len(sums) - 1} materials: each sums to 0.")


async def _balances(settings: Settings, wanted: str) -> tuple[Bank, list[AccountTotals]]:
    database = open_database(settings.database)
    try:
        async with database.reading() as session:
            bank = await find_bank(session, wanted)
            return bank, await ledger.trial_balance(session, bank.id)
    finally:
        await database.close()
