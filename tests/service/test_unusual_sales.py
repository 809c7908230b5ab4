"""What residents' goods hardly ever bring is asked about, and nothing else."""

from uuid import uuid4

import pytest

from service.sales.division import Portion
from service.sales.unusual import UnusualSale, check_usual

GOODS = [
    Portion(uuid4(), uuid4(), None, 1_000, 250_000),
    Portion(uuid4(), uuid4(), None, 500, 50_000),
]


@pytest.mark.parametrize(
    ("amount_idr", "grams", "portions"),
    [
        (3_000_000, 1_500, GOODS),
        (6_000_000, 3_000, GOODS),
        (1_000_000, 1_500, [GOODS[0]._replace(due_idr=2_500)]),
        (10**12, 1_500, []),
        (10**12, 1_500, [GOODS[0]._replace(due_idr=0)]),
    ],
    ids=["ten times what was promised", "half is the bank's own", "not much", "no lot", "no price"],
)
def test_what_is_usual_is_not_asked_about(
    amount_idr: int, grams: int, portions: list[Portion]
) -> None:
    check_usual(amount_idr, grams, portions, confirmed=False)


@pytest.mark.parametrize(("amount_idr", "grams"), [(3_000_001, 1_500), (6_000_002, 3_000)])
def test_what_is_unusual_is_asked_about_once(amount_idr: int, grams: int) -> None:
    with pytest.raises(UnusualSale) as asked:
        check_usual(amount_idr, grams, GOODS, confirmed=False)
    (field,) = asked.value.fields
    assert field.english == "Rp3,000,001 for goods that residents were promised Rp300,000 for."
    assert field.indonesian == "Rp3.000.001 untuk barang yang dijanjikan Rp300.000 kepada warga."
    check_usual(amount_idr, grams, GOODS, confirmed=True)
