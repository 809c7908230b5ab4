"""A price list is read whole or not at all, and says of every bad cell what is wrong."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from models.material import Condition
from models.price import Channel
from service.prices.importing import (
    NewPriceRow,
    PriceFileNotReadable,
    instant_of,
    read_prices,
)
from service.sheets import MOST_ROWS

KNOWN = {"PET-BNG-B", "HVS", "TMBG"}
HEADER = "material,condition,channel,price_idr"
JAKARTA = ZoneInfo("Asia/Jakarta")


def places_of(text: str) -> list[str]:
    with pytest.raises(PriceFileNotReadable) as caught:
        read_prices(text, KNOWN)
    return [field.pointer for field in caught.value.fields]


def price_of(cell: str) -> int | None:
    (row,) = read_prices(f'{HEADER}\nHVS,clean,pickup,"{cell}"\n', KNOWN)
    return row.price_idr


def test_a_row_becomes_a_price() -> None:
    rows = read_prices(f"{HEADER}\nHVS,clean,pickup,1500\n", KNOWN)
    assert rows == [NewPriceRow(2, "HVS", Condition.CLEAN, Channel.PICKUP, 1500, None)]


@pytest.mark.parametrize(
    "cell",
    ["1500", "1.500", "Rp1.500", "Rp 1.500", "rp. 1.500", "1.500,-", "Rp1.500,00", "01500"],
)
def test_a_price_may_be_written_as_people_do(cell: str) -> None:
    assert price_of(cell) == 1500


def test_a_price_may_be_nothing_or_end_the_buying() -> None:
    assert price_of("0") == 0
    assert price_of("") is None


@pytest.mark.parametrize(
    "cell",
    ["1,500", "1500.00", "1.5", "15.00", "-5", "1 500", "abc", "Rp", "1e3", "٣", "9" * 5_000],
)
def test_what_could_be_misread_is_no_price(cell: str) -> None:
    assert places_of(f'{HEADER}\nHVS,clean,pickup,"{cell}"\n') == ["/2/price_idr"]


def test_an_empty_condition_is_clean() -> None:
    (row,) = read_prices(f"{HEADER}\nHVS,,pickup,1\n", KNOWN)
    assert row.condition == Condition.CLEAN


def test_columns_come_in_any_order_and_case_with_semicolons_and_a_byte_order_mark() -> None:
    text = "\ufeffPrice_IDR; Channel;material;condition\r\nRp1.500;dropoff;hvs;DIRTY\r\n"
    (row,) = read_prices(text, KNOWN)
    assert row == NewPriceRow(2, "HVS", Condition.DIRTY, Channel.DROPOFF, 1500, None)


def test_empty_lines_are_passed_by_and_lines_keep_their_numbers() -> None:
    text = f"{HEADER}\n\nHVS,clean,pickup,1\n,,,\nTMBG,clean,pickup,2\n\n"
    assert [row.line for row in read_prices(text, KNOWN)] == [3, 5]


def test_every_bad_cell_is_named() -> None:
    text = f"{HEADER},valid_from\nXX,wet,truck,dear,soon\nHVS,clean,pickup,1,\n,,,5,\n"
    assert places_of(text) == [
        "/2/material",
        "/2/condition",
        "/2/channel",
        "/2/price_idr",
        "/2/valid_from",
        "/4/material",
        "/4/channel",
    ]


def test_problems_are_told_in_both_languages() -> None:
    with pytest.raises(PriceFileNotReadable) as caught:
        read_prices(f"{HEADER}\nXX,clean,pickup,1\n", KNOWN)
    (field,) = caught.value.fields
    assert field.detail("en") == "There is no material XX."
    assert field.detail("id") == "Jenis sampah XX tidak dikenal."


def test_the_same_price_twice_is_refused_also_in_other_case() -> None:
    text = f"{HEADER}\nHVS,clean,pickup,1\nTMBG,clean,pickup,1\nhvs,Clean,pickup,2\n"
    assert places_of(text) == ["/4/material"]


def test_bad_lines_are_told_in_their_order() -> None:
    text = f"{HEADER}\nHVS,clean,pickup,1\nHVS,clean,pickup,2\nHVS,clean,truck,1\n"
    assert places_of(text) == ["/3/material", "/4/channel"]


def test_one_price_may_be_followed_by_another_from_a_later_day() -> None:
    text = f"{HEADER},valid_from\nHVS,clean,pickup,1,2026-12-01\nHVS,clean,pickup,2,2027-01-01\n"
    assert [row.price_idr for row in read_prices(text, KNOWN)] == [1, 2]


@pytest.mark.parametrize(
    ("header", "places"),
    [
        ("material,condition,channel", ["/1/price_idr"]),
        (f"{HEADER},colour", ["/1/colour"]),
        (f"{HEADER},channel", ["/1/channel"]),
        ("HVS,clean,pickup,1500", ["/1/material", "/1/channel", "/1/price_idr"]),
        ("", ["/1/material", "/1/channel", "/1/price_idr"]),
    ],
)
def test_the_header_is_needed_and_has_known_columns_once(header: str, places: list[str]) -> None:
    assert places_of(f"{header}\nHVS,clean,pickup,1500\n")[: len(places)] == places


def test_a_file_without_prices_is_refused() -> None:
    assert places_of(HEADER) == ["/1"]


def test_a_thousands_comma_that_splits_a_cell_is_noticed() -> None:
    assert places_of(f"{HEADER}\nHVS,clean,pickup,1,500\n") == ["/2"]


def test_a_quote_that_never_ends_is_no_csv_or_no_price() -> None:
    assert places_of(f'{HEADER}\nHVS,clean,pickup,"15\nTMBG,clean,pickup,1\n')


def test_too_many_rows_are_refused() -> None:
    days = (datetime(2027, 1, 1, tzinfo=UTC).timestamp() + n for n in range(MOST_ROWS + 1))
    lines = [f"HVS,clean,pickup,1,{datetime.fromtimestamp(day, UTC).isoformat()}" for day in days]
    assert len(read_prices("\n".join([f"{HEADER},valid_from", *lines[:-1]]), KNOWN)) == MOST_ROWS
    assert places_of("\n".join([f"{HEADER},valid_from", *lines])) == [f"/{MOST_ROWS + 2}"]


def test_too_large_a_file_is_refused() -> None:
    assert places_of(HEADER + "\n" * 1_000_001) == ["/1"]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-12-01", datetime(2026, 11, 30, 17, tzinfo=UTC)),
        ("2026-12-01T08:00", datetime(2026, 12, 1, 1, tzinfo=UTC)),
        ("2026-12-01 08:00", datetime(2026, 12, 1, 1, tzinfo=UTC)),
        ("2026-12-01T08:00:00Z", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        ("2026-12-01T08:00+08:00", datetime(2026, 12, 1, 0, tzinfo=UTC)),
    ],
)
def test_an_instant_without_a_zone_is_of_the_bank(text: str, instant: datetime) -> None:
    assert instant_of(text, JAKARTA) == instant
