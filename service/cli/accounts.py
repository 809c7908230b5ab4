"""The chart of accounts: what rupiah and grams can be in, and at a bank how much is there."""

import asyncio
from collections import Counter

import typer
from rich.console import Console
from rich.measure import Measurement
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
_WIDEST = 1_000


def show(bank: str) -> None:
    """Print the chart; of a bank, how many accounts of each kind it has and what they sum to."""
    if not bank:
        _print(_chart())
        return
    settings = Settings()
    require_schema(settings)
    at, rows = asyncio.run(_balances(settings, bank))
    typer.echo(f"{at.name}: debits less credits of what was posted")
    _print(_held(rows))
    _check_sums(rows)


def _chart() -> Table:
    table = _table("account", "per", "unit", "floor")
    for heading in ("what it is", "artinya"):
        table.add_column(heading)
    for kind in KINDS.values():
        floor = _FLOORS[kind.floor]
        table.add_row(kind.name, kind.per, _unit(kind), floor, kind.english, kind.indonesian)
    return table


def _held(rows: list[AccountTotals]) -> Table:
    table = _table("account", "unit")
    for heading in ("accounts", "balance"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("what it is")
    for kind in KINDS.values():
        table.add_row(kind.name, _unit(kind), *_figures(kind, rows), kind.english)
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    return table


def _print(table: Table) -> None:
    """As wide as the terminal, but never so narrow that a figure or a word is cut.

    Into a pipe all of a row goes into one line.
    """
    console = Console()
    wide = console.options.update(width=_WIDEST)
    needed = Measurement.get(console, wide, table)
    if console.is_terminal:
        console.width = max(console.width, needed.minimum)
    else:
        console.width = max(console.width, needed.maximum)
    console.print(table)


def _unit(kind: Kind) -> str:
    return "grams" if kind.unit == GRAMS else "rupiah"


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
