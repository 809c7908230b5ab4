"""The drive of one vehicle: in which order, when it is where, and when it must unload."""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.route import Cost, order_stops

_FOREVER = 10**12
_PASSES = 2
_MOST_MOVED = 20
"""Moving one of more stops would take longer than anybody at the door waits."""


@dataclass(frozen=True, slots=True)
class Call:
    """Waste to be fetched at an index: grams, and from when until when, seconds from now."""

    index: int
    grams: int
    opens_s: int = 0
    closes_s: int = _FOREVER


@dataclass(frozen=True, slots=True)
class Halt:
    """Where the vehicle stands, in seconds from its start; `call` is None at the bank.

    `late_s` is how long after its window a stop is begun, `load_grams` what is on the
    vehicle afterwards, `metres` the drive from the halt before.
    """

    index: int
    call: Call | None
    arrival_s: int
    begin_s: int
    departure_s: int
    late_s: int
    load_grams: int
    metres: int


@dataclass(frozen=True, slots=True)
class Drive:
    """All halts in order; the last is at the bank. `driven_s` leaves out waits and doors."""

    halts: tuple[Halt, ...]
    metres: int
    driven_s: int
    late_s: int

    @property
    def seconds(self) -> int:
        """From the start until the vehicle stands at the bank for the last time."""
        return self.halts[-1].arrival_s


@dataclass(frozen=True, slots=True)
class Ground:
    """What a drive goes over: matrices from the start (index 0) to the bank (the last).

    `service_s` pass at each door, `unload_s` at the bank when the vehicle is emptied on the
    way, which it is when the next stop would be more than `capacity_grams`.
    """

    seconds: Cost
    metres: Cost
    service_s: int
    unload_s: int = 0
    capacity_grams: int = _FOREVER


def best_drive(ground: Ground, calls: Sequence[Call]) -> Drive:
    """Return a drive through all calls that is late as little as may be, and then short.

    The order is that of `order_stops`; where it comes too late somewhere, or has to unload,
    stops are moved one by one as long as that helps. The same arguments give the same drive.
    Raises ValueError if the matrices aren't square or a call is no stop of theirs.
    """
    by_index = {call.index: call for call in calls}
    if len(by_index) < len(calls) or not set(by_index) <= set(range(1, len(ground.seconds) - 1)):
        raise ValueError("Every call needs an index of its own between the start and the bank.")
    order = [by_index[index] for index in _ordered(ground, sorted(by_index))]
    found = drive(ground, order)
    if found.late_s == 0 and _unloads(found) == 0:
        return found
    # Who has to be first by the clock is often nearly it.
    earliest = sorted(order, key=lambda call: call.closes_s)
    return min(_moved(ground, order), _moved(ground, earliest), key=_badness)


def drive(ground: Ground, order: Sequence[Call]) -> Drive:
    """Return the drive through the calls in this very order, unloading where it must."""
    halts: list[Halt] = []
    here, now_s, load, driven_s = 0, 0, 0, 0
    bank = len(ground.seconds) - 1
    for call in order:
        if load and load + call.grams > ground.capacity_grams:
            now_s += ground.seconds[here][bank]
            driven_s += ground.seconds[here][bank]
            left_s = now_s + ground.unload_s
            halts.append(Halt(bank, None, now_s, now_s, left_s, 0, 0, ground.metres[here][bank]))
            here, now_s, load = bank, left_s, 0
        halt = _halt(ground, here, now_s, load, call)
        driven_s += ground.seconds[here][call.index]
        halts.append(halt)
        here, now_s, load = call.index, halt.departure_s, halt.load_grams
    now_s += ground.seconds[here][bank]
    driven_s += ground.seconds[here][bank]
    halts.append(Halt(bank, None, now_s, now_s, now_s, 0, load, ground.metres[here][bank]))
    return Drive(
        tuple(halts),
        sum(halt.metres for halt in halts),
        driven_s,
        sum(halt.late_s for halt in halts),
    )


@dataclass(frozen=True, slots=True)
class Insertion:
    """What one more call adds to a drive, and the place where it adds least."""

    position: int
    added_m: int
    added_s: int
    drive: Drive


def insertion(ground: Ground, order: Sequence[Call], call: Call) -> Insertion:
    """Return where one more call fits best into an order that stays as it is otherwise.

    Least late first, then least driving; of equal places the first.
    """
    before = drive(ground, order)
    tried = [drive(ground, [*order[:n], call, *order[n:]]) for n in range(len(order) + 1)]
    position = min(range(len(tried)), key=lambda n: _badness(tried[n]))
    best = tried[position]
    return Insertion(position, best.metres - before.metres, best.driven_s - before.driven_s, best)


def _halt(ground: Ground, here: int, now_s: int, load: int, call: Call) -> Halt:
    arrival_s = now_s + ground.seconds[here][call.index]
    begin_s = max(arrival_s, call.opens_s)
    return Halt(
        call.index,
        call,
        arrival_s,
        begin_s,
        begin_s + ground.service_s,
        max(0, begin_s - call.closes_s),
        load + call.grams,
        ground.metres[here][call.index],
    )


def _ordered(ground: Ground, indexes: list[int]) -> list[int]:
    """The indexes in a good order, whatever others the matrix has."""
    kept = [0, *indexes, len(ground.seconds) - 1]
    cost = [[ground.seconds[a][b] for b in kept] for a in kept]
    return [kept[place] for place in order_stops(cost)]


def _moved(ground: Ground, order: list[Call]) -> Drive:
    """The drive after carrying stops to better places, one at a time."""
    best = drive(ground, order)
    for _ in range(_PASSES if len(order) <= _MOST_MOVED else 0):
        before = best
        for call in order:
            rest = [one for one in order if one is not call]
            found = insertion(ground, rest, call)
            if _badness(found.drive) < _badness(best):
                best = found.drive
                order = [*rest[: found.position], call, *rest[found.position :]]
        if best is before:
            break
    return best


def _badness(found: Drive) -> tuple[int, int, int]:
    return found.late_s, found.driven_s, found.seconds


def _unloads(found: Drive) -> int:
    return sum(halt.call is None for halt in found.halts) - 1
