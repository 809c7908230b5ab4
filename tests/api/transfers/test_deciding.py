"""Transfers that somebody decides about: a batch, a failed one, one in doubt."""

from uuid import uuid4

from models.base import utc_now
from models.people import Role
from service.gateways import Reported, Stage, Unknown
from service.payouts import DOUBT_FOR
from tests.api.asking import Asking, done, nothing_changes, refused
from tests.api.transfers.transferring import PAYOUTS, approve, ask, event_bodies, payout_of
from tests.factories import another, payout_in
from tests.paying import Till


async def test_a_transfer_is_not_paid_at_the_counter(paying: Asking, till: Till) -> None:
    asked = await ask(paying, till.town)
    await approve(paying, till.town, asked["id"])
    answer = await paying.post(till.town.treasurer, f"{PAYOUTS}/{asked['id']}/pay-cash")
    refused(answer, 409, "not_paid_in_cash")


async def test_a_failed_transfer_is_sent_once_more(paying: Asking, till: Till) -> None:
    asked = await ask(paying, till.town)
    await approve(paying, till.town, asked["id"])
    refused(
        await paying.post(till.town.treasurer, f"{PAYOUTS}/{asked['id']}/retry"),
        409,
        "not_retryable",
    )
    till.gateway.answers = [Reported(Stage.FAILED, "disb-1", "COMPLIANCE_REJECTED")]
    await till.work()
    failed = done(await paying.get(till.town.resident, f"{PAYOUTS}/{asked['id']}"))
    assert "after a review" in failed["failure_words"]["en"]
    assert "setelah pemeriksaan" in failed["failure_words"]["id"]
    (told,) = await event_bodies(till, "payout_failed")
    assert told["failure"] == failed["failure"] == "COMPLIANCE_REJECTED"
    again = done(await paying.post(till.town.treasurer, f"{PAYOUTS}/{asked['id']}/retry"), 201)
    assert (again["retry_of"], again["status"]) == (asked["id"], "approved")
    assert again["failure_words"] is None


async def test_a_batch_is_approved_as_a_whole_or_not_at_all(paying: Asking, till: Till) -> None:
    asked = [(await ask(paying, till.town, amount_idr=30_000))["id"] for _ in range(3)]
    batch = f"{PAYOUTS}/approvals"
    await approve(paying, till.town, asked[1])
    async with nothing_changes(till.town):
        answer = await paying.post(till.town.treasurer, batch, {"payout_ids": asked})
        unknown = {"payout_ids": [asked[0], str(uuid4())]}
        missing = await paying.post(till.town.treasurer, batch, unknown)
        own = await paying.post(till.town.resident, batch, {"payout_ids": asked[:1]})
        empty = await paying.post(till.town.treasurer, batch, {"payout_ids": []})
    refused(answer, 409, "payout_not_open", "/payout_ids/1")
    refused(missing, 404, "no_such_thing", "/payout_ids/1")
    refused(own, 403, "not_allowed")
    refused(empty, 422, "request_malformed", "/payout_ids")
    rest = {"payout_ids": [asked[2], asked[0]]}
    approved = done(await paying.post(till.town.treasurer, batch, rest))["items"]
    assert {one["status"] for one in approved} == {"approved"}


async def test_a_payout_in_doubt_is_decided_with_a_reason(paying: Asking, till: Till) -> None:
    asked = await ask(paying, till.town)
    await approve(paying, till.town, asked["id"])
    till.gateway.answers = [Unknown("time-out")]
    await till.work()
    path = f"{PAYOUTS}/{asked['id']}/decide"
    second = await another(till.town, Role.TREASURER)
    async with nothing_changes(till.town):
        mute = await paying.post(second, path, {"was_paid": True})
        soon = await paying.post(second, path, {"was_paid": True, "reason": "mutasi"})
        own = await paying.post(till.town.treasurer, path, {"was_paid": True, "reason": "x"})
    refused(mute, 422, "request_malformed", "/reason")
    refused(soon, 409, "still_in_doubt")
    refused(own, 403, "own_payout")
    async with till.town.database.transaction() as session:
        fresh = await payout_in(session, await payout_of(till, asked["id"]))
        fresh.unknown_at = utc_now() - DOUBT_FOR
    body = {"was_paid": False, "reason": "tidak ada di mutasi"}
    assert done(await paying.post(second, path, body))["status"] == "failed"
