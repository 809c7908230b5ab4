"""One payout and the lines that name it: what fits, and what a person has to look at."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

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
    same_account,
)

_FEES = (LineType.FEE, LineType.VAT)
_FEES_BACK = (LineType.FEE_BACK, LineType.VAT_BACK)
_BACK = (LineType.OUT_BACK, LineType.IN)
"""A line that only says that money came in is a payout's return, if it names the payout."""


def judge(sent: Sent, lines: Sequence[Line], limits: Limits) -> Outcome:
    """The lines of one payout, ordered by `place`, each matched or in a case."""
    if not sent.is_gone:
        return _of_failed(sent, lines)
    outs = [line for line in lines if line.kind == LineType.OUT]
    it = _it(sent, outs)
    parts = [_outs(sent, outs, it, limits)]
    if len(outs) < len(lines):
        by_kind = _by_kind(lines)
        parts.append(_backs(sent, _of(by_kind, _BACK)))
        parts.append(_fees(sent, _of(by_kind, _FEES), it))
        parts.append(_fees_back(sent, _of(by_kind, _FEES_BACK)))
    found = Outcome([], [])
    for result in chain.from_iterable(parts):
        if isinstance(result, Match):
            found.matches.append(result)
        else:
            found.cases.append(result)
    return found


def case_of(
    kind: CaseKind,
    why: str,
    line: Line,
    sent: Sent | None,
    *,
    expected_idr: int,
    proposed: Action,
) -> Case:
    """A case about a line, and the payout that it may be."""
    payout_id = sent.id if sent else None
    return Case(
        kind, why, line.number, payout_id, expected_idr, line.left_idr, proposed, line.booked_at
    )


def _by_kind(lines: Sequence[Line]) -> dict[str, list[Line]]:
    by_kind: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_kind[line.kind].append(line)
    return by_kind


def _of(by_kind: dict[str, list[Line]], kinds: Sequence[str]) -> list[Line]:
    return [line for kind in kinds for line in by_kind[kind]]


def _of_failed(sent: Sent, lines: Sequence[Line]) -> Outcome:
    """Nothing should have left. If all came back by itself, nothing has."""
    if lines and sum(line.amount_idr for line in lines) == 0:
        legs = _legs(sent, lines)
        return Outcome(
            [
                Match(line.number, sent.id, leg, Rule.RETURNED)
                for line, leg in zip(lines, legs, strict=True)
            ],
            [],
        )
    return Outcome(
        [],
        [
            case_of(
                CaseKind.UNKNOWN,
                "we_say_not_sent",
                line,
                sent,
                expected_idr=0,
                proposed=Action.SUSPENSE,
            )
            for line in lines
        ],
    )


def _legs(sent: Sent, lines: Sequence[Line]) -> list[str]:
    """A name for the side of the payout that each line is; a second one of a kind is numbered."""
    taken = set(sent.legs)
    legs = []
    for line in lines:
        leg, number = str(line.kind), 1
        while leg in taken:
            number += 1
            leg = f"{line.kind}:{number}"
        taken.add(leg)
        legs.append(leg)
    return legs


def _it(sent: Sent, outs: Sequence[Line]) -> Line | None:
    """The line that is the payout: of several, that with the gateway's own id; else the first."""
    if LineType.OUT in sent.legs:
        return None
    exact = [line for line in outs if line.left_idr == sent.send_idr]
    known = [line for line in exact if _has_id(sent, line)]
    return next(iter(known or exact), None)


def _outs(
    sent: Sent, lines: Sequence[Line], it: Line | None, limits: Limits
) -> Iterator[Match | Case]:
    if it:
        yield from _paid(sent, it, limits)
    if it or LineType.OUT in sent.legs:
        yield from _again(sent, [line for line in lines if line is not it])
    else:
        yield from _of_another_amount(sent, lines)


def _paid(sent: Sent, it: Line, limits: Limits) -> Iterator[Match | Case]:
    if same_account(it.account_number, sent.account_number):
        yield Match(it.number, sent.id, LineType.OUT, _rule(sent, it))
        yield from _out_of_time(sent, it, limits)
        return
    yield case_of(
        CaseKind.UNKNOWN,
        "other_account",
        it,
        sent,
        expected_idr=sent.send_idr,
        proposed=Action.WAIT,
    )


def _of_another_amount(sent: Sent, lines: Sequence[Line]) -> Iterator[Case]:
    in_parts = len(lines) > 1 and sum(line.left_idr for line in lines) == sent.send_idr
    for line in lines:
        yield case_of(
            CaseKind.AMOUNT_DIFFERS,
            "parts" if in_parts else "amount",
            line,
            sent,
            # It is expected once, however many lines there are of it.
            expected_idr=sent.send_idr if line is lines[0] else 0,
            proposed=Action.MATCH if in_parts else Action.SUSPENSE,
        )


def _has_id(sent: Sent, line: Line) -> bool:
    return bool(sent.gateway_id) and sent.gateway_id in (line.gateway_id, line.external_id)


def _rule(sent: Sent, line: Line) -> Rule:
    named = sent.key and sent.key in line.reference.lower()
    return Rule.REFERENCE if named or not _has_id(sent, line) else Rule.GATEWAY_ID


def _again(sent: Sent, lines: Sequence[Line]) -> Iterator[Case]:
    for line in lines:
        yield case_of(
            CaseKind.DUPLICATE, "again", line, sent, expected_idr=0, proposed=Action.SUSPENSE
        )


def _out_of_time(sent: Sent, line: Line, limits: Limits) -> Iterator[Case]:
    """A day without a time is taken as whole: it may have been at any moment of it."""
    if sent.sent_at is None:
        return
    if line.booked_at > sent.sent_at + limits.late_after:
        why = "after_its_day"
    elif line.booked_until < sent.sent_at - limits.early_by:
        why = "before_it_was_sent"
    else:
        return
    yield case_of(
        CaseKind.LATE, why, line, sent, expected_idr=sent.send_idr, proposed=Action.ACCEPT
    )


def _backs(sent: Sent, lines: Sequence[Line]) -> Iterator[Match | Case]:
    is_back = LineType.OUT_BACK in sent.legs
    for line in lines:
        whole = line.left_idr == -sent.send_idr
        if is_back:
            yield from _again(sent, [line])
        elif whole and sent.status == PayoutStatus.REVERSED:
            yield Match(line.number, sent.id, LineType.OUT_BACK, Rule.REVERSAL)
        elif whole:
            yield case_of(
                CaseKind.REVERSED,
                "came_back",
                line,
                sent,
                expected_idr=0,
                proposed=Action.REVERSE,
            )
        else:
            yield case_of(
                CaseKind.AMOUNT_DIFFERS,
                "came_back_in_part",
                line,
                sent,
                expected_idr=-sent.send_idr,
                proposed=Action.SUSPENSE,
            )
        is_back = is_back or whole


def _fees(sent: Sent, lines: Sequence[Line], it: Line | None) -> Iterator[Match | Case]:
    """Fee and VAT are quoted as one, so that only their sum can differ."""
    if LineType.FEE in sent.legs:
        yield from _again(sent, lines)
        return
    found = sum(line.left_idr for line in lines)
    own = [line for line in lines if it and _of_one_payment(line, it)]
    if found != sent.fee_idr and own:
        # Those of a second payment are as double as that is.
        yield from _again(sent, [line for line in lines if line not in own])
        lines, found = own, sum(line.left_idr for line in own)
    fits = found == sent.fee_idr
    fitting = lines if fits else lines[1:]
    for line, leg in zip(fitting, _legs(sent, fitting), strict=True):
        yield Match(line.number, sent.id, leg, Rule.FEE)
    if not fits and lines:
        case = case_of(
            CaseKind.FEE_DIFFERS,
            "fee",
            lines[0],
            sent,
            expected_idr=sent.fee_idr,
            proposed=Action.FEE,
        )
        yield case._replace(found_idr=found)


def _of_one_payment(line: Line, it: Line) -> bool:
    """Gateways give a payment's lines one id of the payment, of the transaction, or both."""
    same_id = bool(it.gateway_id) and line.gateway_id == it.gateway_id
    return same_id or line.external_id == it.external_id


def _fees_back(sent: Sent, lines: Sequence[Line]) -> Iterator[Case]:
    """Our book doesn't expect a fee back, so that somebody has to enter it."""
    for line in lines:
        yield case_of(
            CaseKind.FEE_DIFFERS,
            "fee_came_back",
            line,
            sent,
            expected_idr=0,
            proposed=Action.FEE,
        )
