"""The float over HTTP: who sees it, and what tops it up."""

from typing import Any
from uuid import UUID

import pytest

from tests.api.asking import Asking, done, nothing_changes, refused
from tests.api.transfers.transferring import approve, ask
from tests.paying import FEE_IDR, Till


async def test_a_treasurer_sees_the_float_and_tops_it_up(paying: Asking, till: Till) -> None:
    base = f"/v1/banks/{till.town.bank_id}/floats"
    asked = await ask(paying, till.town)
    await approve(paying, till.town, asked["id"])
    till.gateway.balance = 7
    await till.work()
    (stopped,) = done(await paying.get(till.town.operator, base))["items"]
    assert (stopped["gateway_idr"], stopped["under_way_idr"]) == (7, 50_000 + FEE_IDR)
    assert stopped["stopped_why"] == "FLOAT_TOO_LOW"
    body = {"amount_idr": 100_000, "drawer": "main"}
    topped = done(await paying.post(till.town.treasurer, f"{base}/gate/top-ups", body), 201)
    assert UUID(topped["top_up_id"])
    assert (topped["ledger_idr"], topped["stopped_at"]) == (100_000, None)
    again = await paying.post(till.town.treasurer, f"{base}/gate/resume")
    refused(again, 409, "queue_not_stopped")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"amount_idr": 1}, ""),
        ({"amount_idr": 1, "drawer": "main", "bank_account": "bri"}, ""),
        ({"amount_idr": 0, "drawer": "main"}, "/amount_idr"),
        ({"amount_idr": 1, "drawer": "a b"}, "/drawer"),
    ],
)
async def test_a_top_up_comes_from_one_place(
    paying: Asking, till: Till, body: dict[str, Any], pointer: str
) -> None:
    path = f"/v1/banks/{till.town.bank_id}/floats/gate/top-ups"
    async with nothing_changes(till.town):
        answer = await paying.post(till.town.treasurer, path, body)
    refused(answer, 422, "request_malformed", pointer)


async def test_only_treasurers_top_up_and_only_gateways_there_are(
    paying: Asking, till: Till
) -> None:
    body = {"amount_idr": 1, "drawer": "main"}
    base = f"/v1/banks/{till.town.bank_id}/floats"
    async with nothing_changes(till.town):
        operator = await paying.post(till.town.operator, f"{base}/gate/top-ups", body)
        unknown = await paying.post(till.town.treasurer, f"{base}/other/top-ups", body)
        waiting = await paying.post(till.town.treasurer, f"{base}/other/resume")
    refused(operator, 403, "not_allowed")
    refused(unknown, 404, "no_such_gateway")
    refused(waiting, 404, "no_such_gateway")


async def test_a_top_up_comes_out_of_a_drawer_there_is(paying: Asking, till: Till) -> None:
    path = f"/v1/banks/{till.town.bank_id}/floats/gate/top-ups"
    async with nothing_changes(till.town):
        answer = await paying.post(
            till.town.treasurer, path, {"amount_idr": 1_000, "drawer": "zzz"}
        )
    refused(answer, 404, "no_such_thing")
