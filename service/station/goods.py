"""Residents' goods at the station: what becomes lots, and what the bank buys instead.

Lots never hold more than the store has. What counts for a resident and isn't there, because it
was lost on the way or sold as the bank's own while a dispute was open, is the bank's: it buys
those grams at the resident's price.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from service.apportioning import apportion
from service.station.arithmetic import Compared, unreached
from service.station.fetched import Fetched
from service.weighing.crediting import Credit


@dataclass(frozen=True, slots=True)
class Goods:
    """A pickup as it counts: what is kept as lots since before, what from now on.

    The rest of its grams is bought, for the rest of what it is worth.
    """

    counted: Fetched
    earlier: Fetched
    kept: Fetched

    @property
    def pickup_id(self) -> UUID:
        return self.counted.pickup.id

    @property
    def bought_idr(self) -> int:
        """With both lots' amounts exactly the line's, unless rounding them twice gave more."""
        return sum(
            max(line.amount_idr - before.amount_idr - now.amount_idr, 0)
            for line, before, now, grams in zip(
                self.counted.lines,
                self.earlier.lines,
                self.kept.lines,
                self._bought_grams(),
                strict=True,
            )
            if grams
        )

    @property
    def bought_grams(self) -> dict[str, int]:
        """By material."""
        grams: dict[str, int] = {}
        for line, bought in zip(self.counted.lines, self._bought_grams(), strict=True):
            grams[line.what.material] = grams.get(line.what.material, 0) + bought
        return grams

    def _bought_grams(self) -> list[int]:
        lines = zip(self.counted.lines, self.earlier.lines, self.kept.lines, strict=True)
        return [line.grams - before.grams - now.grams for line, before, now in lines]


def goods_of(counted: Iterable[Fetched], earlier: Iterable[Fetched]) -> list[Goods]:
    """The pickups whose residents keep goods: all that counts and wasn't kept before is now."""
    return [
        Goods(one, one.filled_up(before), one.beyond(before))
        for one, before in zip(counted, earlier, strict=True)
        if one.credit is Credit.GOODS
    ]


def without_missing(
    goods: Sequence[Goods], door: Sequence[Fetched], compared: Sequence[Compared]
) -> list[Goods]:
    """The goods of the doors' grams, less what never reached the store."""
    station = {line.what: line.station for line in compared}
    short = unreached([(line.what, line.grams) for one in door for line in one.lines], station)
    of_pickup = dict(zip((one.pickup.id for one in door), _in_parts(short, door), strict=True))
    return [_less(one, of_pickup[one.pickup_id]) for one in goods]


def within(goods: Sequence[Goods], own: Mapping[str, int]) -> list[Goods]:
    """The goods, less what the store has no grams of that are still the bank's own."""
    flat = [line for one in goods for line in one.kept.lines]
    less = [0] * len(flat)
    for material in {line.what.material for line in flat}:
        places = [place for place, line in enumerate(flat) if line.what.material == material]
        weights = [flat[place].grams for place in places]
        excess = max(sum(weights) - max(own.get(material, 0), 0), 0)
        for place, share in zip(places, apportion(excess, weights), strict=True):
            less[place] = share
    parts = _in_parts(less, [one.kept for one in goods])
    return [_less(one, part) for one, part in zip(goods, parts, strict=True)]


def _less(goods: Goods, grams: Sequence[int]) -> Goods:
    """So many grams of each line are bought and not kept."""
    return replace(goods, kept=goods.kept.less(grams))


def _in_parts(values: Sequence[int], pickups: Sequence[Fetched]) -> Iterator[list[int]]:
    rest = iter(values)
    return ([next(rest) for _ in one.lines] for one in pickups)
