"""Looks at everything that can be wrong with an installation; changes nothing."""

import os
import stat
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from pydantic import ValidationError
from sqlalchemy import Connection, bindparam, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from models.bank import Bank
from models.base import table_of, utc_now
from models.ledger import Page, Seal
from models.material import Material
from models.privacy import Breach, BreachNotice, Told
from service.cli import directories, payments
from service.cli.findings import Finding, Level
from service.cli.naming import told
from service.cli.refusals import wrong_settings
from service.database import schema
from service.keys import heads_file
from service.sealing.noted import noted_in
from service.settings import Settings

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_CLOCKS_APART = timedelta(seconds=5)
_BUILT_IN = 2026
_SEALED_WITHIN = timedelta(hours=1)
_breach, _notice = table_of(Breach), table_of(BreachNotice)
_page, _seal, _next = table_of(Page), table_of(Seal), table_of(Page).alias()
_LATE_PAGES = (
    select(func.count())
    .select_from(_page)
    # Final since the next page was opened.
    .join(_next, (_next.c.bank_id == _page.c.bank_id) & (_next.c.number == _page.c.number + 1))
    .join(
        _seal,
        (_seal.c.bank_id == _page.c.bank_id) & (_seal.c.page == _page.c.number),
        isouter=True,
    )
    .where(_seal.c.page.is_(None), _next.c.opened_at < bindparam("before"))
)


def look() -> None:
    """Print a line for everything; exit code 1 if something keeps the product from running."""
    findings = list(examine())
    for finding in findings:
        typer.echo(f"{finding.level:<6}{finding.what:<14}{finding.how_it_is}")
        if finding.advice:
            typer.echo(f"{'':<20}{finding.advice}")
    if any(finding.level == Level.FAIL for finding in findings):
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    """Everything in turn; without settings there is little to look at."""
    yield _python()
    yield _time_zones()
    try:
        settings = Settings()
    except ValidationError as error:
        for line in wrong_settings(error):
            yield Finding(Level.FAIL, "settings", line.strip())
        return
    yield Finding(Level.OK, "settings", f"for {settings.environment}")
    yield _data_folder(settings.data_dir)
    yield from _keys(settings)
    yield from _database(settings)
    yield payments.gateways_of(settings)
    yield from directories.directories_of(settings)
    yield _messages(settings)
    yield _worker(settings)


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < (3, 11):  # noqa: UP036  The packages may be there, and Python too old.
        return Finding(Level.FAIL, "Python", version, "Python 3.11 or newer is needed.")
    return Finding(Level.OK, "Python", version)


def _time_zones() -> Finding:
    try:
        here = utc_now().astimezone(ZoneInfo("Asia/Jakarta"))
    except ZoneInfoNotFoundError:
        advice = "Install the package tzdata: days begin in the bank's own time zone."
        return Finding(Level.FAIL, "clock", "time zones are missing", advice)
    shown = f"{here:%Y-%m-%d %H:%M} in Jakarta"
    if here.year < _BUILT_IN:
        advice = "The clock is years behind: codes and tokens would run out at once."
        return Finding(Level.FAIL, "clock", shown, advice)
    return Finding(Level.OK, "clock", shown)


def _data_folder(folder: Path) -> Finding:
    shown = str(folder.resolve())
    if not folder.exists():
        return Finding(Level.WARN, "data folder", shown, "It isn't there yet; a start makes it.")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(Level.FAIL, "data folder", shown, "This user can't write there.")
    if folder.stat().st_mode & _OTHERS:
        advice = f"Other users can look into it: chmod 700 {shown}"
        return Finding(Level.WARN, "data folder", shown, advice)
    return Finding(Level.OK, "data folder", shown)


def _keys(settings: Settings) -> Iterator[Finding]:
    kept = {"signing_key": "signing.pem", "sealing_key": "sealing.pem", "pepper": "pepper"}
    for name, file in kept.items():
        if getattr(settings, name) is not None:
            yield Finding(Level.OK, name, "from the settings")
        else:
            yield _key_file(name, settings.data_dir / "keys" / file)


def _key_file(name: str, path: Path) -> Finding:
    if not path.exists():
        return Finding(Level.WARN, name, str(path), "It isn't there yet; a start makes it.")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OTHERS:
        advice = f"Others can read it, mode {mode:o}: chmod 600 {path}"
        return Finding(Level.FAIL, name, str(path), advice)
    return Finding(Level.OK, name, str(path))


def _database(settings: Settings) -> Iterator[Finding]:
    url = make_url(settings.database)
    shown = url.render_as_string(hide_password=True)
    # To connect would make the file.
    if settings.is_sqlite and not Path(url.database or "").exists():
        yield Finding(
            Level.WARN, "database", shown, f"It isn't there yet; `{told('start')}` makes it."
        )
        return
    engine = schema.sync_engine(settings.database)
    try:
        with engine.connect() as connection:
            yield Finding(Level.OK, "database", shown)
            yield from _schema(connection)
            yield from _noted(connection, heads_file(settings))
            if not settings.is_sqlite:
                yield _clock_of(connection)
    except DBAPIError as error:
        said = str(error.orig).strip().splitlines()[0]
        yield Finding(Level.FAIL, "database", shown, f"It can't be used: {said}")
    finally:
        engine.dispose()


def _schema(connection: Connection) -> Iterator[Finding]:
    lacking = schema.problems(connection)
    altered = [words for words in lacking if "trigger" in words]
    if lacking and not altered:
        yield Finding(Level.FAIL, "schema", "; ".join(lacking), f"Run `{told('migrate')}`.")
        return
    yield Finding(Level.OK, "schema", "this version's")
    if altered:
        advice = f"Find out who changed it, run `{told('migrate')}`, then `{told('verify')}`."
        yield Finding(Level.FAIL, "triggers", "; ".join(altered), advice)
    else:
        yield Finding(Level.OK, "triggers", "all in place")
    yield _amount(connection, "materials", Material, "seed")
    yield _amount(connection, "banks", Bank, "bank create --help")
    yield _seals(connection)
    yield from payments.look(connection)
    yield _breaches(connection)


def _amount(
    connection: Connection, what: str, table: type[Material] | type[Bank], command: str
) -> Finding:
    count = connection.execute(select(func.count()).select_from(table)).scalar_one()
    if count == 0:
        return Finding(Level.WARN, what, "none yet", f"Enter some: {told(command)}")
    return Finding(Level.OK, what, str(count))


def _seals(connection: Connection) -> Finding:
    """Pages that have been final for long: the worker seals them within seconds."""
    late = connection.execute(_LATE_PAGES, {"before": utc_now() - _SEALED_WITHIN}).scalar_one()
    if late:
        advice = f"Is a worker running? Only sealed pages can be proven; `{told('verify')}`."
        return Finding(Level.WARN, "seals", f"{late} pages wait for their seal", advice)
    return Finding(Level.OK, "seals", "no page waits for its seal")


def _breaches(connection: Connection) -> Finding:
    """People and the authority have to hear of a breach within 3 x 24 hours."""
    untold = select(func.count()).where(
        _breach.c.bank_id.is_not(None),
        select(func.count())
        .where(_notice.c.bank_id == _breach.c.bank_id, _notice.c.breach_id == _breach.c.id)
        .scalar_subquery()
        < len(Told),
    )
    waiting = connection.execute(untold).scalar_one()
    overdue = connection.execute(untold.where(_breach.c.due_at < utc_now())).scalar_one()
    if overdue:
        advice = f"Tell people and the authority now: `{told('breach list')}`."
        return Finding(Level.WARN, "breaches", f"{overdue} are overdue", advice)
    shown = f"{waiting} wait for a notice, in time" if waiting else "none waits for its notice"
    return Finding(Level.OK, "breaches", shown)


def _noted(connection: Connection, file: Path) -> Iterator[Finding]:
    """Whether the newest heads that were noted beside the key are those in the database."""
    newest = {bank_id: max(heads.items()) for bank_id, heads in noted_in(file).items()}
    head = select(_seal.c.head)
    for bank_id, (page, noted) in newest.items():
        of_page = head.where(_seal.c.bank_id == bank_id, _seal.c.page == page)
        if connection.execute(of_page).scalar() != noted:
            shown = f"page {page} of bank {bank_id} has not the seal noted in {file.name}"
            advice = f"Was an older copy restored, or the book edited? Run `{told('verify')}`."
            yield Finding(Level.FAIL, "seals", shown, advice)


def _clock_of(connection: Connection) -> Finding:
    there: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    apart = abs(there - utc_now())
    shown = f"{apart.total_seconds():.1f} s from ours"
    if apart > _CLOCKS_APART:
        advice = "Keep both machines' clocks with NTP: leases and prices go by the clock."
        return Finding(Level.WARN, "its clock", shown, advice)
    return Finding(Level.OK, "its clock", shown)


def _messages(settings: Settings) -> Finding:
    token = settings.whatsapp_token
    parts = {
        "JUMPA_WHATSAPP_URL": settings.whatsapp_url,
        "JUMPA_WHATSAPP_PHONE_ID": settings.whatsapp_phone_id,
        "JUMPA_WHATSAPP_TOKEN": token.get_secret_value() if token else "",
    }
    missing = [name for name, value in parts.items() if not value]
    if not missing:
        return Finding(Level.OK, "messages", "over WhatsApp")
    shown = f"into {settings.data_dir.resolve() / 'messages.jsonl'}"
    if len(missing) < len(parts):
        return Finding(Level.FAIL, "messages", shown, f"For WhatsApp set {', '.join(missing)} too.")
    if settings.environment == "production":
        return Finding(
            Level.WARN, "messages", shown, f"Nobody gets a code: set {', '.join(parts)}."
        )
    return Finding(Level.OK, "messages", shown)


def _worker(settings: Settings) -> Finding:
    if settings.worker == "inside":
        return Finding(Level.OK, "worker", "inside the server")
    return Finding(Level.OK, "worker", f"apart: keep one `{told('worker')}` running at least")
