"""The order of stops that have their hours: hardly late, and no standing about.

Where no hour matters it is that of `routing.route`, which knows no clock.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle

from routing.drive import Call, Drive, Ground, Price, could_be_first, drive, price
from routing.route import order_stops

_EXACT_STOPS = 9
_LONGEST_MOVE = 3
_STOPS_LOOKED_AT = 80_000
"""Past so many stops the clock is followed: any more, and who waits for the answer notices."""

_Way = tuple[int, int, int, tuple[int, ...]]
"""Seconds late, since the start and of them driven, and through which stops of an order."""


def best_drive(ground: Ground, calls: Sequence[Call]) -> Drive:
    """Return a drive through all calls: late as little as may be, then over soon, then short.

    It doesn't wait at a door while another stop could be done first. The order is that of
    `order_stops` if nobody is late, waits or unloads in it. Else it is the best of all up to
    nine stops that go on the vehicle together, if no detour is a short cut; of more, stretches
    are carried to better places as long as that helps. The same arguments give the same drive.
    Raises ValueError if the matrices aren't square or a call is no stop of theirs.
    """
    by_index = {call.index: call for call in calls}
    if len(by_index) < len(calls) or not set(by_index) <= set(range(1, len(ground.seconds) - 1)):
        raise ValueError("Every call needs an index of its own between the start and the bank.")
    shortest = [by_index[index] for index in _ordered(ground, sorted(by_index))]
    found = drive(ground, shortest)
    return found if _knows_no_clock(found) else drive(ground, _timely(ground, shortest))


def _ordered(ground: Ground, indexes: list[int]) -> list[int]:
    """The indexes in a good order, whatever others the matrix has."""
    kept = [0, *indexes, len(ground.seconds) - 1]
    cost = [[ground.seconds[a][b] for b in kept] for a in kept]
    return [kept[place] for place in order_stops(cost)]


def _knows_no_clock(found: Drive) -> bool:
    """Whether nobody is late, waits or unloads: then the shortest is over soonest as well."""
    stops = found.halts[:-1]
    return all(one.call and one.begin_s == one.arrival_s and not one.late_s for one in stops)


def _timely(ground: Ground, order: list[Call]) -> list[Call]:
    """The best order that is found for the clock."""
    # Who has to be first by the clock is often nearly it.
    by_end = sorted(order, key=lambda call: call.closes_s)
    begins = sorted([order, _soonest_begun(ground, order), by_end], key=_priced(ground))
    looks = _STOPS_LOOKED_AT // len(order)
    if len(order) <= _EXACT_STOPS and sum(call.grams for call in order) <= ground.capacity_grams:
        good, _ = _carried(ground, begins[0], looks)
        return min([good, _exact(ground, good)], key=_priced(ground))
    tried = []
    for begin in begins:
        better, looks = _carried(ground, begin, looks)
        tried.append(better)
    return min(tried, key=_priced(ground))


def _priced(ground: Ground) -> Callable[[list[Call]], Price]:
    return lambda order: price(ground, order)


def _soonest_begun(ground: Ground, calls: Sequence[Call]) -> list[Call]:
    """Nearest first by the clock: the one that can be begun soonest, each time."""
    left, order, here, now_s = list(calls), list[Call](), 0, 0
    while left:
        begins = [max(now_s + ground.seconds[here][one.index], one.opens_s) for one in left]
        now_s = min(begins) + ground.service_s
        order.append(left.pop(begins.index(min(begins))))
        here = order[-1].index
    return order


def _carried(ground: Ground, order: list[Call], looks: int) -> tuple[list[Call], int]:
    """The order with stretches carried to better places or turned, until none gains any more.

    Or until so many orders were looked at; how many are left to look at stands second.
    """
    best, size = price(ground, order), len(order)
    stretches = [(i, i + some) for some in range(1, size + 1) for i in range(size - some + 1)]
    in_vain = 0
    for i, j in cycle(stretches):
        if in_vain == len(stretches) or looks <= 0:
            break
        tried = _elsewhere(order, i, j)
        prices = [price(ground, one, most_late_s=best.late_s) for one in tried]
        looks, in_vain = looks - len(tried), in_vain + 1
        if min(prices) < best:
            best, in_vain = min(prices), 0
            order = tried[prices.index(best)]
    return order, looks


def _elsewhere(order: list[Call], i: int, j: int) -> list[list[Call]]:
    """The order with a stretch turned, and carried to every place if it is short."""
    stretch, rest = order[i:j], order[:i] + order[j:]
    places = range(len(rest) + 1) if j - i <= _LONGEST_MOVE else (i,)
    ways = (stretch, stretch[::-1]) if j - i > 1 else (stretch,)
    return [rest[:place] + way + rest[place:] for place in places for way in ways]


def _exact(ground: Ground, order: list[Call]) -> list[Call]:
    """The best order of a few calls that never waits while another could be done first.

    The programme of Held and Karp (1962), with all ways to a state of which none is better in
    everything, less those that can't end as well as `order`: that is returned if none can.
    """
    good = price(ground, order)
    ways: dict[tuple[int, int], list[_Way]] = {(0, 0): [(0, 0, 0, ())]}
    for _ in order:
        further: dict[tuple[int, int], list[_Way]] = defaultdict(list)
        for (seen, here), found in ways.items():
            left = [(n, call) for n, call in enumerate(order) if not seen >> n & 1]
            for way in found:
                for n, longer in _one_further(ground, here, way, left, good):
                    further[seen | 1 << n, order[n].index].append(longer)
        ways = {state: _undominated(found) for state, found in further.items()}
    ends = [
        (late_s, now_s + ground.seconds[here][-1], driven_s + ground.seconds[here][-1], through)
        for (_, here), found in ways.items()
        for late_s, now_s, driven_s, through in found
    ]
    return [order[n] for n in min(ends)[-1]] if ends else order


def _one_further(
    ground: Ground, here: int, way: _Way, left: list[tuple[int, Call]], good: Price
) -> Iterator[tuple[int, _Way]]:
    """The way longer by each of those left, unless it must end worse than `good` already."""
    late_s, now_s, driven_s, through = way
    drives = [ground.seconds[here][call.index] for _, call in left]
    begins = [max(now_s + far, call.opens_s) for far, (_, call) in zip(drives, left, strict=True)]
    lates = [max(0, at - call.closes_s) for at, (_, call) in zip(begins, left, strict=True)]
    homes = [at + ground.seconds[one.index][-1] for at, (_, one) in zip(begins, left, strict=True)]
    if (late_s + sum(lates), max(homes) + ground.service_s) > good[:2]:
        return
    for far, at, late, (n, call) in zip(drives, begins, lates, left, strict=True):
        others = [other for m, other in left if m != n] if at > now_s + far else ()
        if not could_be_first(ground, here, now_s, call, others):
            yield n, (late_s + late, at + ground.service_s, driven_s + far, (*through, n))


def _undominated(ways: list[_Way]) -> list[_Way]:
    """Those of all ways to one state than which none is as good or better in everything."""
    kept: list[_Way] = []
    for way in sorted(ways):
        if not any(one[1] <= way[1] and one[2] <= way[2] for one in kept):
            kept.append(way)
    return kept
