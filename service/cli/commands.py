"""What commands there are, with their options and a word on each."""

import inspect
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from service.cli import checks, degrees, driving, gateways, persons, privately, refusals
from service.cli.naming import in_examples, told

# Each command imports what it does when it is called: the server would otherwise wait for
# Alembic, and `--help` for the server.


class Commands(TyperGroup):
    """Commands whose refusals are a sentence and exit code 2."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise
        except Exception as error:
            words = refusals.in_words(error)
            if words is None:
                raise
            typer.echo(words, err=True)
            raise typer.Exit(refusals.REFUSED) from error


app = typer.Typer(
    name="jumpa",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    # Its tracebacks show the values of variables, and those may be secrets.
    pretty_exceptions_enable=False,
    help="Jumpa Madu, the backend of waste banks. Settings are environment variables that"
    f" start with JUMPA_; [bold]{told('doctor')}[/bold] says whether they work.",
)
bank = typer.Typer(no_args_is_help=True, help="Waste banks.")
member = typer.Typer(no_args_is_help=True, help="Who plays which part in a bank.")
price = typer.Typer(no_args_is_help=True, help="Price lists.")
demo_town = typer.Typer(no_args_is_help=True, help="The demo town.")
app.add_typer(checks.commands)
app.add_typer(gateways.commands)
app.add_typer(bank, name="bank")
app.add_typer(member, name="member")
app.add_typer(persons.commands, name="person")
app.add_typer(privately.privacy, name="privacy")
app.add_typer(privately.breach, name="breach")
app.add_typer(price, name="price")
app.add_typer(driving.routes, name="route")
app.add_typer(driving.roads, name="roads")
app.add_typer(demo_town, name="demo")

Latitude = Annotated[
    float,
    typer.Option(parser=degrees.latitude, metavar="DEGREES", help="North, like 3.56 or -6.2"),
]
Longitude = Annotated[
    float, typer.Option(parser=degrees.longitude, metavar="DEGREES", help="East, like 98.87")
]
ListFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE.csv", exists=True, dir_okay=False, help="The list, from a spreadsheet"
    ),
]


@app.command()
def start() -> None:
    """Prepare whatever is missing and serve: the way to try the product.

    Makes the data folder, the database and its schema, enters the demo town into a database
    that has no banks yet (unless [bold]JUMPA_DEMO=0[/bold]), says where to look, and serves.

    Example: [cyan]JUMPA_PORT=8080 jumpa start[/cyan]
    """
    from service.cli import listening  # noqa: PLC0415

    listening.start()


@app.command()
def serve() -> None:
    """Serve, and change nothing first: the way to run in production.

    Refuses to start unless the database has this version's schema and triggers.

    Example: [cyan]jumpa migrate && jumpa serve[/cyan]
    """
    from service.cli import listening  # noqa: PLC0415

    listening.serve()


@app.command()
def worker() -> None:
    """Send notices, take back lapsed claims: what happens without anybody asking.

    For PostgreSQL with [bold]JUMPA_WORKER=apart[/bold]; any number may run. On SQLite the
    server does this itself.

    Example: [cyan]JUMPA_DATABASE_URL=postgresql://jumpa@db/jumpa jumpa worker[/cyan]
    """
    from service.cli import serving  # noqa: PLC0415

    serving.work()


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema, and enter materials and districts.

    Running it again changes nothing. On SQLite stop the server first.

    Example: [cyan]jumpa migrate[/cyan]
    """
    from service.cli import upkeep  # noqa: PLC0415

    upkeep.migrate()


@app.command()
def seed(
    *,
    demo: Annotated[bool, typer.Option("--demo", help="The demo town as well.")] = False,
) -> None:
    """Enter materials and districts, or bring them up to date. Running it again changes nothing.

    Example: [cyan]jumpa seed[/cyan]
    """
    from service.cli import upkeep  # noqa: PLC0415

    upkeep.seed(with_demo=demo)


@app.command()
def accounts(
    *,
    bank: Annotated[
        str, typer.Option(metavar="NAME|ID", help="With what each kind holds at this bank")
    ] = "",
) -> None:
    """Show the chart of accounts: where rupiah and grams can be, and what each account means.

    Changes nothing. Exit code 1 if a unit doesn't sum to zero at the bank.

    Example: [cyan]jumpa accounts --bank "Bank Sampah Melati"[/cyan]
    """
    from service.cli import accounts  # noqa: PLC0415

    accounts.show(bank)


@app.command()
def version() -> None:
    """Say which version this is.

    Example: [cyan]jumpa version[/cyan]
    """
    from service.cli import upkeep  # noqa: PLC0415

    upkeep.version()


@bank.command("create")
def create_bank(  # noqa: PLR0913  One option a fact.
    *,
    name: Annotated[str, typer.Option(help="What people call it")],
    lat: Latitude,
    lon: Longitude,
    kind: Annotated[
        Literal["unit", "main"], typer.Option(help="A unit, or the main bank of a regency")
    ] = "unit",
    address: Annotated[str, typer.Option(help="Street and place")] = "",
    district: Annotated[str, typer.Option(help="Code of the kecamatan, like 12.07.28")] = "",
    time_zone: Annotated[str, typer.Option(help="Where its days begin")] = "Asia/Jakarta",
    hours: Annotated[str, typer.Option(help="As OpenStreetMap writes them")] = "",
    settlement: Annotated[
        Literal["beli_putus", "bagi_hasil"],
        typer.Option(help="Bought at weighing, or paid for and shared once it is sold"),
    ] = "beli_putus",
    treasurer: Annotated[str, typer.Option(metavar="PHONE", help="Who approves payouts")] = "",
    operator: Annotated[str, typer.Option(metavar="PHONE", help="Who runs the counter")] = "",
    city: Annotated[str, typer.Option(metavar="PHONE", help="Who sees its books")] = "",
) -> None:
    """Open a waste bank with the usual rules. It buys nothing until it has a price list.

    Example: [cyan]jumpa bank create --name "Bank Sampah Melati" --lat 3.59 --lon 98.67
    --hours "Sa 08:00-12:00" --treasurer 0812-6000-1234 --operator 0812-6000-5678[/cyan]
    """
    from service.cli import opening  # noqa: PLC0415

    facts = {
        "name": name,
        "lat": lat,
        "lon": lon,
        "kind": kind,
        "address": address,
        "district_code": district or None,
        "time_zone": time_zone,
        "hours": hours,
    }
    officers = {"treasurer": treasurer, "operator": operator, "city": city}
    opening.create_bank(facts, officers, settlement=settlement)


@member.command("add")
def add_member(
    phone: Annotated[str, typer.Argument(metavar="PHONE", help="As 0812… or +62812…")],
    *,
    bank: Annotated[str, typer.Option(metavar="NAME|ID", help="At which bank")],
    role: Annotated[
        Literal["resident", "collector", "operator", "treasurer", "city"],
        typer.Option(help="What they do there"),
    ],
    name: Annotated[str, typer.Option(help="Their name, unless it is known already")] = "",
) -> None:
    """Give somebody a part in a bank: new officers, collectors, the city's staff.

    Whoever plays another part there keeps it. Running it again changes nothing.

    Example: [cyan]jumpa member add 0812-6000-9999 --bank "Bank Sampah Melati" --role city[/cyan]
    """
    from service.cli import opening  # noqa: PLC0415

    opening.add_member(phone, bank=bank, role=role, name=name)


@member.command("remove")
def remove_member(
    who: Annotated[str, typer.Argument(metavar="PHONE|ID", help="As 0812…, or their id")],
    *,
    bank: Annotated[str, typer.Option(metavar="NAME|ID", help="At which bank")],
    role: Annotated[
        Literal["collector", "operator", "treasurer", "city"],
        typer.Option(help="What they do there no more"),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """End somebody's part in a bank: of who left, or was entered by mistake. They are told.

    It counts at once; their other parts stay, and so does a resident's passbook. Refused for the
    last treasurer, a collector with jobs, a load or earnings, and an officer with an open drawer.

    Example: [cyan]jumpa member remove 0812-6000-9999 --bank "Bank Sampah Melati" --role city[/cyan]
    """
    from service.cli import removing  # noqa: PLC0415

    removing.remove_member(who, bank=bank, role=role, is_agreed=yes)


@member.command("import")
def import_members(
    file: ListFile,
    *,
    bank: Annotated[str, typer.Option(metavar="NAME|ID", help="Whose residents they are")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    doubtful_confirmed: Annotated[
        bool, typer.Option("--doubtful-confirmed", help="With --yes: also those marked with “?”.")
    ] = False,
) -> None:
    """Take over residents, and what the book before owes them: shows what it would do, asks.

    Columns of the CSV file: name, and phone, passbook_number and balance_idr as far as there are
    any; without a phone the number is needed. All is entered or nothing, each balance is a line in
    its passbook, and who has a phone is told. Entering the same again changes nothing.

    Example: [cyan]jumpa member import anggota.csv --bank "Bank Sampah Melati"[/cyan]
    """
    from service.cli import taking_over  # noqa: PLC0415

    taking_over.import_members(
        file, bank=bank, is_agreed=yes, doubtful_confirmed=doubtful_confirmed
    )


@price.command("import")
def import_prices(
    file: ListFile,
    *,
    bank: Annotated[str, typer.Option(metavar="NAME|ID", help="Whose prices they are")],
    begins: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="INSTANT",
            help="When they begin, if their row doesn't say: 2026-12-01, or with a time. Else now.",
        ),
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    unusual_confirmed: Annotated[
        bool,
        typer.Option(
            "--unusual-confirmed",
            help="With --yes: take also prices five times those before, or a fifth of them.",
        ),
    ] = False,
) -> None:
    """Enter a price list from a CSV file: shows what would change, asks, takes all or nothing.

    Columns: material, condition (clean, dirty; empty is clean), channel (pickup, dropoff),
    price_idr, and valid_from if rows begin at different times. An empty price ends the buying.

    Example: [cyan]jumpa price import harga.csv --bank "Bank Sampah Melati"[/cyan]
    """
    from service.cli import pricing  # noqa: PLC0415

    pricing.import_prices(
        file, bank=bank, begins=begins, is_agreed=yes, unusual_confirmed=unusual_confirmed
    )


@demo_town.command("day")
def demo_day(
    *,
    url: Annotated[
        str, typer.Option(help="The running server; else the one that the settings describe")
    ] = "",
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Its data folder, to read codes from; else that of the settings"),
    ] = None,
    pickups: Annotated[int, typer.Option(min=1, help="How many deposits there are")] = 200,
    clients: Annotated[int, typer.Option(min=1, max=200, help="How many act at a time")] = 8,
    seed: Annotated[int, typer.Option(help="Another number, another day")] = 1,
) -> None:
    """Live a day of the demo town against a running server, and check that it adds up.

    Residents list waste, collectors claim, drive and weigh, residents ask for cash, and the
    treasurer pays. Exit code 1 if any call went wrong.

    Example: [cyan]jumpa demo day --pickups 2000 --clients 16[/cyan]
    """
    from service.cli import playing  # noqa: PLC0415
    from service.demo.day import Scale  # noqa: PLC0415

    playing.live_a_day(url, data_dir, Scale(pickups, clients, seed))


def name_as_called() -> None:
    """Let every help text call this program as it is called here."""
    for group in (app, *(each.typer_instance for each in app.registered_groups)):
        for command in group.registered_commands if group else ():
            command.help = in_examples(inspect.getdoc(command.callback) or "")


name_as_called()
