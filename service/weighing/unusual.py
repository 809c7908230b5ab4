"""So much on the scale that somebody may have mistyped it: it is asked about before it is paid."""

from collections.abc import Sequence

from service.errors import FieldProblem, Malformed, in_words
from service.weighing.lines import Weighed

ORDINARY_LINE_GRAMS = 50_000
"""Nobody is asked about a line up to this: households guess, and guess too little."""
MANY_TIMES = 5
"""A line above that many times all that was listed is unusual."""


class UnusualWeighing(Malformed):
    english = (
        "This is unusually heavy, and nothing was credited yet. Look at the scale again. If it is"
        ' right, send the same once more with "unusual_confirmed": true.'
    )
    indonesian = (
        "Berat ini tidak biasa, dan belum ada yang dicatat. Periksa timbangan sekali lagi. Bila"
        ' benar, kirim ulang yang sama dengan "unusual_confirmed": true.'
    )
    # Whoever was asked holds the job meanwhile.
    keeps_changes = True


def check_usual(
    weighed: Sequence[Weighed],
    *,
    carried_grams: int,
    listed_grams: int | None = None,
    confirmed: bool,
) -> None:
    """Ask once whether so much was meant. Raises UnusualWeighing, unless that is confirmed.

    `listed_grams` is all that the household listed, None if nothing was listed beforehand;
    `carried_grams` is what a vehicle of the bank carries. Only grams that are paid count.
    """
    far_above = [] if listed_grams is None else _far_above(weighed, listed_grams)
    unusual = far_above + _too_much(weighed, max(carried_grams, listed_grams or 0))
    if unusual and not confirmed:
        raise UnusualWeighing(*unusual)


def _far_above(weighed: Sequence[Weighed], listed_grams: int) -> list[FieldProblem]:
    most = max(ORDINARY_LINE_GRAMS, MANY_TIMES * listed_grams)
    return [
        FieldProblem(
            f"/weighings/{number}/grams",
            f"{in_words(line.grams)} g, where {in_words(listed_grams)} g were listed in all.",
            f"{in_words(line.grams, 'id')} g, padahal seluruhnya didaftarkan"
            f" {in_words(listed_grams, 'id')} g.",
        )
        for number, line in enumerate(weighed)
        if line.grams > most
    ]


def _too_much(weighed: Sequence[Weighed], most: int) -> list[FieldProblem]:
    total = sum(line.grams for line in weighed)
    if total <= most:
        return []
    return [
        FieldProblem(
            "/weighings",
            f"{in_words(total)} g in all; more than {in_words(most)} g is unusual here.",
            f"Seluruhnya {in_words(total, 'id')} g; lebih dari {in_words(most, 'id')} g tidak"
            " biasa di sini.",
        )
    ]
