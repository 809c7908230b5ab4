"""What says who somebody is does not get into a line of the log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base import new_id
from service.observing import without_people
from service.observing.masking import without_numbers

TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("call +6281234567890 now", "call [phone] now"),
        ("call 0812-3456-7890", "call [phone]"),
        ("to=62 812 3456 7890,", "to=[phone],"),
        ("NIK 1207260101900003", "NIK [number]"),
        ("account 1370012345678 of BCA", "account [number] of BCA"),
        (f"Authorization: Bearer {TOKEN}", "Authorization: Bearer [token]"),
        (f"token {TOKEN}", "token [token]"),
        ("siti@contoh.id wrote", "[e-mail] wrote"),
        ("GET /v1/banks?lat=3.5621&lon=98.8731", "GET /v1/banks?lat=[place]&lon=[place]"),
        ('{"lat": -3.5, "lon": 98}', '{"lat": [place], "lon": [place]}'),
        ("near 3.5621, 98.8731", "near [place]"),
        ("input_value='Siti', input_type=str", "input_value=…, input_type=str"),
    ],
)
def test_what_is_personal_is_masked(said: str, masked: str) -> None:
    assert without_people(said) == masked


@pytest.mark.parametrize(
    "said",
    [
        "payout_late 3 of 12",
        "paid Rp18.802 in 1.25 s",
        "2026-11-28T10:15:00Z",
        "409 POST /v1/pickups",
    ],
)
def test_what_is_not_stays(said: str) -> None:
    assert without_people(said) == said


def test_ids_stay_since_they_find_the_thing() -> None:
    for _ in range(200):
        said = f"sealing_refused {new_id()}"
        assert without_people(said) == said


@given(st.integers(10**6, 10**9 - 1), st.sampled_from(["+628{}1", "08{}1", "0 8{}1", "628{}1"]))
def test_no_phone_comes_through_however_it_is_written(number: int, form: str) -> None:
    phone = form.format(f"1{number}")
    assert phone not in without_people(f"no answer from {phone}.")


def test_what_is_written_for_good_loses_numbers_of_people_and_keeps_references() -> None:
    said = "Bu Siti, 0812-3456-7890, NIK 1207260101900003, TRF 202611280001"
    assert without_numbers(said) == "Bu Siti, [phone], NIK [number], TRF 202611280001"
