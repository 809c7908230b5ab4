"""Jobs and drives as a collector sees them, and why a job stands where it does."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from routing.geo import Point, shown_metres
from service import claims
from service.api.fields import (
    Position,
    position_of,
)
from service.api.pickups import WindowView


class WhyView(BaseModel):
    """Why a job stands where it does: it counts as one listed just now at `counts_as_m`.

    `text` says it in the language of the request.
    """

    counts_as_m: int
    text: str


class JobView(BaseModel):
    """An open pickup as a collector sees it before the claim: no name, phone or house number.

    `position` is rounded to three decimals, about 100 m; every figure is of that place.
    `road_m` and `road_s` are the drive to it, estimated from the straight line unless a
    router knows the way.
    """

    pickup_id: UUID
    bank_id: UUID
    distance_m: int
    position: Position
    area: str
    estimated_grams: int
    estimate_idr: int
    collector_fee_idr: int
    window: WindowView
    waiting_s: int
    road_m: int
    road_s: int
    road_is_estimate: bool
    why: WhyView


class JobList(BaseModel):
    items: list[JobView]
    next_cursor: str | None


class StopView(BaseModel):
    """A stop of a route; `late_min` is how late after its window the collector would be.

    `eta` is when they are there; `begin` is later where they have to wait for the window.
    """

    pickup_id: UUID
    sequence: int
    position: Position
    address: str
    leg_m: int
    eta: datetime
    begin: datetime
    late_min: int


class RouteView(BaseModel):
    """A route from the very place that its collector named, whether it may be kept or not."""

    id: UUID
    bank_id: UUID
    stops: list[StopView]
    total_m: int
    total_s: int


class ClaimedView(BaseModel):
    route: RouteView


def job_view(one: claims.JobByRoad, here: Point, language: str) -> JobView:
    job, pickup = one.job, one.job.pickup
    return JobView(
        pickup_id=pickup.id,
        bank_id=pickup.bank_id,
        distance_m=shown_metres(here, job.place),
        position=Position(lat=job.place.lat, lon=job.place.lon),
        area=pickup.area,
        estimated_grams=pickup.estimated_grams,
        estimate_idr=pickup.estimate_idr,
        collector_fee_idr=job.collector_fee_idr,
        window=WindowView(start=pickup.window_start, end=pickup.window_end),
        waiting_s=job.waiting_s,
        road_m=one.drive.metres,
        road_s=one.drive.seconds,
        road_is_estimate=one.is_estimate,
        why=_why(one, language),
    )


_WHY = {
    "id": "{km} km{road}, menunggu {waiting}: dihitung seperti {counts} km yang baru didaftarkan.",
    "en": "{km} km{road}, waiting for {waiting}: counts as {counts} km listed just now.",
}


def _why(one: claims.JobByRoad, language: str) -> WhyView:
    far_m = one.job.distance_m if one.is_estimate else one.drive.metres
    counts_m = one.counts_as_m
    facts = {
        "km": _km(far_m, language),
        "road": "" if one.is_estimate else {"id": " lewat jalan"}.get(language, " by road"),
        "waiting": _waiting(one.job.waiting_s, language),
        "counts": _km(counts_m, language),
    }
    return WhyView(counts_as_m=round(counts_m), text=_WHY[language].format(**facts))


def _km(metres: float, language: str) -> str:
    said = f"{metres / 1000:.1f}"
    return said if language == "en" else said.replace(".", ",")


def _waiting(seconds: int, language: str) -> str:
    minutes, hours = seconds // 60, seconds // 3_600
    if hours:
        return f"{hours} h" if language == "en" else f"{hours} jam"
    return f"{minutes} min" if language == "en" else f"{minutes} menit"


def route_view(drive: claims.Drive) -> RouteView:
    return RouteView(
        id=drive.route.id,
        bank_id=drive.route.bank_id,
        stops=[
            StopView(
                pickup_id=stop.pickup.id,
                sequence=stop.sequence,
                position=position_of(stop.pickup),
                address=stop.pickup.address,
                leg_m=stop.leg_m,
                eta=stop.eta,
                begin=stop.begin,
                late_min=-(-stop.late_s // 60),
            )
            for stop in drive.stops
        ],
        total_m=drive.route.total_m,
        total_s=drive.route.total_s,
    )
