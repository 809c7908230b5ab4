"""Cash drawers over HTTP."""

from typing import Any

import pytest

from models.people import Person, Role
from service import drawers
from service.database import Database
from tests.api.asking import Asking, done, nothing_changes, refused
from tests.factories import Town, another, make_town
from tests.selling import a_buyer


def at(town: Town, path: str = "drawers") -> str:
    return f"/v1/banks/{town.bank_id}/{path}"


async def opened(asking: Asking, town: Town, name: str, officer: Person) -> Any:
    body = {"name": name, "officer_id": str(officer.id)}
    return done(await asking.post(town.treasurer, at(town), body), 201)


@pytest.fixture(scope="session")
async def kept(database: Database) -> Town:
    """A town whose operator keeps the drawer `ani`, for requests that are refused."""
    town = await make_town(database)
    async with database.transaction() as session:
        await drawers.open_drawer(
            session, town.bank_id, "ani", officer_id=town.operator.id, by=town.treasurer.id
        )
    return town


async def test_a_drawer_is_opened_filled_counted_emptied_and_closed(
    asking: Asking, town: Town
) -> None:
    drawer = await opened(asking, town, "ani", town.operator)
    assert (drawer["officer_id"], drawer["ledger_idr"]) == (str(town.operator.id), 0)
    body = {"amount_idr": 500_000, "outside": "bank_account", "account": "bri", "memo": "cek 12"}
    safe = done(await asking.post(town.treasurer, at(town, "safe/put-in"), body), 201)
    assert (safe["drawer"], safe["ledger_idr"]) == ("main", 500_000)
    body = {"amount_idr": 200_000, "memo": "modal pagi"}
    filled = done(await asking.post(town.treasurer, at(town, "drawers/ani/float-in"), body), 201)
    assert filled["ledger_idr"] == 200_000
    body = {"counted_idr": 199_500, "memo": "sore"}
    count = done(await asking.post(town.operator, at(town, "drawers/ani/count"), body), 201)
    assert (count["difference_idr"], count["counted_by"]) == (-500, str(town.operator.id))
    listed = done(await asking.get(town.operator, at(town)))["items"]
    assert [(one["name"], one["ledger_idr"]) for one in listed] == [
        ("main", 300_000),
        ("ani", 199_500),
    ]
    assert listed[1]["last_count"] == count
    body = {"amount_idr": 199_500}
    done(await asking.post(town.operator, at(town, "drawers/ani/float-out"), body), 201)
    pages = await asking.walk(town.treasurer, at(town, "drawers/ani/lines"), limit=1)
    lines = [(one["kind"], one["amount_idr"], one["memo"]) for page in pages for one in page]
    assert lines == [
        ("float_out", -199_500, ""),
        ("drawer_count", -500, "sore"),
        ("float_in", 200_000, "modal pagi"),
    ]
    shut = done(await asking.post(town.treasurer, at(town, "drawers/ani/close")))
    assert shut["closed_at"]
    body = {"amount_idr": 1, "outside": "capital"}
    done(await asking.post(town.treasurer, at(town, "safe/take-out"), body), 201)


async def test_a_repeated_float_moves_once(asking: Asking, town: Town) -> None:
    await opened(asking, town, "ani", town.operator)
    for _ in range(2):
        body, path = {"amount_idr": 7}, at(town, "drawers/ani/float-in")
        moved = done(await asking.post(town.treasurer, path, body, key="once"), 201)
    assert moved["ledger_idr"] == 7
    listed = done(await asking.get(town.treasurer, at(town)))["items"]
    assert [one["ledger_idr"] for one in listed] == [-7, 7]


ACTS: dict[str, tuple[str, dict[str, Any]]] = {
    "open": ("drawers", {"name": "budi", "officer_id": "01900000-0000-7000-8000-000000000001"}),
    "fill": ("drawers/ani/float-in", {"amount_idr": 1}),
    "empty": ("drawers/ani/float-out", {"amount_idr": 1}),
    "count": ("drawers/ani/count", {"counted_idr": 0}),
    "count the safe": ("drawers/main/count", {"counted_idr": 0}),
    "close": ("drawers/ani/close", {}),
    "put in": ("safe/put-in", {"amount_idr": 1, "outside": "capital"}),
    "take out": ("safe/take-out", {"amount_idr": 1, "outside": "capital"}),
}


@pytest.mark.parametrize("act", ACTS)
async def test_only_officers_with_a_key_touch_cash(asking: Asking, kept: Town, act: str) -> None:
    path, body = at(kept, ACTS[act][0]), ACTS[act][1]
    other = await another(kept, Role.OPERATOR)
    async with nothing_changes(kept):
        for who in (kept.resident, kept.collector, kept.city, other):
            refused(await asking.post(who, path, body), 403, "not_allowed")
        refused(await asking.post(None, path, body), 401, "no_valid_token")
        answer = await asking.post(kept.treasurer, path, body, key=None)
        refused(answer, 400, "idempotency_key_missing")


@pytest.mark.parametrize("act", ["fill", "open", "count the safe", "close", "put in", "take out"])
async def test_a_drawers_own_officer_neither_fills_it_nor_closes_it(
    asking: Asking, kept: Town, act: str
) -> None:
    path, body = ACTS[act]
    async with nothing_changes(kept):
        refused(await asking.post(kept.operator, at(kept, path), body), 403, "not_allowed")


async def test_what_a_drawer_refuses(asking: Asking, kept: Town) -> None:
    ask, who = asking.post, kept.treasurer
    async with nothing_changes(kept):
        answer = await ask(kept.operator, at(kept, "drawers/ani/float-out"), {"amount_idr": 1})
        refused(answer, 409, "drawer_too_low", "/amount_idr")
        assert answer.json()["detail"].endswith("There is Rp0, and this takes Rp1.")
        for path in ("drawers/budi/float-in", "drawers/budi/close", "drawers/budi/float-out"):
            refused(await ask(who, at(kept, path), {"amount_idr": 1}), 404, "no_such_thing")
        for path in ("drawers/main/float-in", "drawers/main/close"):
            refused(await ask(who, at(kept, path), {"amount_idr": 1}), 409, "drawer_never_opened")
        answer = await ask(who, at(kept, "drawers/main/float-out"), {"amount_idr": 1})
        refused(answer, 409, "safe_into_itself")
        body = {"name": "ani", "officer_id": str(who.id)}
        refused(await ask(who, at(kept), body), 409, "drawer_name_taken")
        body = {"name": "budi", "officer_id": str(kept.operator.id)}
        refused(await ask(who, at(kept), body), 409, "officer_has_drawer")
        body = {"name": "budi", "officer_id": str(kept.resident.id)}
        refused(await ask(who, at(kept), body), 404, "no_such_thing")
    refused(await asking.get(who, at(kept, "drawers/budi/lines")), 404, "no_such_thing")
    for path in ("drawers", "drawers/ani/lines"):
        refused(await asking.get(kept.city, at(kept, path)), 403, "not_allowed")


async def test_a_drawer_with_money_in_it_stays_and_a_closed_one_takes_none(
    asking: Asking, town: Town
) -> None:
    await opened(asking, town, "ani", town.operator)
    done(
        await asking.post(town.treasurer, at(town, "drawers/ani/float-in"), {"amount_idr": 3}), 201
    )
    shut = await asking.post(town.treasurer, at(town, "drawers/ani/close"))
    refused(shut, 409, "drawer_not_empty")
    done(
        await asking.post(town.operator, at(town, "drawers/ani/float-out"), {"amount_idr": 3}), 201
    )
    done(await asking.post(town.treasurer, at(town, "drawers/ani/close")))
    buyer = await a_buyer(town)
    for path, body in (
        ("drawers/ani/float-in", {"amount_idr": 1}),
        ("drawers/ani/float-out", {"amount_idr": 1}),
        ("drawers/ani/count", {"counted_idr": 1}),
        ("drawers/ani/close", {}),
        (f"buyers/{buyer.id}/payments", {"amount_idr": 1, "drawer": "ani"}),
    ):
        refused(await asking.post(town.treasurer, at(town, path), body), 409, "drawer_closed")


async def test_a_count_that_can_not_have_the_book_says_so(asking: Asking, town: Town) -> None:
    if town.database.is_sqlite:
        pytest.skip("On SQLite it waits for its turn like everybody.")

    move = drawers.Move(town.bank_id, 1, "", town.treasurer.id)
    async with town.database.transaction() as session:
        await drawers.put_in(session, move, drawers.Outside.CAPITAL, "")
        path, body = at(town, "drawers/main/count"), {"counted_idr": 1}
        refused(await asking.post(town.treasurer, path, body), 503, "book_busy")


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("drawers", {"name": "Laci Ani"}, "/name"),
        ("drawers", {"name": ""}, "/name"),
        ("drawers", {"name": "budi", "officer_id": "ani"}, "/officer_id"),
        ("drawers/ani/float-in", {"amount_idr": 0}, "/amount_idr"),
        ("drawers/ani/float-out", {"amount_idr": True}, "/amount_idr"),
        ("drawers/ani/count", {"counted_idr": -1}, "/counted_idr"),
        ("safe/put-in", {"amount_idr": 1, "outside": "pocket"}, "/outside"),
        ("safe/put-in", {"amount_idr": 1, "outside": "bank_account"}, ""),
        ("safe/take-out", {"amount_idr": 1, "outside": "capital", "account": "bri"}, ""),
        ("drawers/Ani/float-in", {"amount_idr": 1}, "/name"),
    ],
)
async def test_what_can_not_be_read_is_refused(
    asking: Asking, kept: Town, path: str, body: dict[str, Any], pointer: str
) -> None:
    async with nothing_changes(kept):
        answer = await asking.post(kept.treasurer, at(kept, path), body)
    refused(answer, 422, "request_malformed", pointer)
