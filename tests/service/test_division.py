"""How the money of a sale is divided: to the rupiah, nothing left over, whoever is in it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bank import Policy
from service.lots import Sold, Taken
from service.prices import amount_idr
from service.sales.division import Division, Parts, Portion, before_of, divide, due_idr

SITI, BUDI, ANI, KURIR = (UUID(int=number) for number in range(1, 5))
PARTS = Parts(residents_permille=700, collectors_permille=100)

amounts = st.integers(min_value=0, max_value=10**12)
grams = st.integers(min_value=1, max_value=10**9)
people = st.sampled_from([SITI, BUDI, ANI])
parts = st.integers(0, 1_000).flatmap(
    lambda residents: st.builds(
        Parts, st.just(residents), st.integers(min_value=0, max_value=1_000 - residents)
    )
)
portions = st.lists(
    st.builds(
        Portion,
        lot_id=st.uuids(),
        resident_id=people,
        collector_id=st.sampled_from([None, KURIR, ANI]),
        grams=st.integers(min_value=1, max_value=10**6),
        due_idr=st.integers(min_value=0, max_value=10**8),
    ),
    max_size=8,
)


def a_lot(sold: int, price: int, per_unit: int = 1_000, *, parts: Sequence[Sold] = ()) -> Taken:
    """Of which so much was sold, with its parts if any was taken back."""
    told = parts if any(part.taken_back_at for part in parts) else ()
    return Taken(UUID(int=1), SITI, None, 1, sold, price, per_unit, told)


def a_portion(
    grams: int, due: int, *, of: UUID = SITI, by: UUID | None = None, lot: int = 1
) -> Portion:
    return Portion(UUID(int=lot), of, by, grams, due)


def paid(divided: Division) -> list[tuple[int, int]]:
    return [(each.amount_idr, each.share_idr) for each in divided.paid]


@given(
    st.integers(0, 100_000),
    st.sampled_from([1, 400, 1_000]),
    st.lists(st.integers(1, 50_000), max_size=12),
)
def test_selling_in_parts_pays_what_selling_at_once_would(
    price: int, per_unit: int, sold: list[int]
) -> None:
    grams = due = 0
    for part in sold:
        due += due_idr(price, per_unit, part, before_of(a_lot(grams, price, per_unit)))
        grams += part
    assert due == amount_idr(price, grams, per_unit)


def test_a_price_is_not_rounded_at_every_part() -> None:
    thirds = [due_idr(1, 1_000, 500, before_of(a_lot(grams, 1))) for grams in (0, 500, 1_000)]
    assert thirds == [1, 0, 1]


@given(
    st.integers(0, 5_000),
    st.lists(st.tuples(st.integers(1, 700), st.booleans()), max_size=12),
    st.randoms(use_true_random=False),
)
def test_what_was_taken_back_leaves_what_selling_at_once_would_pay(
    price: int, acts: list[tuple[int, bool]], chance: Random
) -> None:
    """Sales of which some are taken back, in any order, and then all that is left at once."""
    parts: list[Sold] = []
    dues: list[int] = []
    for second, (grams, takes_back) in enumerate(acts):
        at = datetime(2026, 11, 29, 8, 0, second, tzinfo=UTC)
        stands = [number for number, part in enumerate(parts) if part.taken_back_at is None]
        if takes_back and stands:
            which = chance.choice(stands)
            parts[which], dues[which] = parts[which]._replace(taken_back_at=at), 0
            continue
        dues.append(
            due_idr(price, 1_000, grams, before_of(a_lot(_left(parts), price, parts=parts)))
        )
        parts.append(Sold(grams, at, None))
    before = before_of(a_lot(_left(parts), price, parts=parts))
    assert before == (_left(parts), sum(dues))
    whole = sum(part.grams for part in parts) + 1
    rest = due_idr(price, 1_000, whole - before.grams, before)
    assert sum(dues) + rest == amount_idr(price, whole, 1_000)


def _left(parts: list[Sold]) -> int:
    return sum(part.grams for part in parts if part.taken_back_at is None)


def test_a_sale_above_the_residents_prices_is_shared() -> None:
    first = a_portion(6_000, 12_000, of=SITI, by=KURIR, lot=1)
    second = a_portion(4_000, 8_000, of=BUDI, lot=2)
    divided = divide(30_000, 10_000, [first, second], PARTS)
    assert paid(divided) == [(12_000, 4_200), (8_000, 2_800)]
    assert divided.collectors == {KURIR: 600}
    assert divided.kept_idr == 2_000 + 400, "what nobody fetched earns nobody a part"


def test_what_the_lots_do_not_cover_was_the_banks_own() -> None:
    divided = divide(30_000, 15_000, [a_portion(10_000, 15_000)], PARTS)
    assert paid(divided) == [(15_000, 3_500)]
    assert divided.kept_idr == 10_000 + 1_500
    assert divided.lot_grams == 10_000


def test_a_sale_without_lots_is_the_banks() -> None:
    divided = divide(30_000, 15_000, [], PARTS)
    assert (paid(divided), divided.collectors, divided.kept_idr) == ([], {}, 30_000)


def test_a_sale_that_brings_less_pays_everybody_the_same_part_of_what_is_due() -> None:
    lots = [a_portion(5_000, 10_000, lot=1), a_portion(5_000, 5_000, of=BUDI, by=KURIR, lot=2)]
    divided = divide(9_000, 10_000, lots, PARTS)
    assert paid(divided) == [(6_000, 0), (3_000, 0)]
    assert (divided.collectors, divided.kept_idr) == ({}, 0)


def test_a_sale_that_brings_just_what_is_due_has_nothing_to_share() -> None:
    divided = divide(7_001, 3_000, [a_portion(3_000, 7_001, by=KURIR)], PARTS)
    assert (paid(divided), divided.collectors, divided.kept_idr) == ([(7_001, 0)], {}, 0)


def test_the_lots_part_is_rounded_half_up_and_the_rest_is_the_banks() -> None:
    divided = divide(1, 2, [a_portion(1, 0)], Parts(1_000, 0))
    assert (paid(divided), divided.kept_idr) == ([(0, 1)], 0)
    divided = divide(1, 3, [a_portion(1, 0)], Parts(1_000, 0))
    assert (paid(divided), divided.kept_idr) == ([(0, 0)], 1)


@given(amounts, portions, st.integers(0, 10**9), parts)
def test_nothing_is_left_over_and_nobody_owes(
    brought: int, lots: list[Portion], own_grams: int, shared: Parts
) -> None:
    grams = sum(lot.grams for lot in lots) + own_grams or 1
    divided = divide(brought, grams, lots, shared)
    assert divided.lot_grams == sum(lot.grams for lot in lots)
    assert brought == (
        divided.lots_idr + divided.residents_idr + divided.collectors_idr + divided.kept_idr
    )
    got = [*divided.collectors.values(), divided.kept_idr]
    assert all(amount >= 0 for amount in got)
    assert all(0 <= each.amount_idr <= each.portion.due_idr for each in divided.paid)
    assert all(each.share_idr >= 0 for each in divided.paid)
    if divided.residents_idr or divided.collectors_idr:
        assert [each.amount_idr for each in divided.paid] == [lot.due_idr for lot in lots]
    fetchers = {lot.collector_id for lot in lots}
    assert divided.collectors.keys() <= fetchers - {None}
    assert divide(brought, grams, lots, shared) == divided


@pytest.mark.parametrize(
    ("grams", "leg_m", "fee"),
    [
        (0, 0, 1_000),
        (5_000, 0, 1_750),
        (5_000, 2_000, 1_750),
        (5_000, 2_001, 1_751),
        (5_000, 3_500, 2_500),
        (3, 0, 1_000),
        (4, 0, 1_001),
    ],
)
def test_a_stop_earns_by_itself_by_weight_and_by_the_way(grams: int, leg_m: int, fee: int) -> None:
    policy = Policy(
        bank_id=UUID(int=1),
        fee_per_stop_idr=1_000,
        fee_per_kg_idr=150,
        fee_per_km_idr=500,
        fee_free_m=2_000,
    )
    assert policy.collector_fee_idr(grams, leg_m) == fee


def test_a_stop_earns_no_less_than_the_floor() -> None:
    policy = Policy(bank_id=UUID(int=1), fee_floor_idr=2_500)
    assert policy.collector_fee_idr(1_000) == 2_500
    assert policy.collector_fee_idr(20_000) == 4_000
