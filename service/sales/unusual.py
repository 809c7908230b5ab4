"""A price that somebody may have mistyped: it is asked about before residents get their parts."""

from collections.abc import Sequence

from service.errors import FieldProblem, Malformed, in_words
from service.sales.division import Portion

ORDINARY_IDR = 1_000_000
"""Nobody is asked about a sale up to this: a few goods may well be worth much."""
MANY_TIMES = 10
"""What residents are promised is less than buyers pay, but never so much less."""


class UnusualSale(Malformed):
    english = (
        "This is unusually much for these goods, and nothing was sold yet. A sale can be taken"
        " back, but not what residents were paid out of it. If it is right, send the same once"
        " more with"
        ' "unusual_confirmed": true.'
    )
    indonesian = (
        "Ini tidak biasa mahalnya untuk barang ini, dan belum ada yang terjual. Penjualan dapat"
        " dikoreksi, tetapi uang yang sudah dicairkan warga tidak dapat ditarik kembali. Bila"
        " benar, kirim ulang yang sama dengan"
        ' "unusual_confirmed": true.'
    )


def check_usual(
    amount_idr: int, grams: int, portions: Sequence[Portion], *, confirmed: bool
) -> None:
    """Ask once whether so much was meant. Raises UnusualSale, unless that is confirmed.

    Residents' goods are among these grams. Of goods of the bank's own nothing goes to anybody,
    and nothing is asked.
    """
    promised_idr = sum(portion.due_idr for portion in portions)
    brought_idr = amount_idr * sum(portion.grams for portion in portions) // grams
    most_idr = max(ORDINARY_IDR, MANY_TIMES * promised_idr)
    if confirmed or not promised_idr or brought_idr <= most_idr:
        return
    brought, promised = in_words(brought_idr), in_words(promised_idr)
    raise UnusualSale(
        FieldProblem(
            "/amount_idr",
            f"Rp{brought} for goods that residents were promised Rp{promised} for.",
            f"Rp{in_words(brought_idr, 'id')} untuk barang yang dijanjikan"
            f" Rp{in_words(promised_idr, 'id')} kepada warga.",
        )
    )
