"""What an act takes is what it would have had to find there, place by place."""

from uuid import uuid4

import pytest

from models.base import utc_now
from models.ledger import TransferKind
from service.ledger import Draft, Movement, Place, chart
from service.ledger.lacking import Lack, said_of
from service.ledger.shortfall import needs_of

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


LACKS = {
    "one": [Lack(BOOK, 3_000, 5_000)],
    "whose": [Lack(BOOK, 3_000, 5_000), Lack(chart.earnings(WHO), 0, 700)],
    "several": [Lack(chart.available(uuid4()), n, 1_000) for n in range(40)],
    "pending": [Lack(chart.pending(WHO), 10, 20)],
    "grams": [Lack(STOCK, 3_000, 5_000)],
}


@pytest.mark.parametrize(
    ("which", "english", "indonesian"),
    [
        (
            "one",
            "There is Rp3,000, and this takes Rp5,000.",
            "Yang ada Rp3.000, yang diperlukan Rp5.000.",
        ),
        (
            "whose",
            "There is Rp3,000, and this takes Rp5,000. This is passbook 123456."
            " Of what the collector earned there is Rp0, and this takes Rp700.",
            "Yang ada Rp3.000, yang diperlukan Rp5.000. Ini buku tabungan 123456."
            " Upah petugas yang ada Rp0, yang diperlukan Rp700.",
        ),
        (
            "several",
            "40 passbooks have too little: Rp39,220 is missing in all.",
            "Saldo 40 buku tabungan kurang, seluruhnya Rp39.220.",
        ),
        (
            "pending",
            "Waiting for a second weighing there is Rp10, and this takes Rp20.",
            "Yang menunggu timbang ulang Rp10, yang diperlukan Rp20.",
        ),
        (
            "grams",
            "Of PET there are 3,000 g, and this takes 5,000 g.",
            "PET yang ada 3.000 g, yang diperlukan 5.000 g.",
        ),
    ],
)
def test_how_much_is_lacking_is_said_in_both_languages(
    which: str, english: str, indonesian: str
) -> None:
    numbers = {WHO: "123456"} if which == "whose" else {}
    assert said_of(LACKS[which], "en", numbers) == english
    assert said_of(LACKS[which], "id", numbers) == indonesian


def test_not_every_one_of_many_materials_is_named() -> None:
    lacks = [Lack(chart.load(WHO, f"M{n}"), 0, 5) for n in range(40)]
    said = said_of(lacks, "en", {})
    assert said.startswith("Of M0 there are 0 g, and this takes 5 g. Of M1 ")
    assert said.endswith(" Of more materials (35) there is too little.")
