"""What is so heavy that it is asked about, and what a household just guessed too low."""

import pytest

from service.weighing.lines import Weighed
from service.weighing.unusual import UnusualWeighing, check_usual

CARRIED_GRAMS = 400_000

USUAL: dict[str, tuple[list[int], int | None]] = {
    "ten times the guess": ([10_000], 1_000),
    "fifty kilograms of a guess of one": ([50_000], 1_000),
    "five times a large guess": ([100_000], 20_000),
    "many lines of five times the guess": ([20_000] * 5, 20_000),
    "a heavy pickup, as it was listed": ([500_000], 500_000),
    "a full vehicle at the counter": ([400_000], None),
}
UNUSUAL: dict[str, tuple[list[int], int | None, str]] = {
    "a gram above fifty kilograms": ([50_001], 1_000, "/weighings/0/grams"),
    "as much in two lines": ([25_000, 25_001], 1_000, "/weighings/1/grams"),
    "more than five times the guess": ([10_000, 100_001], 20_000, "/weighings/1/grams"),
    "more than a vehicle carries": ([200_000, 200_001], 100_000, "/weighings/1/grams"),
    "more than was listed and is carried": ([500_001], 500_000, "/weighings/0/grams"),
    "too much for the counter": ([400_001], None, "/weighings/0/grams"),
}


def lines(grams: list[int]) -> list[Weighed]:
    return [Weighed("PET", "clean", one, 0, "") for one in grams]


@pytest.mark.parametrize(("grams", "listed"), USUAL.values(), ids=USUAL)
def test_what_is_usual_is_not_asked_about(grams: list[int], listed: int | None) -> None:
    check_usual(lines(grams), carried_grams=CARRIED_GRAMS, listed_grams=listed, confirmed=False)


@pytest.mark.parametrize(("grams", "listed", "pointer"), UNUSUAL.values(), ids=UNUSUAL)
def test_what_is_unusual_is_asked_about_once(
    grams: list[int], listed: int | None, pointer: str
) -> None:
    with pytest.raises(UnusualWeighing) as asked:
        check_usual(lines(grams), carried_grams=CARRIED_GRAMS, listed_grams=listed, confirmed=False)
    assert [field.pointer for field in asked.value.fields] == [pointer]
    check_usual(lines(grams), carried_grams=CARRIED_GRAMS, listed_grams=listed, confirmed=True)


def test_it_says_what_was_weighed_and_what_was_listed() -> None:
    with pytest.raises(UnusualWeighing) as asked:
        check_usual(
            lines([5_000_000]), carried_grams=5_000_000, listed_grams=4_002, confirmed=False
        )
    (field,) = asked.value.fields
    assert field.english == (
        "5,000,000 g in all; more than 50,000 g is unusual here, where 4,002 g were listed."
    )
    assert field.indonesian == (
        "Seluruhnya 5.000.000 g; lebih dari 50.000 g tidak biasa di sini, karena yang"
        " didaftarkan 4.002 g."
    )


def test_refused_goods_are_not_paid_and_not_asked_about() -> None:
    refused = [Weighed("PET", "clean", 1_000, 5_000_000, "basah")]
    check_usual(refused, carried_grams=CARRIED_GRAMS, listed_grams=1_000, confirmed=False)
