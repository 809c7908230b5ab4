"""Matching without a database: every planted fault found, nothing else, whatever the order."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.payout import PayoutStatus
from models.reconciliation import LineType
from service.reconciliation.facts import Limits, Line, Outcome, Sent, keys_in, same_account
from service.reconciliation.matching import Covered, reconcile
from tests.reconciling import COVERED, FAULTS, FIRST, GATEWAY, LAST, Month, a_month, faultless


def found_in(month: Month, lines: Sequence[Line] | None = None) -> Outcome:
    return reconcile(GATEWAY, month.lines if lines is None else lines, month.payouts, COVERED)


def a_fault(name: str) -> Month:
    """A month with this fault and some payouts without any."""
    month = Month(random.Random(name))
    FAULTS[name](month)
    for _ in range(5):
        faultless(month)
    return month


@pytest.mark.parametrize("name", list(FAULTS))
def test_each_fault_is_found_and_nothing_else(name: str) -> None:
    month = a_fault(name)
    assert month.as_found(found_in(month)) == (month.matches, month.cases)


@pytest.mark.parametrize("seed", range(10))
def test_a_month_with_every_fault_has_all_of_them_and_no_other(seed: int) -> None:
    month = a_month(seed)
    matches, cases = month.as_found(found_in(month))
    assert matches == month.matches
    assert cases == month.cases


@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_the_order_of_the_file_changes_nothing(seed: int, chance: random.Random) -> None:
    month = a_month(seed, sound=10, of_each=1)
    lines, payouts = list(month.lines), list(month.payouts)
    before = found_in(month)
    chance.shuffle(lines)
    chance.shuffle(payouts)
    after = reconcile(GATEWAY, lines, payouts, COVERED)
    assert Counter(after.matches) == Counter(before.matches)
    assert Counter(after.cases) == Counter(before.cases)


@given(st.integers(0, 2**32))
def test_every_line_is_matched_or_in_a_case(seed: int) -> None:
    month = a_month(seed, sound=5, of_each=1)
    outcome = found_in(month)
    handled = {m.line for m in outcome.matches} | {c.line for c in outcome.cases}
    assert {line.number for line in month.lines} <= handled
    legs = [(m.payout_id, m.leg) for m in outcome.matches]
    assert len(set(legs)) == len(legs)


def paid(month: Month) -> tuple[Sent, Line]:
    sent, out, *_ = month.pay()
    month.payouts[-1] = sent = sent._replace(fee_idr=0)
    return sent, out


def kinds(outcome: Outcome) -> list[tuple[str, str]]:
    return [(str(case.kind), case.why) for case in outcome.cases]


@pytest.fixture
def month() -> Month:
    return Month(random.Random(1))


def test_an_amount_alone_never_matches(month: Month) -> None:
    _, out = paid(month)
    month.state(out._replace(reference="TRSF", gateway_id="", external_id="x", account_number=""))
    outcome = found_in(month)
    assert not outcome.matches
    assert kinds(outcome) == [("missing_here", "not_ours"), ("missing_at_gateway", "silent")]


def test_amount_account_and_time_are_a_proposal_if_nothing_else_would_do(month: Month) -> None:
    sent, out = paid(month)
    month.state(out._replace(reference="TRSF", gateway_id="", external_id="x"))
    outcome = found_in(month)
    (case,) = outcome.cases
    assert (case.kind, case.why, case.proposed) == ("missing_here", "looks_like", "match")
    assert case.payout_id == sent.id
    assert not outcome.matches


def test_two_that_would_do_are_no_proposal(month: Month) -> None:
    sent, out = paid(month)
    twin = sent._replace(id=month.pay()[0].id, key="payout-twin", gateway_id="disb-twin")
    month.payouts[-1] = twin
    month.state(out._replace(reference="TRSF", gateway_id="", external_id="x"))
    assert kinds(found_in(month))[0] == ("missing_here", "not_ours")


def test_two_lines_that_would_do_are_no_proposal(month: Month) -> None:
    _, out = paid(month)
    bare = out._replace(reference="TRSF", gateway_id="")
    month.state(bare._replace(external_id="x"), bare._replace(external_id="y"))
    assert ("missing_here", "looks_like") not in kinds(found_in(month))


@pytest.mark.parametrize("days", [-1, 4])
def test_outside_of_the_window_is_no_proposal(month: Month, days: int) -> None:
    _, out = paid(month)
    at = out.booked_at + timedelta(days=days)
    bare = out._replace(reference="", gateway_id="", external_id="x")
    month.state(bare._replace(booked_at=at, booked_until=at))
    assert ("missing_here", "looks_like") not in kinds(found_in(month))


def test_the_gateways_id_alone_finds_the_payout(month: Month) -> None:
    sent, out = paid(month)
    month.state(out._replace(reference=""))
    (match,) = found_in(month).matches
    assert (match.payout_id, match.rule) == (sent.id, "gateway_id")


def test_a_payout_that_nobody_is_sure_of_is_unknown_while_the_statement_is_silent(
    month: Month,
) -> None:
    sent, _ = paid(month)
    month.payouts[-1] = sent._replace(status=PayoutStatus.UNKNOWN)
    assert kinds(found_in(month)) == [("unknown", "silent")]


def test_nothing_is_missing_before_its_time(month: Month) -> None:
    sent, _ = paid(month)
    assert sent.sent_at
    soon = Covered(FIRST, sent.sent_at + timedelta(hours=23))
    assert not reconcile(GATEWAY, [], month.payouts, soon).cases
    later = Covered(sent.sent_at + timedelta(seconds=1), LAST)
    assert not reconcile(GATEWAY, [], month.payouts, later).cases


def test_what_was_matched_before_is_double_when_it_comes_again(month: Month) -> None:
    sent, out = paid(month)
    month.payouts[-1] = sent._replace(legs=frozenset({"out"}))
    month.state(out)
    assert kinds(found_in(month)) == [("duplicate", "again")]


def test_a_failed_payout_that_left_and_came_back_is_right(month: Month) -> None:
    sent, out = paid(month)
    month.payouts[-1] = sent._replace(status=PayoutStatus.FAILED)
    back = out._replace(kind=LineType.OUT_BACK, amount_idr=-out.amount_idr)
    month.state(out, back)
    outcome = found_in(month)
    assert [m.rule for m in outcome.matches] == ["returned", "returned"]
    assert not outcome.cases


def test_a_failed_payout_that_left_is_a_case(month: Month) -> None:
    sent, out = paid(month)
    month.payouts[-1] = sent._replace(status=PayoutStatus.FAILED)
    month.state(out)
    assert kinds(found_in(month)) == [("unknown", "we_say_not_sent")]


def test_a_reversal_that_our_book_knows_is_matched(month: Month) -> None:
    sent, out = paid(month)
    month.payouts[-1] = sent._replace(status=PayoutStatus.REVERSED)
    back = out._replace(kind=LineType.IN, external_id="b", amount_idr=-out.amount_idr)
    month.state(out, back)
    outcome = found_in(month)
    assert [m.rule for m in outcome.matches] == ["reference", "reversal"]
    assert not outcome.cases


def test_a_payout_of_another_gateway_is_in_doubt(month: Month) -> None:
    sent, out = paid(month)
    month.payouts[-1] = sent._replace(gateway="iris")
    month.state(out)
    assert kinds(found_in(month)) == [("unknown", "other_gateway")]


def test_a_fee_that_was_quoted_and_not_taken_is_a_case(month: Month) -> None:
    faultless(month)
    _, out, *_ = month.pay()
    month.state(out)
    assert kinds(found_in(month)) == [("fee_differs", "no_fee")]


def test_a_fee_that_comes_back_is_a_case(month: Month) -> None:
    _, out, fee, vat = month.pay()
    back = fee._replace(kind=LineType.FEE_BACK, external_id="b", amount_idr=2_500)
    month.state(out, fee, vat, back)
    assert kinds(found_in(month)) == [("fee_differs", "fee_came_back")]


def test_two_payouts_merged_without_a_name_are_for_a_person(month: Month) -> None:
    (_, one), (_, other) = paid(month), paid(month)
    both = one._replace(
        reference="PAYROLL",
        gateway_id="",
        external_id="x",
        amount_idr=one.amount_idr + other.amount_idr,
    )
    month.state(both)
    assert sorted(kinds(found_in(month))) == [
        ("missing_at_gateway", "silent"),
        ("missing_at_gateway", "silent"),
        ("missing_here", "not_ours"),
    ]


def test_a_batch_that_is_not_the_sum_is_for_a_person(month: Month) -> None:
    (one, out), (other, _) = paid(month), paid(month)
    named = out._replace(
        reference=f"{one.key},{other.key}", gateway_id="", external_id="x", account_number=""
    )
    month.state(named._replace(amount_idr=-one.send_idr - other.send_idr - 1))
    assert kinds(found_in(month)) == [("amount_differs", "batch")]


def test_a_batch_of_what_was_paid_alone_is_double(month: Month) -> None:
    (one, out), (other, _) = paid(month), paid(month)
    named = out._replace(
        reference=f"{one.key},{other.key}",
        gateway_id="",
        external_id="x",
        amount_idr=-one.send_idr - other.send_idr,
    )
    month.state(out, named)
    assert ("duplicate", "batch") in kinds(found_in(month))


def test_a_day_without_a_time_is_neither_early_nor_late(month: Month) -> None:
    sent, out = paid(month)
    assert sent.sent_at
    midnight = sent.sent_at.replace(hour=0, minute=0, second=0)
    month.state(out._replace(booked_at=midnight, booked_until=midnight + timedelta(days=1)))
    outcome = reconcile(GATEWAY, month.lines, month.payouts, COVERED, Limits())
    assert len(outcome.matches) == 1
    assert not outcome.cases


@pytest.mark.parametrize(
    "written",
    [
        "payout-01900000-0000-7000-8000-000000000001",
        "TRSF E-BANKING PAYOUT-01900000-0000-7000-8000-000000000001 SITI",
        "payout 01900000000070008000000000000001",
        "PAYOUT01900000000070008000000000000001/BCA",
    ],
)
def test_a_reference_is_read_however_a_bank_writes_it(written: str) -> None:
    assert keys_in(written) == ["payout-01900000-0000-7000-8000-000000000001"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1234567890", "1234567890", True),
        ("123-456-7890", "1234567890", True),
        ("1234567890", "1234567891", False),
        ("", "1234567890", True),
        ("******7890", "1234567890", True),
        ("******7891", "1234567890", False),
        ("6281234567890", "081234567890", True),
        ("+62 812-3456-7890", "081234567890", True),
    ],
)
def test_accounts_are_compared_as_far_as_they_are_shown(one: str, other: str, same: bool) -> None:
    assert same_account(one, other) is same
    assert same_account(other, one) is same
