"""Which line is which payout, by rules in order; never by an amount alone.

1. our reference, 2. the gateway's id, 3. several of our references and their sum; what these
find is judged with all other lines of the payout. 4. What names nothing is only ever proposed:
amount, account and time, where no second line and no second payout would do as well.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from models.payout import PayoutStatus
from models.reconciliation import Action, CaseKind, LineType
from service.reconciliation.facts import (
    Case,
    Limits,
    Line,
    Match,
    Outcome,
    Rule,
    Sent,
    keys_in,
    same_account,
    tail_of,
)
from service.reconciliation.judging import case_of, judge
from service.reconciliation.topups import TOPPED_UP, Came, TopUp, pairs

_PROPOSED = {
    LineType.IN: Action.TOP_UP,
    LineType.FEE: Action.FEE,
    LineType.VAT: Action.FEE,
    LineType.FEE_BACK: Action.FEE,
    LineType.VAT_BACK: Action.FEE,
}


class Covered(NamedTuple):
    """From when until when statements tell of everything that moved."""

    first_at: datetime
    last_at: datetime


def reconcile(
    source: str,
    lines: Iterable[Line],
    payouts: Iterable[Sent],
    covered: Covered,
    limits: Limits = Limits(),  # noqa: B008  Frozen.
    *,
    top_ups: Sequence[TopUp] = (),
) -> Outcome:
    """Every line matched or in a case, and every payout that the statement should have and hasn't."""
    book = _Book(source, payouts)
    sorted_lines = sorted(lines, key=lambda line: line.place)
    for line in sorted_lines:
        book.enter(line)
    found = Outcome([], [])
    for outcome in chain(book.judged(limits), book.batches()):
        found.matches.extend(outcome.matches)
        found.cases.extend(outcome.cases)
    found.cases.extend(book.in_doubt)
    found.cases.extend(_strays(book, limits, top_ups))
    if any(line.kind == LineType.FEE for line in sorted_lines):
        found.cases.extend(_without_fee(book, found.matches))
    found.cases.extend(_missing(book, covered, limits))
    return found


class _Book:
    """Our payouts, and the lines that were found to name them."""

    def __init__(self, source: str, payouts: Iterable[Sent]) -> None:
        self.source = source
        self._payouts = list(payouts)
        self._by_key = {sent.key: sent for sent in self._payouts if sent.key}
        self._by_id = {sent.gateway_id: sent for sent in self._payouts if sent.gateway_id}
        self._lines: dict[UUID, list[Line]] = {}
        self._batches: list[tuple[Line, Sequence[Sent]]] = []
        self._batched: Counter[UUID] = Counter()
        self.strays: list[Line] = []
        self.in_doubt: list[Case] = []
        self._touched: set[UUID] = set()

    def enter(self, line: Line) -> None:
        """Put a line to the payout that it names, or to those of which nobody knows."""
        by_key = self._named_in(line.reference)
        by_id = self._by_id.get(line.gateway_id) or self._by_id.get(line.external_id)
        if len(by_key) > 1:
            self.touch(*by_key)
            self._batches.append((line, by_key))
            self._batched.update(sent.id for sent in by_key)
        elif by_key and by_id and by_key[0].id != by_id.id:
            self._doubt(line, "names_two", by_id, by_key[0])
        elif sent := (by_key[0] if by_key else by_id):
            self._enter_of(line, sent)
        else:
            self.strays.append(line)

    def judged(self, limits: Limits) -> Iterator[Outcome]:
        for sent, lines in self.named():
            yield judge(sent, lines, limits)

    def batches(self) -> Iterator[Outcome]:
        for line, several in self._batches:
            yield self._batch(line, several)

    def named(self) -> Iterator[tuple[Sent, Sequence[Line]]]:
        """Payouts with the lines that name them and nothing else."""
        for sent in self._payouts:
            if lines := self._lines.get(sent.id):
                yield sent, lines

    def untouched(self) -> Iterator[Sent]:
        """Payouts of this source that no line has named."""
        for sent in self._payouts:
            is_named = sent.id in self._lines or sent.id in self._touched
            if sent.gateway == self.source and not is_named:
                yield sent

    def touch(self, *payouts: Sent) -> None:
        """Something is said of them, though by no line that names nothing else."""
        self._touched.update(sent.id for sent in payouts)

    def _named_in(self, reference: str) -> Sequence[Sent]:
        if not reference:
            return []
        if known := self._by_key.get(reference):
            return [known]
        named = {key: self._by_key[key] for key in keys_in(reference) if key in self._by_key}
        return [named[key] for key in sorted(named)]

    def _enter_of(self, line: Line, sent: Sent) -> None:
        if sent.gateway != self.source:
            # Here nothing of it was expected to leave.
            self._doubt(line, "other_gateway", sent._replace(send_idr=0))
            return
        if known := self._lines.get(sent.id):
            known.append(line)
        else:
            # Nearly all stay alone; a list that grew to one has room for four.
            self._lines[sent.id] = [line]

    def _doubt(self, line: Line, why: str, sent: Sent, *others: Sent) -> None:
        self.touch(sent, *others)
        self.in_doubt.append(
            case_of(
                CaseKind.UNKNOWN,
                why,
                line,
                sent,
                expected_idr=sent.send_idr,
                proposed=Action.WAIT,
            )
        )

    def _batch(self, line: Line, several: Sequence[Sent]) -> Outcome:
        """Certain only if nothing else was said of any of them, and the sum is right."""
        total = sum(sent.send_idr for sent in several)
        if all(self._is_open(sent) for sent in several) and total == line.left_idr:
            matches = [
                Match(line.number, sent.id, LineType.OUT, Rule.BATCH, part)
                for part, sent in enumerate(several, start=1)
            ]
            return Outcome(matches, [])
        again = not all(self._is_open(sent) for sent in several)
        kind = CaseKind.DUPLICATE if again else CaseKind.AMOUNT_DIFFERS
        expected = 0 if again else total
        case = case_of(kind, "batch", line, None, expected_idr=expected, proposed=Action.SUSPENSE)
        return Outcome([], [case])

    def _is_open(self, sent: Sent) -> bool:
        named = any(line.kind == LineType.OUT for line in self._lines.get(sent.id, ()))
        is_ours = sent.is_gone and sent.gateway == self.source
        once = self._batched[sent.id] == 1 and not named and LineType.OUT not in sent.legs
        return is_ours and once


def _strays(book: _Book, limits: Limits, top_ups: Sequence[TopUp]) -> Iterator[Case]:
    """Lines that name nothing of ours, with the payout or the top-up that one may be."""
    likely = _likely(book, limits)
    topped_up = _topped_up(book, top_ups)
    for line in book.strays:
        if line.number in topped_up:
            yield _case_of_top_up(line)
            continue
        sent = likely.get(line.number)
        if sent:
            book.touch(sent)
        yield case_of(
            CaseKind.MISSING_HERE,
            "looks_like" if sent else "not_ours",
            line,
            sent,
            expected_idr=sent.send_idr if sent else 0,
            proposed=Action.MATCH if sent else _PROPOSED.get(LineType(line.kind), Action.SUSPENSE),
        )


def _topped_up(book: _Book, top_ups: Sequence[TopUp]) -> set[int]:
    """Lines that are in our book already, since somebody entered the top-up."""
    ins = [line for line in book.strays if line.kind == LineType.IN]
    came = [Came(line.amount_idr, line.booked_at, line.booked_until) for line in ins]
    return {ins[place].number for place in pairs(came, top_ups)}


def _case_of_top_up(line: Line) -> Case:
    # Nothing names it, so that somebody has to agree; to book it again would double it.
    return case_of(
        CaseKind.MISSING_HERE,
        TOPPED_UP,
        line,
        None,
        expected_idr=line.left_idr,
        proposed=Action.ACCEPT,
    )


def _likely(book: _Book, limits: Limits) -> dict[int, Sent]:
    """Payouts that lines may be: alike in amount, account and time, and each the only one."""
    waiting: dict[tuple[int, str], list[Sent]] = defaultdict(list)
    for sent in book.untouched():
        if sent.is_gone and sent.account_number and LineType.OUT not in sent.legs:
            waiting[sent.send_idr, tail_of(sent.account_number)].append(sent)
    alike = {
        line.number: [
            sent
            for sent in waiting.get((line.left_idr, tail_of(line.account_number)), ())
            if _can_be(line, sent, limits)
        ]
        for line in book.strays
        if line.kind == LineType.OUT and line.account_number
    }
    wanted: dict[UUID, int] = defaultdict(int)
    for several in alike.values():
        for sent in several:
            wanted[sent.id] += 1
    return {
        line: several[0]
        for line, several in alike.items()
        if len(several) == 1 and wanted[several[0].id] == 1
    }


def _can_be(line: Line, sent: Sent, limits: Limits) -> bool:
    if sent.sent_at is None or not same_account(line.account_number, sent.account_number):
        return False
    return (
        line.booked_until >= sent.sent_at - limits.early_by
        and line.booked_at <= sent.sent_at + limits.window
    )


def _without_fee(book: _Book, matches: Iterable[Match]) -> Iterator[Case]:
    """Payouts that were found just now, without the fee that was quoted."""
    paid = {match.payout_id for match in matches if match.leg == LineType.OUT}
    for sent, lines in book.named():
        charged = LineType.FEE in sent.legs or any(line.kind == LineType.FEE for line in lines)
        if sent.id in paid and sent.fee_idr and sent.is_gone and not charged:
            yield _case_without_line(
                sent, CaseKind.FEE_DIFFERS, "no_fee", sent.fee_idr, lines[0].booked_at
            )


def _missing(book: _Book, covered: Covered, limits: Limits) -> Iterator[Case]:
    """What left by our book, long enough before the statement ends, and isn't in it."""
    until = covered.last_at - limits.missing_after
    for sent in book.untouched():
        is_due = sent.sent_at is not None and covered.first_at <= sent.sent_at <= until
        if is_due and sent.sent_at and _should_be_there(sent):
            unknown = sent.status == PayoutStatus.UNKNOWN
            kind = CaseKind.UNKNOWN if unknown else CaseKind.MISSING_AT_GATEWAY
            yield _case_without_line(sent, kind, "silent", sent.send_idr, sent.sent_at)


def _should_be_there(sent: Sent) -> bool:
    # One that our book gave back and that never left is right as it is.
    gone = sent.is_gone and sent.status != PayoutStatus.REVERSED
    return gone and LineType.OUT not in sent.legs and not sent.has_case


def _case_without_line(
    sent: Sent, kind: CaseKind, why: str, expected_idr: int, since: datetime
) -> Case:
    proposed = Action.FEE if kind == CaseKind.FEE_DIFFERS else Action.WAIT
    return Case(kind, why, None, sent.id, expected_idr, 0, proposed, since)
