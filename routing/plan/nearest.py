"""The planner that needs nothing: nearest first, then improved where that costs little."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from routing.plan.problem import Cancelled, Plan, Problem, Stop, Vehicle
from routing.plan.timing import fits, plan_of
from routing.route import improve

_FLOOR_S = 300
"""Added to every drive, so that a stop next door doesn't win whatever the others' age."""
_PASSES = 8
_STEP = 64


class NearestFirst:
    """Each vehicle goes to its nearest stop, waiting and age counted, until none fits.

    Then what was left out goes where it costs least, trips are put into their best order,
    and stops change vehicles as long as that saves driving. This is done twice, with all
    vehicles setting out together and with each only when those before it are full; the plan
    that leaves out less, or else drives less, is taken, so nobody is sent out for nothing.
    No randomness: the same problem gives the same plan, unless the budget ends the saving early.
    """

    name = "nearest_first"

    def plan(
        self,
        problem: Problem,
        *,
        budget_s: float,
        seed: int = 0,
        progress: Callable[[float], bool] = lambda _: True,
    ) -> Plan:
        """Return the plan. Raises Cancelled when `progress` says no."""
        begun = time.monotonic()
        works = [
            _Work(problem, begun + budget_s / 2, lambda share: progress(share / 2)),
            _Work(problem, begun + budget_s, lambda share: progress(0.5 + share / 2)),
        ]
        for work, in_turn in zip(works, (False, True), strict=True):
            work.drive_nearest_first(in_turn=in_turn)
            _improve(work)
        best = min(works, key=_Work.cost)
        return plan_of(problem, [run.tour for run in best.runs], self.name)


def _improve(work: "_Work") -> None:
    work.insert_left()
    for number in range(_PASSES):
        work.tell(0.4 + 0.6 * number / _PASSES)
        if not (work.reorder() | work.move()) or work.is_late():
            break
        work.insert_left()


@dataclass(slots=True)
class _Run:
    """One vehicle with what it does so far, and where and when it is then."""

    vehicle: Vehicle
    here: int
    now_s: int
    room: int
    tour: list[list[Stop]] = field(default_factory=list)
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a stop could go, and the seconds of driving that this adds."""

    added_s: int
    run: int
    trip: int
    position: int


class _Work:
    """A plan being made."""

    def __init__(self, problem: Problem, until: float, progress: Callable[[float], bool]) -> None:
        self.problem = problem
        self.runs = [
            _Run(one, one.start, one.shift_start_s, one.capacity_grams) for one in problem.vehicles
        ]
        self.left = sorted(problem.stops, key=lambda stop: stop.key)
        self._until = until
        self._progress = progress
        self._steps = 0

    def tell(self, share: float) -> None:
        if not self._progress(share):
            raise Cancelled

    def is_late(self) -> bool:
        return time.monotonic() > self._until

    def cost(self) -> tuple[int, int]:
        """What was left out counts most, then the seconds of driving."""
        left_out = sum(stop.prize for stop in self.left)
        return left_out, sum(self._driven_s(run) for run in self.runs)

    def drive_nearest_first(self, *, in_turn: bool) -> None:
        """Who is free first chooses first; in turn, the next sets out when one is done."""
        while going := [run for run in self.runs if not run.is_done]:
            run = going[0] if in_turn else min(going, key=lambda one: one.now_s)
            stop = self._next_stop(run)
            if stop is not None:
                self._drive_to(run, stop)
            elif run.here != self.problem.bank and len(run.tour) < run.vehicle.max_trips:
                self._empty(run)
            else:
                run.is_done = True
            self._count(0.4 * (1 - len(self.left) / max(1, len(self.problem.stops))))

    def insert_left(self) -> None:
        """Put what was left out where it adds least driving; the most wanted first."""
        for stop in sorted(self.left, key=lambda one: (-one.prize, one.key)):
            place = self._cheapest(stop, stop.prize)
            if place is not None:
                self._put(stop, place)
                self.left.remove(stop)
            self._count(0.4)

    def reorder(self) -> bool:
        """Drive each trip in a better order, if it still keeps its windows."""
        changed = False
        for run in self.runs:
            for number, trip in enumerate(run.tour):
                better = self._better_order(self._start_of(run, number), trip)
                tour = [*run.tour[:number], better, *run.tour[number + 1 :]]
                if better != trip and fits(self.problem, run.vehicle, tour):
                    run.tour, changed = tour, True
        return changed

    def move(self) -> bool:
        """Carry each stop to where it adds less driving than it does now."""
        changed = False
        for index, run in enumerate(self.runs):
            for stop in [stop for trip in run.tour for stop in trip]:
                if self.is_late():
                    return changed
                changed |= self._carry(index, stop)
                self._count(0.7)
        return changed

    def _carry(self, index: int, stop: Stop) -> bool:
        run = self.runs[index]
        before = run.tour
        spent_s = self._driven_s(run)
        run.tour = [kept for trip in before if (kept := [one for one in trip if one != stop])]
        saved_s = spent_s - self._driven_s(run)
        place = self._cheapest(stop, saved_s) if fits(self.problem, run.vehicle, run.tour) else None
        if place is None:
            run.tour = before
            return False
        self._put(stop, place)
        return True

    def _next_stop(self, run: _Run) -> Stop | None:
        """The best stop that can be begun in time and leaves time to come home."""
        best: tuple[float, str, Stop] | None = None
        for stop in self.left:
            begin_s = max(run.now_s + self.problem.seconds[run.here][stop.index], stop.opens_s)
            if not self._reaches(run, stop, begin_s):
                continue
            score = (begin_s - run.now_s + _FLOOR_S) / max(stop.prize, 1)
            if best is None or (score, stop.key) < best[:2]:
                best = score, stop.key, stop
        return best[2] if best else None

    def _reaches(self, run: _Run, stop: Stop, begin_s: int) -> bool:
        home_s = self.problem.seconds[stop.index][self.problem.bank] + self.problem.unload_s
        is_new_trip = run.room == run.vehicle.capacity_grams
        return (
            stop.grams <= run.room
            and begin_s <= stop.closes_s
            and begin_s + stop.service_s + home_s <= run.vehicle.shift_end_s
            and (not is_new_trip or len(run.tour) < run.vehicle.max_trips)
        )

    def _drive_to(self, run: _Run, stop: Stop) -> None:
        arrival_s = run.now_s + self.problem.seconds[run.here][stop.index]
        if run.room == run.vehicle.capacity_grams:
            run.tour.append([])
        run.tour[-1].append(stop)
        run.room -= stop.grams
        run.here, run.now_s = stop.index, max(arrival_s, stop.opens_s) + stop.service_s
        self.left.remove(stop)

    def _empty(self, run: _Run) -> None:
        run.now_s += self.problem.seconds[run.here][self.problem.bank] + self.problem.unload_s
        run.here, run.room = self.problem.bank, run.vehicle.capacity_grams

    def _cheapest(self, stop: Stop, below_s: int) -> _Place | None:
        """The place that adds least driving, and less than `below_s`, and breaks no rule."""
        places = [place for place in self._places(stop) if place.added_s < below_s]
        places.sort(key=lambda place: (place.added_s, place.run, place.trip, place.position))
        for place in places:
            run = self.runs[place.run]
            if fits(self.problem, run.vehicle, _with(run.tour, stop, place)):
                return place
        return None

    def _places(self, stop: Stop) -> Iterator[_Place]:
        seconds, bank = self.problem.seconds, self.problem.bank
        for index, run in enumerate(self.runs):
            for number, trip in enumerate(run.tour):
                path = [self._start_of(run, number), *(one.index for one in trip), bank]
                room = run.vehicle.capacity_grams - sum(one.grams for one in trip)
                if stop.grams > room:
                    continue
                for position in range(len(path) - 1):
                    here, there = path[position], path[position + 1]
                    added = seconds[here][stop.index] + seconds[stop.index][there]
                    yield _Place(added - seconds[here][there], index, number, position)
            if len(run.tour) < run.vehicle.max_trips and stop.grams <= run.vehicle.capacity_grams:
                here = self._start_of(run, len(run.tour))
                added = seconds[here][stop.index] + seconds[stop.index][bank]
                yield _Place(added, index, len(run.tour), 0)

    def _put(self, stop: Stop, place: _Place) -> None:
        run = self.runs[place.run]
        run.tour = _with(run.tour, stop, place)

    def _better_order(self, start: int, trip: list[Stop]) -> list[Stop]:
        indexes = [start, *(stop.index for stop in trip), self.problem.bank]
        cost = [[self.problem.seconds[a][b] for b in indexes] for a in indexes]
        order = improve(cost, list(range(1, len(trip) + 1)), rounds=10)
        return [trip[number - 1] for number in order]

    def _driven_s(self, run: _Run) -> int:
        total = 0
        for number, trip in enumerate(run.tour):
            here = self._start_of(run, number)
            for stop in trip:
                total += self.problem.seconds[here][stop.index]
                here = stop.index
            total += self.problem.seconds[here][self.problem.bank]
        return total

    def _start_of(self, run: _Run, number: int) -> int:
        return run.vehicle.start if number == 0 else self.problem.bank

    def _count(self, share: float) -> None:
        """Let whoever asked for the plan know, and stop it, now and then."""
        self._steps += 1
        if self._steps % _STEP == 0:
            self.tell(share)


def _with(tour: list[list[Stop]], stop: Stop, place: _Place) -> list[list[Stop]]:
    """The tour with one stop more; a place behind the last trip begins a new one."""
    if place.trip == len(tour):
        return [*tour, [stop]]
    trip = tour[place.trip]
    widened = [*trip[: place.position], stop, *trip[place.position :]]
    return [*tour[: place.trip], widened, *tour[place.trip + 1 :]]
