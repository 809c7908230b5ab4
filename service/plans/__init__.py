"""A day's routes for several vehicles: asked for, worked out apart, given to collectors."""

from service.plans.applying import Applied, apply
from service.plans.asking import (
    MOST_STOPS,
    MOST_VEHICLES,
    Ask,
    NothingToPlan,
    NotTheirCollector,
    PlannerNotInstalled,
    TooManyStops,
    VehicleAsk,
    WrongShift,
    create,
)
from service.plans.drawing import geojson_of, picture_of
from service.plans.records import (
    PlanAlreadyApplied,
    PlanEnded,
    PlanNotDone,
    Progress,
    cancel,
    find,
    of_bank,
    progress,
)
from service.plans.working import Desk

__all__ = [
    "MOST_STOPS",
    "MOST_VEHICLES",
    "Applied",
    "Ask",
    "Desk",
    "NotTheirCollector",
    "NothingToPlan",
    "PlanAlreadyApplied",
    "PlanEnded",
    "PlanNotDone",
    "PlannerNotInstalled",
    "Progress",
    "TooManyStops",
    "VehicleAsk",
    "WrongShift",
    "apply",
    "cancel",
    "create",
    "find",
    "geojson_of",
    "of_bank",
    "picture_of",
    "progress",
]
