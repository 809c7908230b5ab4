"""Amounts, numbers, names and statuses, there and back."""

import json
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.gateways import Order, Stage, iris_orders
from service.gateways.amounts import vat_of, whole_rupiah, with_decimals, with_vat
from service.gateways.coverage import covered, covered_by
from service.gateways.destinations import (
    AccountNotValid,
    account_number,
    fitting_account_number,
    holder_name,
    national_phone,
    plain_words,
)
from service.gateways.reading import id_in, json_in, object_in
from service.gateways.stages import (
    IRIS_DOUBTFUL,
    IRIS_PASSING,
    IRIS_STAGES,
    XENDIT_PASSING,
    XENDIT_REFUSALS,
    XENDIT_STAGES,
)

rupiah = st.integers(min_value=0, max_value=250_000_000)


@given(rupiah)
def test_an_amount_comes_back_from_any_way_of_writing_it(amount_idr: int) -> None:
    written = with_decimals(amount_idr)
    assert re.fullmatch(r"[0-9]+\.00", written)
    assert whole_rupiah(written) == amount_idr
    assert whole_rupiah(written[:-1]) == amount_idr
    assert whole_rupiah(str(amount_idr)) == amount_idr
    for text in (f"{amount_idr}", f"{amount_idr}.0", f"{amount_idr}e0"):
        assert whole_rupiah(json_in(text.encode())) == amount_idr


@given(rupiah, st.integers(min_value=1, max_value=99))
def test_a_part_of_a_rupiah_is_no_amount(amount_idr: int, cents: int) -> None:
    text = f"{amount_idr}.{cents:02}"
    assert whole_rupiah(text) is None
    assert whole_rupiah(Decimal(text)) is None


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, -1, 1.0, [], {}),
        *("", "-1", "1,000", "1.000", "1e3", " 1", "1\n", "١", "9" * 16),
        *map(Decimal, ("NaN", "Infinity", "1E+999999", "-1")),
    ],
)
def test_what_is_no_amount(value: object) -> None:
    assert whole_rupiah(value) is None


@given(rupiah, st.integers(min_value=0, max_value=1000))
def test_vat_is_rounded_half_up(fee_idr: int, permille: int) -> None:
    assert 2 * 1000 * vat_of(fee_idr, permille) - 2 * fee_idr * permille in range(-999, 1001)
    assert with_vat(2_500, 110) == 2_775


@given(st.from_regex(r"8[0-9]{7,12}", fullmatch=True), st.sampled_from(["+62", "62", "0", ""]))
def test_a_wallet_has_a_national_number_however_it_was_written(own: str, before: str) -> None:
    written = f"{before}{own[:3]}-{own[3:6]} {own[6:]}"
    assert account_number(covered()["DANA"], written) == f"0{own}"
    assert national_phone(f"0{own}") == f"0{own}"


@pytest.mark.parametrize(
    "text", ["", "0218001234", "+6581234567", "0812", "08123456789O", "٠٨١٢٣٤٥٦٧٨"]
)
def test_what_is_no_wallet(text: str) -> None:
    with pytest.raises(AccountNotValid):
        account_number(covered()["GOPAY"], text)


@given(st.text(alphabet="0123456789", min_size=4, max_size=34))
def test_an_account_keeps_every_digit(digits: str) -> None:
    spaced = " ".join(re.findall(".{1,4}", digits))
    assert account_number(covered()["BRI"], spaced) == digits


@pytest.mark.parametrize("text", ["12 34 5", "12345678901", "123456789a", "１２３４５６７８９０"])
def test_an_account_that_its_bank_cannot_have(text: str) -> None:
    with pytest.raises(AccountNotValid) as refusal:
        fitting_account_number(covered()["BCA"], text)
    assert text not in str(refusal.value)


@pytest.mark.parametrize(
    ("code", "digits"),
    [
        ("BCA", "0011223344"),
        ("BNI", "00010000"),
        ("BRI", "111112222233333"),
        ("MANDIRI", "1111222233333"),
        ("GOPAY", "08123450000"),
    ],
)
def test_accounts_that_the_gateways_document_are_fitting(code: str, digits: str) -> None:
    assert fitting_account_number(covered()[code], digits) == digits


@given(st.text(max_size=200), st.integers(min_value=1, max_value=120))
def test_names_are_short_and_on_one_line(text: str, most: int) -> None:
    for name in (holder_name(text, most=most), plain_words(text, most=most)):
        assert len(name) <= most
        assert name == " ".join(name.split())
        assert name.isprintable()
    assert re.fullmatch(r"[A-Za-z0-9 ]*", plain_words(text))
    holder_name(text).encode()


def test_names_stay_as_they_are_said() -> None:
    assert holder_name("  Siti \n Nur’aini, S.Pd. ") == "Siti Nur’aini, S.Pd."
    assert plain_words("José  Nur’aini, S.Pd.") == "Jose Nur aini S Pd"


def test_every_documented_status_has_its_stage() -> None:
    ends = {"SUCCEEDED": Stage.PAID, "REVERSED": Stage.REVERSED, "CANCELLED": Stage.CANCELLED}
    ends |= dict.fromkeys(("FAILED", "COMPLIANCE_REJECTED", "EXPIRED"), Stage.FAILED)
    waiting = ("ACCEPTED", "REQUESTED", "PENDING_COMPLIANCE_ASSESSMENT", "READY", "LOCKED")
    assert ends | dict.fromkeys(waiting, Stage.SENT) == XENDIT_STAGES
    assert IRIS_STAGES == {
        "queued": Stage.SENT,
        "approved": Stage.SENT,
        "processed": Stage.SENT,
        "completed": Stage.PAID,
        "failed": Stage.FAILED,
        "rejected": Stage.FAILED,
    }


def test_what_is_tried_again_is_neither_refused_nor_doubtful() -> None:
    assert not XENDIT_PASSING & XENDIT_REFUSALS
    assert not IRIS_PASSING & IRIS_DOUBTFUL


def test_every_gateway_code_stands_for_one_of_ours() -> None:
    assert len(covered_by("xendit")) == len(covered()) == 14
    assert covered_by("xendit")["ID_SHOPEEPAY"].code == "SHOPEEPAY"
    assert {one.code for one in covered_by("iris").values() if one.is_wallet} == {"GOPAY"}
    for one in covered().values():
        assert 1 <= one.minimum_idr < one.maximum_idr
        assert one.shortest <= one.longest


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_not(raw: bytes) -> None:
    assert isinstance(object_in(raw), dict)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_what_is_json_is_read(value: object) -> None:
    assert json_in(json.dumps(value).encode()) == value


@pytest.mark.parametrize("raw", [b"[" * 100_000, b"NaN", b"-Infinity", b"9" * 5_000, b"\xff", b""])
def test_what_no_gateway_may_write_is_nothing(raw: bytes) -> None:
    assert json_in(raw) is None


@pytest.mark.parametrize("value", ["", "..", "a/b", "a b", "\ud800", "a\n", "x" * 101, 7, None])
def test_ids_have_a_form(value: object) -> None:
    assert id_in({"id": value}, "id") == ""
    assert id_in({"id": "disb-7f3a_1.2"}, "id") == "disb-7f3a_1.2"


@given(st.text(max_size=120), st.from_regex(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?", fullmatch=True))
def test_iris_keeps_our_key_in_its_notes(description: str, key: str) -> None:
    payout = Order(key, "BCA", "0011223344", "Siti", 10_000, description)
    written = iris_orders.notes(payout)
    assert re.fullmatch(r"[A-Za-z0-9 ]{1,100}", written)
    assert written.split(" ")[-1] == key.replace("-", "")


def test_lines_of_a_statement_that_may_be_ours() -> None:
    payout = Order("k-1", "BCA", "001-122-3344", "Siti", 10_000, "")
    fits = {"reference_no": "a", "amount": "10000.00", "beneficiary_account": "0011223344"}
    lines: list[object] = [
        fits,
        fits,
        {"reference_no": "b", "amount": "10000.0"},
        {**fits, "reference_no": "c", "amount": "10001.00"},
        {**fits, "reference_no": "d", "beneficiary_account": "0011223345"},
        {**fits, "reference_no": "../e"},
        {"amount": "10000.00"},
        None,
    ]
    assert iris_orders.fitting(payout, lines) == ["a", "b"]
