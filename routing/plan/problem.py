"""What is to be planned, and what a plan says."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stop:
    """Waste at a place: an index into the matrices, grams, seconds at the door.

    It may be begun from `opens_s` to `closes_s`, both included, in seconds of the day; who
    comes earlier waits. `prize` is what leaving it out costs, in seconds of driving: it
    grows with the age of the job, so that far ones are not the ones left out every day.
    """

    key: str
    index: int
    grams: int
    service_s: int
    opens_s: int
    closes_s: int
    prize: int


@dataclass(frozen=True, slots=True)
class Vehicle:
    """Who drives: from an index to the bank, within a shift, with so much room a trip."""

    key: str
    start: int
    shift_start_s: int
    shift_end_s: int
    capacity_grams: int
    max_trips: int = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """Stops, vehicles, and the drives between them; `bank` is the index where loads go.

    `seconds[a][b]` and `metres[a][b]` need not be those of the way back. Emptying the load
    at the bank between two trips takes `unload_s`.
    """

    stops: tuple[Stop, ...]
    vehicles: tuple[Vehicle, ...]
    bank: int
    seconds: list[list[int]]
    metres: list[list[int]]
    unload_s: int


@dataclass(frozen=True, slots=True)
class Visit:
    """One stop of a trip: when the vehicle arrives, begins after any wait, and leaves."""

    stop: str
    arrival_s: int
    begin_s: int
    departure_s: int


@dataclass(frozen=True, slots=True)
class Trip:
    """From where the vehicle stands, through the visits, to the bank."""

    start_s: int
    visits: tuple[Visit, ...]
    end_s: int
    grams: int
    metres: int


@dataclass(frozen=True, slots=True)
class VehiclePlan:
    vehicle: str
    trips: tuple[Trip, ...]


class Why(StrEnum):
    """Why a stop is left out."""

    TOO_HEAVY = "too_heavy"
    """No vehicle can carry it."""
    OUT_OF_TIME = "out_of_time"
    """No vehicle could begin it within its window and be back within its shift."""
    NOT_WORTH_IT = "not_worth_it"
    """It could be served, but not beside all the others, which count for more."""


@dataclass(frozen=True, slots=True)
class Unserved:
    stop: str
    why: Why


@dataclass(frozen=True, slots=True)
class Plan:
    """One entry for each vehicle of the problem, in its order; `metres` and `seconds` driven."""

    vehicles: tuple[VehiclePlan, ...]
    unserved: tuple[Unserved, ...]
    metres: int
    seconds: int
    planner: str


class Planner(Protocol):
    """Anything that plans a day. The same problem and seed give the same plan."""

    name: str

    def plan(
        self,
        problem: Problem,
        *,
        budget_s: float,
        seed: int = 0,
        progress: Callable[[float], bool] = lambda _: True,
    ) -> Plan:
        """Return a plan within about `budget_s` seconds; blocks, so call it in a thread.

        `progress` is told the share done, 0 to 1, from time to time; when it answers False
        the planner stops and raises Cancelled.
        """
        ...


class Cancelled(Exception):
    """Whoever asked for the plan does not want it any more."""
