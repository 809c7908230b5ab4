"""What a second weighing moves in the ledger: grams into the store, rupiah to residents."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from service.ledger import Movement, chart
from service.station.arithmetic import Custody
from service.station.fetched import Fetched
from service.station.goods import Goods
from service.weighing.crediting import Credit


def unloading(key: str, collector_id: UUID, heaps: Sequence[Custody]) -> list[Movement]:
    """Grams from the vehicle into the store, and what the station found on top of them."""
    moves = []
    for heap in heaps:
        stock, load = chart.stock(heap.material), chart.load(collector_id, heap.material)
        difference = chart.weighing_difference(heap.material)
        moves += [
            Movement(f"{key}:{heap.material}:in", stock, load, heap.brought),
            Movement(f"{key}:{heap.material}:surplus", stock, difference, heap.surplus),
        ]
    return _some(moves)


def writing_off(key: str, collector_id: UUID, heaps: Sequence[Custody]) -> list[Movement]:
    """What is missing leaves the vehicle: lost between two scales, whoever is right."""
    return _some(
        Movement(
            f"{key}:{heap.material}:missing",
            debit=chart.weighing_difference(heap.material),
            credit=chart.load(collector_id, heap.material),
            amount=heap.missing,
        )
        for heap in heaps
    )


def crediting(key: str, door: Fetched, counted: Fetched) -> list[Movement]:
    """The resident gets what counts; what the door had given them stays or is set right."""
    if door.credit is Credit.GOODS:
        return _goods(key, door, counted)
    resident_id = door.pickup.resident_id
    available, before = chart.available(resident_id), door.amount_idr
    held = chart.pending(resident_id) if door.credit is Credit.PENDING else available
    kept, now = min(before, counted.amount_idr), counted.amount_idr
    confirmed = Movement(f"{key}:confirmed", held, available, kept)
    changed = [
        Movement(f"{key}:less", held, chart.PURCHASES, before - kept),
        Movement(f"{key}:more", chart.PURCHASES, available, now - kept),
    ]
    return _some(changed if held == available else [confirmed, *changed])


def paying(key: str, collector_id: UUID, door: Fetched, counted: Fetched) -> list[Movement]:
    """The collector's fee goes by the grams that count, as the resident's credit does."""
    earnings, before, now = chart.earnings(collector_id), door.fee_idr, counted.fee_idr
    return _some(
        [
            Movement(f"{key}:fee-", earnings, chart.COLLECTOR_FEES, max(before - now, 0)),
            Movement(f"{key}:fee+", chart.COLLECTOR_FEES, earnings, max(now - before, 0)),
        ]
    )


def buying(key: str, goods: Goods) -> list[Movement]:
    """What the bank buys of a resident's goods: rupiah at once, and the grams are theirs no more."""
    resident_id = goods.counted.pickup.resident_id
    available = chart.available(resident_id)
    moves = [Movement(f"{key}:bought", chart.PURCHASES, available, goods.bought_idr)]
    for material, grams in goods.bought_grams.items():
        own, held = chart.goods(resident_id, material), chart.goods_held(material)
        moves.append(Movement(f"{key}:{material}:bought", own, held, grams))
    return _some(moves)


def _goods(key: str, door: Fetched, counted: Fetched) -> list[Movement]:
    moves = []
    for material, change in _changes(door, counted).items():
        goods = chart.goods(door.pickup.resident_id, material)
        held = chart.goods_held(material)
        moves += [
            Movement(f"{key}:{material}:goods-", goods, held, max(-change, 0)),
            Movement(f"{key}:{material}:goods+", held, goods, max(change, 0)),
        ]
    return _some(moves)


def _changes(door: Fetched, counted: Fetched) -> dict[str, int]:
    materials = sorted({line.what.material for line in counted.lines})
    return {
        material: counted.grams_of(material) - door.grams_of(material) for material in materials
    }


def _some(moves: Iterable[Movement]) -> list[Movement]:
    return [move for move in moves if move.amount]
