"""Cash over HTTP: signed for with the code that only the resident sees."""

from service import drawers
from service.ledger import chart
from tests.api.asking import Asking, done, nothing_changes, payout, refused
from tests.api.transfers.transferring import PAYOUTS, approve, entered_by_the_operator
from tests.paying import Till


async def test_cash_is_signed_for_with_the_code_that_only_the_resident_sees(
    paying: Asking, till: Till
) -> None:
    body = payout(till.town, 10_000)
    asked = done(await paying.post(till.town.resident, PAYOUTS, body), 201)
    path = f"{PAYOUTS}/{asked['id']}"
    assert (await approve(paying, till.town, asked["id"]))["payout_code"] is None
    code = asked["payout_code"]
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    refused(
        await paying.post(till.town.treasurer, f"{path}/pay-cash", {"code": wrong}),
        409,
        "wrong_payout_code",
    )
    paid = done(await paying.post(till.town.treasurer, f"{path}/pay-cash", {"code": code}))
    assert (paid["status"], paid["code_given"]) == ("paid", True)


async def test_five_wrong_codes_are_enough(paying: Asking, till: Till) -> None:
    asked = done(await paying.post(till.town.resident, PAYOUTS, payout(till.town, 10_000)), 201)
    await approve(paying, till.town, asked["id"])
    path = f"{PAYOUTS}/{asked['id']}/pay-cash"
    code = asked["payout_code"]
    wrong = {"code": f"{(int(code) + 1) % 10**6:06d}"}
    for left in (4, 3, 2, 1, 0):
        answer = await paying.post(till.town.treasurer, path, wrong)
        refused(answer, 409, "wrong_payout_code")
        assert str(left) in answer.json()["detail"]
    refused(await paying.post(till.town.treasurer, path, {"code": code}), 409, "wrong_payout_code")


async def test_a_bank_may_pay_cash_only_against_the_code(paying: Asking, till: Till) -> None:
    rules = f"/v1/banks/{till.town.bank_id}/policies"
    done(await paying.post(till.town.treasurer, rules, {"cash_needs_code": True}), 201)
    asked = done(await paying.post(till.town.resident, PAYOUTS, payout(till.town, 10_000)), 201)
    await approve(paying, till.town, asked["id"])
    async with nothing_changes(till.town):
        answer = await paying.post(till.town.treasurer, f"{PAYOUTS}/{asked['id']}/pay-cash")
    refused(answer, 409, "cash_needs_code", "/code")


async def test_an_operator_pays_from_their_own_drawer_against_the_code(
    paying: Asking, till: Till
) -> None:
    town = till.town
    async with town.database.transaction() as session:
        await drawers.open_drawer(
            session, town.bank_id, "ani", officer_id=town.operator.id, by=town.treasurer.id
        )
        move = drawers.Move(town.bank_id, 30_000, "", town.treasurer.id)
        await drawers.float_in(session, move, "ani")
    asked = done(await paying.post(town.resident, PAYOUTS, payout(town, 10_000)), 201)
    path, code = f"{PAYOUTS}/{asked['id']}/pay-cash", {"code": asked["payout_code"]}
    early = await paying.post(town.operator, path, code)
    refused(early, 409, "payout_not_open")
    await approve(paying, town, asked["id"])
    refused(await paying.post(town.operator, path), 409, "cash_needs_code", "/code")
    paid = done(await paying.post(town.operator, path, code))
    assert (paid["paid_by"], paid["code_given"]) == (str(town.operator.id), True)
    assert await till.balance(chart.drawer("ani")) == 20_000
    entered = await entered_by_the_operator(paying, till)
    refused(await paying.post(town.operator, entered), 403, "own_payout")
