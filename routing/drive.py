"""The drive of one vehicle: when it is where, what that costs, and when it must unload."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from routing.route import Cost

_FOREVER = 10**12


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


class Price(NamedTuple):
    """What an order costs, in seconds, and what counts most stands first.

    Late at doors; at the bank for the last time; waiting at a door while another stop could
    have been done first; driving.
    """

    late_s: int
    end_s: int
    idle_s: int
    driven_s: int


def price(ground: Ground, order: Sequence[Call], *, most_late_s: int = _FOREVER) -> Price:
    """Return what the `drive` through the calls in this order costs, several times as fast.

    It looks no further than where it is later than `most_late_s`.
    """
    seconds, bank = ground.seconds, len(ground.seconds) - 1
    here = now_s = load = late_s = idle_s = driven_s = 0
    for number, call in enumerate(order, start=1):
        if load and load + call.grams > ground.capacity_grams:
            driven_s += seconds[here][bank]
            now_s += seconds[here][bank] + ground.unload_s
            here, load = bank, 0
        way_s = seconds[here][call.index]
        begin_s = now_s + way_s
        if begin_s < call.opens_s:
            if could_be_first(ground, here, now_s, call, order[number:]):
                idle_s += call.opens_s - begin_s
            begin_s = call.opens_s
        if begin_s > call.closes_s:
            late_s += begin_s - call.closes_s
            if late_s > most_late_s:
                break
        driven_s += way_s
        here, now_s, load = call.index, begin_s + ground.service_s, load + call.grams
    home_s = seconds[here][bank]
    return Price(late_s, now_s + home_s, idle_s, driven_s + home_s)


def could_be_first(
    ground: Ground, here: int, now_s: int, call: Call, others: Sequence[Call]
) -> bool:
    """Return whether one of the others could be done before the call's window opens.

    From where the vehicle is now, so that it is at the call when that opens, and no later.
    """
    for other in others:
        begin_s = max(now_s + ground.seconds[here][other.index], other.opens_s)
        there_s = begin_s + ground.service_s + ground.seconds[other.index][call.index]
        if begin_s < call.opens_s and there_s <= call.opens_s:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Insertion:
    """What one more call adds to a drive, and the place where it adds least."""

    position: int
    added_m: int
    added_s: int
    drive: Drive


def insertion(ground: Ground, order: Sequence[Call], call: Call) -> Insertion:
    """Return where one more call fits best into an order that stays as it is otherwise.

    Least late first, then soonest over, then least driving; of equal places the first.
    """
    before = drive(ground, order)
    tried = [[*order[:n], call, *order[n:]] for n in range(len(order) + 1)]
    position = min(range(len(tried)), key=lambda n: price(ground, tried[n]))
    best = drive(ground, tried[position])
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
