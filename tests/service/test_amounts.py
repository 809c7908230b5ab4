"""What grams are worth is the nearest rupiah."""

from hypothesis import given
from hypothesis import strategies as st

from service.prices import amount_idr


@given(
    price=st.integers(min_value=0, max_value=10**6),
    grams=st.integers(min_value=0, max_value=5 * 10**6),
    per_unit=st.integers(min_value=1, max_value=10_000),
)
def test_an_amount_is_the_nearest_rupiah(price: int, grams: int, per_unit: int) -> None:
    exact_times_two = 2 * price * grams
    rounded = amount_idr(price, grams, per_unit)
    assert -per_unit <= exact_times_two - 2 * per_unit * rounded < per_unit


def test_half_a_rupiah_rounds_up() -> None:
    assert amount_idr(1, 500, 1_000) == 1
    assert amount_idr(1, 499, 1_000) == 0
    assert amount_idr(500, 200, 400) == 250
