"""A month of payouts and the gateway's statement of it, with faults planted.

Amounts are few, as in life, so that an amount alone would often find a wrong payout.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from models.payout import PayoutStatus
from models.reconciliation import LineType
from service.reconciliation.facts import Line, Outcome, Sent
from service.reconciliation.matching import Covered

GATEWAY = "xendit"
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
LAST = datetime(2026, 12, 1, tzinfo=UTC)
COVERED = Covered(FIRST, LAST)
FEE_IDR, VAT_IDR = 2_500, 275
_AMOUNTS = (10_000, 20_000, 25_000, 50_000)


class Found(NamedTuple):
    """A case as it was planted, or was found: with the ids that people see."""

    kind: str
    why: str
    line: tuple[str, str] | None
    payout_id: UUID | None


@dataclass
class Month:
    """What is to be reconciled, and what must come of it."""

    chance: random.Random
    payouts: list[Sent] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    matches: set[tuple[str, str, UUID, str]] = field(default_factory=set)
    cases: set[Found] = field(default_factory=set)

    def pay(self, amount_idr: int = 0) -> tuple[Sent, Line, Line, Line]:
        """One more payout, with the gateway's three lines of it, not yet in the statement."""
        number = len(self.payouts)
        sent_at = FIRST + timedelta(seconds=self.chance.randrange(28 * 86_400))
        payout_id = _an_id(1, number)
        sent = Sent(
            id=payout_id,
            key=f"payout-{payout_id}",
            gateway_id=f"disb-{number:06d}",
            gateway=GATEWAY,
            send_idr=amount_idr or self.chance.choice(_AMOUNTS),
            fee_idr=FEE_IDR + VAT_IDR,
            account_number=f"08{self.chance.randrange(10**9, 10**10)}",
            sent_at=sent_at,
            status=PayoutStatus.PAID,
        )
        self.payouts.append(sent)
        out = self._line(sent, LineType.OUT, sent.send_idr)
        return (
            sent,
            out,
            self._line(sent, LineType.FEE, FEE_IDR),
            self._line(sent, LineType.VAT, VAT_IDR),
        )

    def state(self, *lines: Line) -> None:
        """Put lines into the statement."""
        for line in lines:
            self.lines.append(line._replace(number=len(self.lines) + 1))

    def expect(self, sent: Sent, *lines: Line, rule: str = "") -> None:
        """These lines must be matched with the payout."""
        for line in lines:
            of_fee = line.kind in (LineType.FEE, LineType.VAT)
            said = "fee" if of_fee else rule or "reference"
            self.matches.add((line.external_id, line.kind, sent.id, said))

    def expect_case(self, kind: str, why: str, line: Line | None, sent: Sent | None) -> None:
        about = (line.external_id, line.kind) if line else None
        self.cases.add(Found(kind, why, about, sent.id if sent else None))

    def as_found(self, outcome: Outcome) -> tuple[set[tuple[str, str, UUID, str]], set[Found]]:
        """An outcome in the words in which it was planted."""
        names = {line.number: (line.external_id, str(line.kind)) for line in self.lines}
        matches = {(*names[m.line], m.payout_id, str(m.rule)) for m in outcome.matches}
        cases = {
            Found(str(c.kind), c.why, names[c.line] if c.line else None, c.payout_id)
            for c in outcome.cases
        }
        return matches, cases

    def _line(self, sent: Sent, kind: LineType, left_idr: int) -> Line:
        assert sent.sent_at
        booked = sent.sent_at + timedelta(seconds=self.chance.randrange(2, 600))
        return Line(
            number=0,
            kind=kind,
            external_id=f"txn-{sent.gateway_id}",
            occurrence=1,
            gateway_id=sent.gateway_id,
            reference=sent.key,
            account_number=sent.account_number if kind == LineType.OUT else "",
            amount_idr=-left_idr,
            booked_at=booked,
            booked_until=booked,
        )


def _an_id(series: int, number: int) -> UUID:
    return UUID(int=0x0190_0000_0000_7000_8000_0000_0000_0000 + (series << 48) + number)


def missing(month: Month) -> None:
    sent, *_ = month.pay()
    month.expect_case("missing_at_gateway", "silent", None, sent)


def doubled(month: Month) -> None:
    """Paid twice under another id, each time with a fee."""
    sent, *lines = month.pay()
    later = timedelta(minutes=month.chance.choice((-1, 30)))
    second = [
        line._replace(
            external_id=f"again-{line.external_id}",
            gateway_id=f"again-{line.gateway_id}",
            booked_at=line.booked_at + later,
            booked_until=line.booked_at + later,
        )
        for line in lines
    ]
    month.state(*lines, *second)
    month.expect(sent, *lines)
    for line in second:
        month.expect_case("duplicate", "again", line, sent)


def amount(month: Month) -> None:
    sent, out, *fees = month.pay()
    wrong = out._replace(amount_idr=out.amount_idr + month.chance.choice((-1, 1, 2_775, -50_000)))
    month.state(wrong, *fees)
    month.expect(sent, *fees)
    month.expect_case("amount_differs", "amount", wrong, sent)


def fee(month: Month) -> None:
    sent, out, charged, vat = month.pay()
    wrong = charged._replace(amount_idr=charged.amount_idr - 500)
    month.state(out, wrong, vat)
    month.expect(sent, out, vat)
    month.expect_case("fee_differs", "fee", wrong, sent)


def late(month: Month) -> None:
    sent, out, *fees = month.pay()
    booked = out.booked_at + timedelta(days=2)
    slow = out._replace(booked_at=booked, booked_until=booked)
    month.state(slow, *fees)
    month.expect(sent, slow, *fees)
    month.expect_case("late", "after_its_day", slow, sent)


def reversed_(month: Month) -> None:
    sent, out, *fees = month.pay()
    booked = out.booked_at + timedelta(hours=20)
    back = out._replace(
        kind=LineType.OUT_BACK,
        external_id=f"back-{out.external_id}",
        amount_idr=-out.amount_idr,
        booked_at=booked,
        booked_until=booked,
    )
    month.state(out, *fees, back)
    month.expect(sent, out, *fees)
    month.expect_case("reversed", "came_back", back, sent)


def swapped_reference(month: Month) -> None:
    """Two payouts, of the same amount or not, whose references the gateway has mixed up."""
    one, out, *fees = month.pay()
    other, other_out, *other_fees = month.pay(month.chance.choice((0, one.send_idr)))
    mixed = out._replace(reference=other.key), other_out._replace(reference=one.key)
    month.state(*mixed, *fees, *other_fees)
    for sent, line, charged in ((one, mixed[0], fees), (other, mixed[1], other_fees)):
        month.expect(sent, *charged)
        month.expect_case("unknown", "names_two", line, sent)


def wrong_account(month: Month) -> None:
    sent, out, *fees = month.pay()
    elsewhere = out._replace(account_number="081299990000")
    month.state(elsewhere, *fees)
    month.expect(sent, *fees)
    month.expect_case("unknown", "other_account", elsewhere, sent)


def foreign(month: Month) -> None:
    """A payout of somebody else's, of an amount that many of ours have."""
    sent, out, *_ = month.pay()
    month.payouts.remove(sent)
    stranger = UUID(int=month.chance.getrandbits(128))
    line = out._replace(reference=f"payout-{stranger}", gateway_id=f"disb-{stranger}")
    month.state(line)
    month.expect_case("missing_here", "not_ours", line, None)
    month.payouts.append(sent._replace(status=PayoutStatus.CANCELLED))


def split(month: Month) -> None:
    sent, out, *fees = month.pay()
    part = out.amount_idr // 3
    first = out._replace(amount_idr=part)
    second = out._replace(external_id=f"rest-{out.external_id}", amount_idr=out.amount_idr - part)
    month.state(first, second, *fees)
    month.expect(sent, *fees)
    for line in (first, second):
        month.expect_case("amount_differs", "parts", line, sent)


def merged(month: Month) -> None:
    """Two payouts as one line that names both."""
    one, out, *fees = month.pay()
    other, other_out, *other_fees = month.pay()
    both = out._replace(
        external_id=f"batch-{out.external_id}",
        gateway_id="",
        reference=f"{one.key} {other.key}",
        account_number="",
        amount_idr=out.amount_idr + other_out.amount_idr,
    )
    month.state(both, *fees, *other_fees)
    month.expect(one, both, *fees, rule="batch")
    month.expect(other, both, *other_fees, rule="batch")


def clock_shifted(month: Month) -> None:
    """Booked seven hours before it was sent: the file's zone is another than it says."""
    sent, *lines = month.pay()
    earlier = timedelta(hours=7)
    shifted = [
        line._replace(booked_at=line.booked_at - earlier, booked_until=line.booked_until - earlier)
        for line in lines
    ]
    month.state(*shifted)
    month.expect(sent, *shifted)
    month.expect_case("late", "before_it_was_sent", shifted[0], sent)


FAULTS: dict[str, Callable[[Month], None]] = {
    "missing": missing,
    "doubled": doubled,
    "amount": amount,
    "fee": fee,
    "late": late,
    "reversed": reversed_,
    "swapped reference": swapped_reference,
    "wrong account": wrong_account,
    "foreign line": foreign,
    "split": split,
    "merged": merged,
    "clock shifted": clock_shifted,
}


def a_month(seed: int, *, sound: int = 120, of_each: int = 2) -> Month:
    """So many payouts without a fault, and each fault so many times, in any order."""
    month = Month(random.Random(seed))
    planted = [fault for fault in FAULTS.values() for _ in range(of_each)]
    whole: list[Callable[[Month], None]] = [faultless] * sound
    plan = planted + whole
    month.chance.shuffle(plan)
    for plant in plan:
        plant(month)
    month.chance.shuffle(month.lines)
    return month


def faultless(month: Month) -> None:
    sent, *lines = month.pay()
    month.state(*lines)
    month.expect(sent, *lines)
