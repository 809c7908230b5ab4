"""Shows a collector's route, and learns from finished trips how long drives take."""

import asyncio
from datetime import datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from sqlmodel import select

from models.bank import Bank
from models.base import utc_now
from routing.roads.calibrating import calibrate as fitted
from service import audit, banks, claims
from service.app import open_parts
from service.claims import Running
from service.cli.ground import require_schema
from service.cli.opening import find_bank
from service.cli.refusals import Refused
from service.errors import NoSuchThing
from service.settings import Settings

_FIGURES = ("road_factor", "road_extra_m", "road_speed_kmh")


def show(route: UUID, svg: Path | None, capacity_kg: int | None) -> None:
    """Print what is left of a route in a table; with a file, draw it there. Raises Refused."""
    going = asyncio.run(_running(route, capacity_kg))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("stop", "arrival", "late", "leg", "load", "where"):
        table.add_column(heading, overflow="fold")
    number = len(going.done)
    for pickup, halt in going.halts():
        number += pickup is not None
        arrives = going.now.timestamp() + halt.arrival_s
        table.add_row(
            str(number) if pickup else "",
            _clock(going.bank.time_zone, arrives),
            f"{-(-halt.late_s // 60)} min" if halt.late_s else "",
            f"{halt.metres / 1000:.1f} km",
            f"{halt.load_grams / 1000:.1f} kg",
            pickup.address if pickup else going.bank.name,
        )
    Console().print(table)
    typer.echo(f"{len(going.left)} stops left, {going.drive.metres / 1000:.1f} km.")
    if svg is not None:
        svg.write_text(claims.picture_of(going, "en"))
        typer.echo(f"Drawn in {svg}.")


def calibrate(bank: str, *, apply: bool) -> None:
    """Print what a bank's finished trips say of its roads; applied, enter it as rules."""
    asyncio.run(_calibrate(bank, apply=apply))


async def _running(route_id: UUID, capacity_kg: int | None) -> Running:
    settings = Settings()
    require_schema(settings)
    grams = capacity_kg and capacity_kg * 1000
    async with open_parts(settings) as parts, parts.database.reading() as session:
        anywhere = list(await session.exec(select(Bank.id)))
        try:
            route = await claims.find_route(session, anywhere, route_id)
        except NoSuchThing as error:
            raise Refused(f"There is no route {route_id}.") from error
        return await claims.running(session, route, capacity_grams=grams, router=parts.router)


async def _calibrate(wanted: str, *, apply: bool) -> None:
    settings = Settings()
    require_schema(settings)
    async with open_parts(settings) as parts:
        async with parts.database.reading() as session:
            at = await find_bank(session, wanted)
            policy = await banks.policy_of(session, at.id)
            trips = await claims.finished_trips(session, at.id, parts.router)
        before = policy.road_factor, policy.road_extra_m, policy.road_speed_kmh
        try:
            fit = fitted(trips, *before)
        except ValueError as error:
            raise Refused(str(error)) from None
        after = fit.factor, fit.extra_m, fit.speed_kmh
        for name, old, new in zip(_FIGURES, before, after, strict=True):
            typer.echo(f"{name}: {old:g} -> {new:g}")
        typer.echo(
            f"From {fit.trips} trips. Drives were {fit.off_before:.0%} off in the middle,"
            f" and would have been {fit.off_after:.0%} off."
        )
        if apply:
            changes = dict(zip(_FIGURES, after, strict=True))
            async with parts.database.transaction() as session:
                rules = await banks.change_rules(
                    session, at.id, changes, valid_from=utc_now(), entered_by=None
                )
                await audit.by_system(
                    session, at.id, "change_rules", about_kind="policy", about=str(rules.id)
                )
            typer.echo("Entered as rules that are in force from now on.")


def _clock(zone: str, timestamp: float) -> str:
    return f"{datetime.fromtimestamp(timestamp, tz=ZoneInfo(zone)):%H:%M}"
