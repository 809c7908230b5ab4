"""What an act says of whom it moved something of."""

from uuid import uuid4

import pytest

from models.ledger import TransferKind
from service.ledger import Act, Place, chart
from service.ledger.reversing import Step

WHO, BUYER = uuid4(), uuid4()


@pytest.mark.parametrize(
    ("debit", "credit", "gives_up"),
    [
        (chart.available(WHO), chart.CASH, True),
        (chart.goods(WHO, "PET"), chart.goods_held("PET"), True),
        (chart.stock("PET"), chart.load(WHO, "PET"), True),
        (chart.PURCHASES, chart.available(WHO), False),
        (chart.load(WHO, "PET"), chart.source(WHO, "PET"), False),
        (chart.receivable(BUYER), chart.SALES, False),
    ],
    ids=["paid", "sold", "unloaded", "credited", "fetched", "owed by a buyer"],
)
def test_who_gave_something_up_gets_it_back(debit: Place, credit: Place, gives_up: bool) -> None:
    step = Step(uuid4(), TransferKind.POST, debit, credit, 1)
    act = Act(uuid4(), "act", None, None, [step])
    assert act.gave_up() == ({WHO} if gives_up else set())
