"""What is said of a field in both languages, without a request."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from service import api
from service.api.bank_statements import SourceName
from service.api.banks import Lat
from service.api.buyers import Drawer
from service.api.fields import Day, Reason
from service.api.gateways import Name as GatewayName
from service.api.gateways import TopUpInput
from service.api.wording import in_english, in_indonesian

_CUSTOM = re.compile(r'PydanticCustomError\(\s*"([a-z_]+)"')
_BOUNDS = Field(ge=date(2000, 1, 1), le=date(2100, 12, 31))
_DAYS = [TypeAdapter(Annotated[Day, _BOUNDS]), TypeAdapter(Annotated[date, _BOUNDS])]


def error_of(kind: TypeAdapter[Any], value: object) -> dict[str, Any]:
    with pytest.raises(ValidationError) as refusal:
        kind.validate_python(value)
    (error,) = refusal.value.errors()
    return dict(error)


@pytest.mark.parametrize(
    ("day", "indonesian", "english"),
    [
        ("1999-12-31", "Tidak boleh sebelum 2000-01-01.", "equal to 2000-01-01"),
        ("2101-01-01", "Tidak boleh setelah 2100-12-31.", "equal to 2100-12-31"),
    ],
)
def test_a_day_out_of_bounds_is_told_as_people_write_days(
    day: str, indonesian: str, english: str
) -> None:
    for kind in _DAYS:
        error = error_of(kind, day)
        assert in_indonesian(error) == indonesian
        assert in_english(error).endswith(english)


def test_a_top_up_from_two_places_is_refused_in_indonesian() -> None:
    both = {"amount_idr": 1, "drawer": "main", "bank_account": "bca"}
    said = in_indonesian(error_of(TypeAdapter(TopUpInput), both))
    assert said.startswith("Sebutkan salah satu saja")


def test_a_limit_has_its_thousands_apart() -> None:
    too_many = error_of(TypeAdapter(Annotated[int, Field(le=100_000_000)]), 100_000_001)
    assert in_indonesian(too_many) == "Paling banyak 100.000.000."


def test_a_bound_without_a_fraction_is_told_without_one() -> None:
    too_far = error_of(TypeAdapter(Lat), 1000)
    assert in_indonesian(too_far) == "Paling banyak 90."
    assert in_english(too_far).endswith(" 90")


@pytest.mark.parametrize(
    ("kind", "written", "indonesian"),
    [
        (TypeAdapter(Drawer), "Laci Depan", "huruf kecil, angka, dan tanda hubung"),
        (TypeAdapter(SourceName), "Bank Kami", "huruf kecil, angka, titik"),
        (TypeAdapter(GatewayName), "Bank Kami", "garis bawah"),
        (TypeAdapter(Reason), "  ", "Tidak boleh kosong"),
    ],
)
def test_a_text_of_another_form_is_told_which_is_wanted(
    kind: TypeAdapter[Any], written: str, indonesian: str
) -> None:
    error = error_of(kind, written)
    assert indonesian in in_indonesian(error)
    assert "pattern" not in in_english(error)


def test_who_sends_a_word_for_true_or_false_is_told_what_to_send() -> None:
    said = in_indonesian(error_of(TypeAdapter(bool), "iya"))
    assert said == "Harus true atau false, tanpa tanda kutip."


def test_a_body_that_is_not_said_to_be_json_is_asked_for_as_such() -> None:
    error = error_of(TypeAdapter(TopUpInput), b'{"amount_idr": 1}')
    for said in (in_indonesian(error), in_english(error)):
        assert "Content-Type: application/json" in said


def test_every_refusal_of_our_own_has_an_indonesian_sentence() -> None:
    kinds = {
        kind
        for path in Path(api.__path__[0]).glob("*.py")
        for kind in _CUSTOM.findall(path.read_text())
    }
    assert len(kinds) > 5
    assert not [kind for kind in kinds if in_indonesian({"type": kind, "msg": ""}) == ""]
