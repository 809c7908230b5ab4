"""What an act takes is what it would have had to find there, place by place."""

from uuid import uuid4

import pytest

from models.base import utc_now
from models.ledger import TransferKind
from service.ledger import Draft, Movement, Place, chart
from service.ledger.shortfall import Lack, needs_of

WHO = uuid4()
BOOK, STOCK = chart.available(WHO), chart.stock("PET")
SOLD = chart.residue("PET")


def act(*moves: tuple[Place, Place, int], kind: TransferKind = TransferKind.POST) -> Draft:
    movements = [Movement(str(uuid4()), *move, kind) for move in moves]
    return Draft("act", movements, utc_now())


@pytest.mark.parametrize(
    ("draft", "needs"),
    [
        (act((BOOK, chart.CASH, 700), (BOOK, chart.CASH, 300)), {BOOK: 1_000}),
        (act((BOOK, chart.CASH, 700), (chart.CASH, BOOK, 300)), {BOOK: 400}),
        (act((chart.CASH, BOOK, 700)), {}),
        (act((SOLD, STOCK, 5_000)), {STOCK: 5_000}),
        (act((BOOK, chart.CASH, 700), kind=TransferKind.HOLD), {BOOK: 700}),
        (act((BOOK, chart.CASH, 700), kind=TransferKind.SETTLE), {}),
    ],
    ids=["twice", "and back", "comes in", "grams", "held", "held before"],
)
def test_only_what_is_taken_is_needed(draft: Draft, needs: dict[Place, int]) -> None:
    assert needs_of([draft]) == needs


def test_grams_are_said_of_their_material() -> None:
    lack = Lack(STOCK, 3_000, 5_000)
    assert lack.said("en") == "Of PET there are 3,000 g, and this takes 5,000 g."
    assert lack.said("id") == "PET yang ada 3.000 g, yang diperlukan 5.000 g."
