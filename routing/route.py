"""The order of the stops of one vehicle: nearest first, then improved."""

import random
from itertools import pairwise

Cost = list[list[int]]
"""`cost[a][b]` is the price of going from a to b, which need not be that of the way back.

Index 0 is the start, the last index the end (both may be the same place), all between are
stops. Whole numbers, usually seconds: sums of them are exact, so no move is ever counted
as a gain because of rounding.
"""

_EXACT_STOPS = 9
_LONGEST_MOVE = 3
_FEW_STOPS = 20
_SHAKES_OF_STOPS = 15_000
_WIDEST_SHAKE = 30


def order_stops(cost: Cost) -> list[int]:
    """Return all stops in a good driving order. Raises ValueError if `cost` is not square.

    Never longer than nearest-first, which it begins with unless inserting the farthest is
    shorter, as it mostly is.
    """
    begins = nearest_first(cost), farthest_inserted(cost)
    return shake(cost, improve(cost, min(begins, key=lambda order: length(cost, order))))


def nearest_first(cost: Cost) -> list[int]:
    """Return all stops, going each time to the cheapest one left (of equals, the lowest index).

    Raises ValueError if `cost` is not square or has no start and end.
    """
    _require_square(cost)
    left = list(range(1, len(cost) - 1))
    order: list[int] = []
    here = 0
    while left:
        here = min(left, key=cost[here].__getitem__)
        left.remove(here)
        order.append(here)
    return order


def farthest_inserted(cost: Cost) -> list[int]:
    """Return all stops: the one farthest from those placed is put where it adds least, each time.

    It draws the outline first, so less is left to improve. Raises ValueError like nearest_first.
    """
    _require_square(cost)
    end = len(cost) - 1
    path = [0, end]
    away = {stop: cost[0][stop] + cost[stop][end] for stop in range(1, end)}
    while away:
        stop = max(away, key=away.__getitem__)
        del away[stop]
        leave = cost[stop]
        added = [cost[a][stop] + leave[b] - cost[a][b] for a, b in pairwise(path)]
        path.insert(added.index(min(added)) + 1, stop)
        away = {one: min(far, leave[one] + cost[one][stop]) for one, far in away.items()}
    return path[1:-1]


def improve(cost: Cost, order: list[int], *, rounds: int = 50) -> list[int]:
    """Return the same stops in an order that is as short or shorter.

    The shortest of all up to nine stops, by the dynamic programme of Held and Karp (1962).
    Above, 2-opt and Or-opt until neither helps or `rounds` have passed. The same arguments
    always give the same order. Raises ValueError if `cost` is not square or `order` holds
    anything but different stops.
    """
    _require_square(cost)
    if not set(order) <= set(range(1, len(cost) - 1)) or len(set(order)) < len(order):
        raise ValueError("An order holds indexes of stops, each at most once.")
    if len(order) <= _EXACT_STOPS:
        return min(list(order), _shortest(cost, order), key=lambda stops: length(cost, stops))
    path = [0, *order, len(cost) - 1]
    for _ in range(rounds):
        before = path
        path = _with_moves(cost, _with_reversals(cost, path))
        if path == before:
            break
    return path[1:-1]


def shake(cost: Cost, order: list[int]) -> list[int]:
    """Return an order that is as short or shorter, found by disturbing it and improving again.

    What `improve` can't leave by one move, it can from a little beside it: two neighbouring
    stretches change places, and the result is kept if it is no longer (iterated local search,
    after Martin, Otto and Felten, 1991). How often depends on the number of stops alone, and
    the disturbances are the same each time, so the same arguments give the same order. A
    tour of up to twenty is within a hundredth already, and is to be answered within 3 ms.
    """
    if len(order) <= _FEW_STOPS:
        return order
    chance = random.Random(len(order))  # noqa: S311  Nothing here is secret.
    best, shortest = order, length(cost, order)
    # A longer tour is to be answered within 100 ms.
    for _ in range(_SHAKES_OF_STOPS // len(order) ** 2):
        other = improve(cost, _disturbed(best, chance), rounds=3)
        if (found := length(cost, other)) <= shortest:
            best, shortest = other, found
    return best


def length(cost: Cost, order: list[int]) -> int:
    """Return the cost of driving from the start through `order` to the end."""
    return sum(_steps(cost, [0, *order, len(cost) - 1]))


def _disturbed(order: list[int], chance: random.Random) -> list[int]:
    """Return the order with two short neighbouring stretches changed about."""
    reach = min(_WIDEST_SHAKE, len(order))
    first = chance.randrange(len(order) - reach + 1)
    a, b, c = sorted(first + cut for cut in chance.sample(range(reach + 1), 3))
    return order[:a] + order[b:c] + order[a:b] + order[c:]


def _with_reversals(cost: Cost, path: list[int]) -> list[int]:
    """Return the path after one round of 2-opt: turn round the stretch that gains most."""
    turning = _turning(cost, path)
    for i in range(1, len(path) - 2):
        first, before = path[i], path[i - 1]
        enter, leave = cost[before], cost[first]
        prices = [
            enter[last] + leave[after] + turn
            for last, after, turn in zip(path[i:-1], path[i + 1 :], turning[i:], strict=True)
        ]
        # The stretch of one stop is its own reversal, so it is the price of leaving all as is.
        cheapest = min(prices)
        if cheapest < prices[0]:
            j = i + prices.index(cheapest)
            path = path[:i] + path[j : i - 1 : -1] + path[j + 1 :]
            turning = _turning(cost, path)
    return path


def _turning(cost: Cost, path: list[int]) -> list[int]:
    """Return, for each position, what driving up to it backwards costs more than forwards.

    Less the step away from it. On one-way roads this is what a reversal changes inside its
    stretch: the difference of two entries, however long the stretch.
    """
    turning, extra = [], 0
    for here, there in pairwise(path):
        turning.append(extra - cost[here][there])
        extra += cost[there][here] - cost[here][there]
    return turning


def _with_moves(cost: Cost, path: list[int]) -> list[int]:
    """Return the path after one round of Or-opt: carry short stretches to where they fit best."""
    into = [list(column) for column in zip(*cost, strict=True)]
    steps = _steps(cost, path)
    for size in range(1, _LONGEST_MOVE + 1):
        for i in range(1, len(path) - size):
            before = path
            path = _with_move(cost, into, path, steps, slice(i, i + size))
            if path is not before:
                steps = _steps(cost, path)
    return path


def _with_move(
    cost: Cost, into: Cost, path: list[int], steps: list[int], where: slice
) -> list[int]:
    """Return the path with the stretch `where` in its best place, either way round.

    `into` is the transposed cost: `into[b][a]` is the price from a to b.
    """
    i, j = where.start, where.stop
    stretch, rest = path[i:j], path[:i] + path[j:]
    closed = cost[path[i - 1]][path[j]]
    rest_steps = [*steps[: i - 1], closed, *steps[j:]]
    best, lowest = path, sum(steps[i - 1 : j]) - closed
    for way in (stretch, stretch[::-1]) if j - i > 1 else (stretch,):
        prices = _moved_in(into[way[0]], cost[way[-1]], rest, rest_steps)
        cheapest, inside = min(prices), sum(_steps(cost, way))
        if cheapest + inside < lowest:
            k = prices.index(cheapest) + 1
            best, lowest = rest[:k] + way + rest[k:], cheapest + inside
    return best


def _moved_in(arrive: list[int], leave: list[int], rest: list[int], steps: list[int]) -> list[int]:
    """Return, for each step of `rest`, what it costs to break it and drive round instead."""
    return [
        arrive[here] + leave[there] - step
        for here, there, step in zip(rest, rest[1:], steps, strict=False)
    ]


def _shortest(cost: Cost, stops: list[int]) -> list[int]:
    """Return the shortest order of a few stops: time and room grow as 2 to their number."""
    # One bit per stop; `reach[seen][last]` is the cheapest way through all of `seen` to `last`.
    reach: list[dict[int, int]] = [{}]
    for seen in range(1, 2 ** len(stops)):
        reach.append({})
        for bit, stop in enumerate(stops):
            if seen >> bit & 1:
                before = reach[seen ^ (1 << bit)]
                ways = [price + cost[here][stop] for here, price in before.items()]
                reach[seen][stop] = min(ways, default=cost[0][stop])
    return _traced(cost, stops, reach)


def _traced(cost: Cost, stops: list[int], reach: list[dict[int, int]]) -> list[int]:
    """Return the order that led to the cheapest way through all stops to the end."""
    order: list[int] = []
    seen, there = len(reach) - 1, len(cost) - 1
    while seen:
        ways = {stop: price + cost[stop][there] for stop, price in reach[seen].items()}
        there = min(ways, key=ways.__getitem__)
        order.insert(0, there)
        seen ^= 1 << stops.index(there)
    return order


def _steps(cost: Cost, path: list[int]) -> list[int]:
    return [cost[here][there] for here, there in pairwise(path)]


def _require_square(cost: Cost) -> None:
    if len(cost) < 2 or any(len(row) != len(cost) for row in cost):
        raise ValueError("A cost matrix is square and has at least a start and an end.")
