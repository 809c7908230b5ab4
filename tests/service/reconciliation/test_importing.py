"""Statements in the database: kept once, matched by themselves, cases opened and cleared."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col, select

from models.base import utc_now
from models.payout import Cause, Payout, PayoutStatus
from models.reconciliation import (
    Action,
    CaseStatus,
    LineType,
    ReconciliationCase,
    StatementLine,
    StatementMatch,
)
from service import payouts, reconciliation
from service.database import Database
from service.gateways import Reported, Stage
from service.ledger import chart
from service.reconciliation import (
    StatementAlreadyImported,
    StatementContradicts,
    StatementDecided,
    StatementWithdrawn,
)
from service.reconciliation.foreseeing import still_holds
from service.reconciliation.readers import Row
from tests.factories import Town, make_town
from tests.paid import (
    a_file,
    a_row,
    bring_in,
    lines_of,
    pay_through,
    rows_of,
    sent_days_ago,
)
from tests.races import slower_of
from tests.reconciling import Found, Month, a_month


async def cases(town: Town, *status: CaseStatus) -> list[ReconciliationCase]:
    query = select(ReconciliationCase).where(
        ReconciliationCase.bank_id == town.bank_id,
        col(ReconciliationCase.status).in_(status or (CaseStatus.OPEN,)),
    )
    async with town.database.reading() as session:
        return list(await session.exec(query.order_by(col(ReconciliationCase.id))))


async def matches(town: Town) -> list[StatementMatch]:
    query = select(StatementMatch).where(
        StatementMatch.bank_id == town.bank_id, col(StatementMatch.undone_at).is_(None)
    )
    async with town.database.reading() as session:
        return list(await session.exec(query))


async def lines(town: Town) -> list[StatementLine]:
    query = select(StatementLine).where(StatementLine.bank_id == town.bank_id)
    async with town.database.reading() as session:
        return list(await session.exec(query))


async def kinds(town: Town) -> list[tuple[str, str]]:
    return [(case.kind, case.why) for case in await cases(town)]


async def test_a_statement_without_faults_matches_as_a_whole(town: Town) -> None:
    paid = [await pay_through(town, amount) for amount in (10_000, 10_000, 50_000)]
    rows = [row for payout in paid for row in lines_of(payout)]
    done = await bring_in(town, rows)
    assert (done.line_count, done.new_count, done.known_count) == (9, 9, 0)
    assert done.matched == {"reference": 3, "fee": 6}
    assert done.exceptions == {}
    found = {(match.payout_id, match.leg) for match in await matches(town)}
    assert found == {(payout.id, leg) for payout in paid for leg in ("out", "fee", "vat")}


async def test_the_same_statement_again_changes_nothing(town: Town) -> None:
    rows = lines_of(await pay_through(town, 10_000))
    first = await bring_in(town, rows)
    again = await bring_in(town, rows)
    assert (again.id, again.new_count, again.known_count) == (first.id, 0, 3)
    assert len(await lines(town)) == len(await matches(town)) == 3


async def test_a_line_is_kept_as_it_was_said(town: Town) -> None:
    payout = await pay_through(town, 10_000)
    said: dict[str, Any] = {
        "reference": "\\N \t“é”\r\n\\.",
        "raw": '["a\\tb", "\\\\"]',
        "balance_idr": -1,
    }
    row = a_row(payout, LineType.IN, 1, **said)
    await bring_in(town, [row, a_row(payout, LineType.OUT, -10_000)])
    (odd,) = [line for line in await lines(town) if line.line_type == "in"]
    assert {name: getattr(odd, name) for name in said} == said
    assert (odd.booked_at, odd.booked_until) == (row.booked_at, row.booked_until)
    assert (odd.id.version, odd.number) == (7, 1)
    assert all(line.balance_idr is None for line in await lines(town) if line.id != odd.id)


async def test_overlapping_statements_keep_each_line_once(town: Town) -> None:
    one, other = [await pay_through(town, amount) for amount in (10_000, 20_000)]
    await bring_in(town, lines_of(one))
    both = await bring_in(town, [*lines_of(one), *lines_of(other)])
    assert (both.new_count, both.known_count) == (3, 3)
    assert len(await lines(town)) == len(await matches(town)) == 6


async def test_a_dry_run_tells_all_and_keeps_nothing(town: Town) -> None:
    rows = lines_of(await pay_through(town, 10_000))
    async with town.database.reading() as session:
        told = await reconciliation.foresee(session, town.bank, a_file(rows))
    assert (told.id, told.new_count, told.matched) == (None, 3, {"reference": 1, "fee": 2})
    assert not await lines(town)
    assert (await bring_in(town, rows)).matched == told.matched


@pytest.mark.parametrize("changed", [{"amount_idr": -9_999}, {"booked": 3_600}])
async def test_a_line_that_says_something_else_now_is_refused(
    town: Town, changed: dict[str, Any]
) -> None:
    payout = await pay_through(town, 10_000)
    rows = lines_of(payout)
    await bring_in(town, rows)
    if seconds := changed.get("booked"):
        later = rows[0].booked_at + timedelta(seconds=seconds)
        changed = {"booked_at": later, "booked_until": later}
    with pytest.raises(StatementContradicts):
        await bring_in(town, [rows[0]._replace(**changed)])
    assert len(await lines(town)) == 3


async def test_the_same_bytes_read_in_another_way_are_refused(town: Town) -> None:
    first = a_file(lines_of(await pay_through(town, 10_000)))
    renamed = [row._replace(external_id=f"other-{row.external_id}") for row in first.read.rows]
    again = first._replace(read=replace(first.read, rows=renamed))
    for file in (first, again):
        async with town.database.transaction() as session:
            if file is first:
                await reconciliation.bring_in(session, town.bank, file, by=town.treasurer.id)
                continue
            with pytest.raises(StatementAlreadyImported):
                await reconciliation.foresee(session, town.bank, file)
            with pytest.raises(StatementAlreadyImported):
                await reconciliation.bring_in(session, town.bank, file, by=town.treasurer.id)
    assert len(await lines(town)) == 3


async def test_a_plan_is_made_anew_if_somebody_was_at_the_desk_meanwhile(town: Town) -> None:
    payout = await pay_through(town, 10_000)
    came = a_row(payout, LineType.IN, 500, external_id="in", reference="", gateway_id="")
    file, other = a_file([*lines_of(payout), came]), lines_of(payout)[:1]

    async def plan() -> reconciliation.Plan:
        async with town.database.reading() as session:
            return await reconciliation.plan_of(session, town.bank, file)

    async def holds(plan: reconciliation.Plan) -> bool:
        async with town.database.reading() as session:
            return await still_holds(session, plan)

    first = await plan()
    assert await holds(first)
    entered = payouts.TopUp("xendit", chart.bank_account("bca"), 500, "", town.treasurer.id)
    async with town.database.transaction() as session:
        await payouts.top_up(session, town.bank_id, entered)
    assert not await holds(first)
    second = await plan()
    assert second.top_ups
    await bring_in(town, other)
    assert not await holds(second)
    async with town.database.transaction() as session:
        done = await reconciliation.bring_in(
            session, town.bank, file, by=town.treasurer.id, plan=second
        )
    assert (done.new_count, done.known_count, done.matched) == (3, 1, {"fee": 2})
    assert len(await matches(town)) == 3
    assert await holds(await plan())


async def test_what_comes_late_clears_what_was_missing(town: Town) -> None:
    slow = await pay_through(town, 10_000, sent_at=sent_days_ago(9))
    quick = await pay_through(town, 20_000, sent_at=sent_days_ago(9.1))
    later = await pay_through(town, 20_000, sent_at=sent_days_ago(6))
    await bring_in(town, [*lines_of(quick), *lines_of(later)])
    (missing,) = await cases(town)
    assert (missing.kind, missing.payout_id) == ("missing_at_gateway", slow.id)
    assert (missing.expected_idr, missing.found_idr) == (10_000, 0)
    await bring_in(town, lines_of(slow, after_s=4 * 86_400))
    assert await kinds(town) == [("late", "after_its_day")]
    (cleared,) = await cases(town, CaseStatus.CLEARED)
    assert cleared.id == missing.id


async def test_what_was_missing_is_not_opened_twice(town: Town) -> None:
    await pay_through(town, 10_000, sent_at=sent_days_ago(9))
    for days in (9.5, 6, 5, 4):
        await bring_in(town, lines_of(await pay_through(town, 20_000, sent_at=sent_days_ago(days))))
    assert await kinds(town) == [("missing_at_gateway", "silent")]


async def test_a_payout_that_fails_after_all_is_not_missing_any_more(town: Town) -> None:
    unknown = await pay_through(town, 10_000, sent_at=sent_days_ago(9), status=PayoutStatus.UNKNOWN)
    await bring_in(town, lines_of(await pay_through(town, 1_000, sent_at=sent_days_ago(9.5))))
    await bring_in(town, lines_of(await pay_through(town, 1_000, sent_at=sent_days_ago(5))))
    assert await kinds(town) == [("unknown", "silent")]
    async with town.database.transaction() as session:
        report = Reported(Stage.FAILED, unknown.gateway_id)
        await payouts.settle(session, town.bank_id, unknown.id, report, Cause.QUERY)
    await bring_in(town, lines_of(await pay_through(town, 1_000, sent_at=sent_days_ago(4))))
    assert await kinds(town) == []


async def test_a_second_line_for_one_payout_is_double_in_a_later_file_too(town: Town) -> None:
    payout = await pay_through(town, 10_000)
    await bring_in(town, lines_of(payout))
    again = a_row(payout, LineType.OUT, -10_000, external_id="again", gateway_id="again")
    await bring_in(town, [again])
    assert await kinds(town) == [("duplicate", "again")]


@pytest.mark.parametrize("status", [PayoutStatus.SENDING, PayoutStatus.SENT, PayoutStatus.UNKNOWN])
async def test_of_what_left_and_has_no_end_a_worker_asks_soon(
    town: Town, status: PayoutStatus
) -> None:
    later = utc_now() + timedelta(hours=1)
    left, quiet = [await pay_through(town, 10_000, status=status, due_at=later) for _ in range(2)]
    paid = await pay_through(town, 10_000, due_at=later)
    fee_only = lines_of(quiet)[1:]
    await bring_in(town, [*lines_of(left), *lines_of(paid), *fee_only])
    async with town.database.reading() as session:
        query = select(Payout).where(Payout.bank_id == town.bank_id)
        found = {payout.id: payout for payout in await session.exec(query)}
    assert found[left.id].status == status
    due = {payout_id: payout.due_at for payout_id, payout in found.items()}
    assert (due[left.id] or later) <= utc_now()
    assert due[quiet.id] == due[paid.id] == later


async def test_an_old_payout_is_found_by_its_reference_and_by_its_id(town: Town) -> None:
    old = [await pay_through(town, 10_000, sent_at=sent_days_ago(days)) for days in (90, 91)]
    by_key, by_id = (a_row(payout, LineType.OUT, -10_000, after_s=89 * 86_400) for payout in old)
    await bring_in(town, [by_key, by_id._replace(reference="")])
    assert {match.payout_id for match in await matches(town)} == {payout.id for payout in old}


async def test_payouts_of_other_banks_are_never_matched(town: Town, database: Database) -> None:
    far = await make_town(database)
    theirs = await pay_through(far, 10_000)
    await bring_in(town, lines_of(theirs))
    assert not await matches(town)
    assert {kind for kind, _ in await kinds(town)} == {"missing_here"}


async def test_two_imports_at_once_match_a_line_once(town: Town) -> None:
    payout = await pay_through(town, 10_000)
    one = a_file(lines_of(payout))
    other = a_file([*lines_of(payout), a_row(payout, LineType.IN, 1, external_id="x")])

    async def first(session: Any) -> None:
        await reconciliation.bring_in(session, town.bank, one, by=town.treasurer.id)

    async def second(session: Any) -> None:
        await reconciliation.bring_in(session, town.bank, other, by=town.treasurer.id)

    assert await slower_of(town, first, second) is None
    assert len(await lines(town)) == 4
    assert len(await matches(town)) == 3


async def enter(town: Town, month: Month) -> dict[UUID, Payout]:
    """The month's payouts as they are in a bank, by the ids that they have in the month."""
    return {
        sent.id: await pay_through(
            town,
            sent.send_idr,
            sent_at=sent.sent_at,
            status=PayoutStatus(sent.status),
            gateway_id=sent.gateway_id,
            account_number=sent.account_number,
        )
        for sent in month.payouts
    }


async def test_a_month_with_every_fault_is_found_through_the_database(town: Town) -> None:
    month = a_month(5, sound=5, of_each=1)
    entered = await enter(town, month)
    rows = [_renamed(row, month, entered) for row in rows_of(month.lines)]
    await bring_in(town, rows)
    known = {line.id: (line.external_id, line.line_type) for line in await lines(town)}
    ours = {payout.id: sent_id for sent_id, payout in entered.items()} | {None: None}
    found = {(*known[m.line_id], ours[m.payout_id], m.rule) for m in await matches(town)}
    in_cases = {
        Found(c.kind, c.why, known[c.line_id] if c.line_id else None, ours[c.payout_id])
        for c in await cases(town)
    }
    # The statement ends with its last line here, and not with the month.
    silent = {case for case in month.cases if case.why == "silent"}
    assert found == month.matches
    assert in_cases | silent == month.cases


def _renamed(row: Row, month: Month, entered: dict[UUID, Payout]) -> Row:
    reference = row.reference
    for sent in month.payouts:
        reference = reference.replace(sent.key, entered[sent.id].key)
    return row._replace(reference=reference)


async def withdrawn(town: Town, import_id: UUID | None) -> None:
    assert import_id
    async with town.database.transaction() as session:
        await reconciliation.withdraw(
            session, town.bank, import_id, by=town.treasurer.id, reason="rekening lain"
        )


async def test_a_withdrawn_statement_counts_no_more_and_may_come_again(town: Town) -> None:
    payout, silent = await pay_through(town, 10_000), await pay_through(town, 20_000)
    await bring_in(town, [a_row(silent, LineType.OUT, -20_000, external_id="early")])
    assert not await cases(town)
    foreign = a_row(payout, LineType.OUT, -500, external_id="f", reference="", gateway_id="")
    rows = [*lines_of(payout), foreign]
    wrong = await bring_in(town, rows)
    assert (len(await matches(town)), await kinds(town)) == (4, [("missing_here", "not_ours")])
    await withdrawn(town, wrong.id)
    assert [match.payout_id for match in await matches(town)] == [silent.id]
    assert not await cases(town)
    wanted = reconciliation.Booked(sent_days_ago(9), utc_now(), None, reconciliation.MatchState.ALL)
    days = reconciliation.Days(utc_now().date(), utc_now().date(), sent_days_ago(9), utc_now())
    async with town.database.reading() as session:
        shown = await reconciliation.lines_of(session, town.bank_id, wanted, before=None, limit=10)
        (standing,) = await reconciliation.standings(session, town.bank_id, days)
    assert [one.line.external_id for one in shown] == ["early"]
    assert (standing.statement.line_count, standing.statement.net_idr) == (1, -20_000)
    with pytest.raises(StatementWithdrawn):
        await withdrawn(town, wrong.id)
    again = await bring_in(town, rows)
    assert (again.new_count, again.matched, again.id != wrong.id) == (4, wrong.matched, True)


async def test_what_a_withdrawn_statement_had_settled_is_missing_again(town: Town) -> None:
    payout, other = (
        await pay_through(town, 10_000, sent_at=sent_days_ago(5)),
        await pay_through(town, 20_000, sent_at=sent_days_ago(6)),
    )
    late = a_row(other, LineType.OUT, -1, external_id="l", reference="", gateway_id="")
    first = await bring_in(
        town,
        [
            late._replace(booked_at=sent_days_ago(7), booked_until=sent_days_ago(7)),
            *lines_of(other),
            late._replace(external_id="m", booked_at=sent_days_ago(1), booked_until=utc_now()),
        ],
    )
    assert ("missing_at_gateway", "silent") in await kinds(town)
    second = await bring_in(town, lines_of(payout))
    assert ("missing_at_gateway", "silent") not in await kinds(town)
    await withdrawn(town, second.id)
    assert ("missing_at_gateway", "silent") in await kinds(town)
    await withdrawn(town, first.id)
    assert not await cases(town)


async def test_a_statement_about_which_money_was_moved_stays(town: Town) -> None:
    payout = await pay_through(town, 10_000)
    first, *rest = lines_of(payout)
    done = await bring_in(town, [first._replace(amount_idr=-10_700), *rest])
    (case,) = await cases(town)
    async with town.database.transaction() as session:
        fresh = await session.merge(case)
        decision = reconciliation.Decision(Action.FEE, "biaya", town.operator.id)
        await reconciliation.resolve(session, fresh, decision)
    with pytest.raises(StatementDecided):
        await withdrawn(town, done.id)
    (match,) = [match for match in await matches(town) if match.rule == "person"]
    async with town.database.transaction() as session:
        await reconciliation.undo(
            session, town.bank, match.id, by=town.operator.id, reason="keliru"
        )
    await withdrawn(town, done.id)
    assert not await matches(town)
