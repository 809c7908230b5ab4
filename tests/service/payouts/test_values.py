"""What needs no database: offers, limits, account numbers, names, and when a batch leaves."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some

from models.bank import Policy
from models.payout import FeeBy, PayoutChannel, PayoutMethod
from service.payouts import ChannelNotOffered, FeeTooHigh, PayoutTooLarge, PayoutTooSmall
from service.payouts.channels import Hurdle, chosen, offer_of, ranked
from service.payouts.deciding import next_batch
from service.payouts.destinations import DestinationNotValid, account_number, masked
from service.payouts.upkeep import same_name

BANK, WALLET, CASH = PayoutMethod.BANK, PayoutMethod.EWALLET, PayoutMethod.CASH


def way(code: str = "BCA", fee: int = 2_775, low: int = 1, high: int = 10**8) -> PayoutChannel:
    return PayoutChannel(
        bank_id=uuid4(),
        gateway="gate",
        code=code,
        name=code,
        is_wallet=code == "DANA",
        minimum_idr=low,
        maximum_idr=high,
        fee_idr=fee,
    )


def rules(**changes: Any) -> Policy:
    usual: dict[str, Any] = {"min_payout_idr": 1_000, "payout_fee_permille": 1_000}
    return Policy(bank_id=uuid4(), **usual | changes)


def test_a_fee_of_the_banks_leaves_the_amount_whole() -> None:
    offer = offer_of(way(), rules(), 50_000)
    assert (offer.receives_idr, offer.fee_idr, offer.hurdle) == (50_000, 2_775, Hurdle.NONE)


def test_a_fee_of_the_residents_is_taken_out_of_the_amount() -> None:
    offer = offer_of(way(low=10_000), rules(payout_fee_by="resident"), 12_774)
    assert (offer.receives_idr, offer.hurdle) == (9_999, Hurdle.TOO_SMALL)
    assert offer_of(way(low=10_000), rules(payout_fee_by="resident"), 12_775).hurdle == Hurdle.NONE


@pytest.mark.parametrize(("amount", "hurdle"), [(55_499, Hurdle.FEE_TOO_HIGH), (55_500, "")])
def test_a_fee_is_at_most_so_much_of_the_amount(amount: int, hurdle: str) -> None:
    assert offer_of(way(), rules(payout_fee_permille=50), amount).hurdle == hurdle


@given(some.integers(1, 10**6), some.integers(0, 1_000), some.integers(1, 10**9))
def test_no_open_way_costs_more_than_the_rules_allow(fee: int, most: int, amount: int) -> None:
    offer = offer_of(way(fee=fee), rules(payout_fee_permille=most), amount)
    if offer.hurdle == Hurdle.NONE and most < 1_000:
        assert fee * 1_000 <= most * amount
    if offer.hurdle == Hurdle.FEE_TOO_HIGH:
        assert fee * 1_000 > most * amount


@given(
    some.integers(1, 10**9),
    some.integers(0, 10**5),
    some.sampled_from(FeeBy),
    some.integers(1, 10**7),
)
def test_what_arrives_and_what_it_costs_are_what_leaves(
    amount: int, fee: int, fee_by: FeeBy, low: int
) -> None:
    offer = offer_of(way(fee=fee, low=low), rules(payout_fee_by=fee_by), amount)
    if offer.hurdle == Hurdle.NONE:
        share = fee if fee_by == FeeBy.RESIDENT else 0
        assert offer.receives_idr + share == amount
        assert offer.receives_idr >= low


def test_the_cheapest_open_way_stands_first() -> None:
    ways = [
        offer_of(one, rules(), 50_000)
        for one in (way("BCA", 2_775), way("DANA", 1_000), way("BRI", 0, low=60_000))
    ]
    assert [one.channel_code for one in ranked(ways)] == ["DANA", "BCA", "BRI"]


def test_the_cheapest_of_two_gateways_is_chosen() -> None:
    dear, cheap = way("BCA", 2_775), way("BCA", 1_500)
    cheap.gateway = "other"
    ways = ranked(offer_of(one, rules(), 50_000) for one in (dear, cheap))
    assert chosen(ways, BANK, "BCA").gateway == "other"


@pytest.mark.parametrize(
    ("code", "amount", "problem"),
    [
        ("BRI", 50_000, ChannelNotOffered),
        ("DANA", 50_000, ChannelNotOffered),
        ("BCA", 500, PayoutTooSmall),
        ("BCA", 10**8 + 1, PayoutTooLarge),
        ("BCA", 20_000, FeeTooHigh),
    ],
)
def test_what_is_not_open_is_refused_by_name(
    code: str, amount: int, problem: type[Exception]
) -> None:
    ways = [offer_of(way(), rules(payout_fee_permille=100), amount)]
    with pytest.raises(problem):
        chosen(ways, BANK, code)


@pytest.mark.parametrize(
    ("method", "written", "number"),
    [
        (BANK, "123-456 7890", "1234567890"),
        (BANK, "00010000", "00010000"),
        (WALLET, "0812-3456-7890", "+6281234567890"),
        (WALLET, "+62 812 3456 7890", "+6281234567890"),
    ],
)
def test_accounts_are_written_in_many_ways(method: PayoutMethod, written: str, number: str) -> None:
    assert account_number(method, written) == number


@pytest.mark.parametrize(
    ("method", "written"),
    [(BANK, "1234"), (BANK, "12a45678"), (BANK, "1" * 21), (BANK, "١٢٣٤٥٦"), (WALLET, "12345")],
)
def test_what_is_no_account_is_refused(method: PayoutMethod, written: str) -> None:
    with pytest.raises(DestinationNotValid):
        account_number(method, written)


@given(some.text(max_size=40), some.sampled_from([BANK, WALLET]))
def test_any_text_is_an_account_or_refused(written: str, method: PayoutMethod) -> None:
    try:
        number = account_number(method, written)
    except DestinationNotValid:
        return
    assert number.removeprefix("+").isascii()
    assert number.removeprefix("+").isdigit()


@pytest.mark.parametrize(
    ("number", "shown"), [("1234567890", "••••••7890"), ("12", "12"), ("", "")]
)
def test_others_see_the_last_digits(number: str, shown: str) -> None:
    assert masked(number) == shown


@pytest.mark.parametrize(
    ("given", "found", "same"),
    [
        ("Siti Aminah", "SITI AMINAH", True),
        ("Siti Nur'aini", "NURAINI SITI", True),
        ("Siti Nur Aini", "SITI NUR AINI BINTI ALI", True),
        ("M. Yusuf", "MUHAMMAD YUSUF", True),
        ("Siti Aminah", "BUDI SANTOSO", False),
        ("Siti Aminah", "SITI RAHAYU", False),
        ("Siti Nur", "SITI NURHALIZA", False),
        ("", "SITI", False),
    ],
)
def test_spellings_of_a_name(given: str, found: str, same: bool) -> None:
    assert same_name(given, found) == same


@pytest.mark.parametrize(
    ("now", "leaves"),
    [
        ("2026-11-28T05:00:00Z", "2026-12-04T02:00:00Z"),  # a Saturday: next Friday, 9 in Medan
        ("2026-12-04T01:59:00Z", "2026-12-04T02:00:00Z"),
        ("2026-12-04T02:00:00Z", "2026-12-04T02:00:00Z"),
        ("2026-12-04T02:00:01Z", "2026-12-11T02:00:00Z"),
        ("2026-12-03T18:00:00Z", "2026-12-04T02:00:00Z"),  # there it is Friday already
    ],
)
def test_a_batch_leaves_on_its_day(now: str, leaves: str) -> None:
    instant = datetime.fromisoformat(now)
    assert next_batch(5, "Asia/Jakarta", instant) == datetime.fromisoformat(leaves).astimezone(UTC)
