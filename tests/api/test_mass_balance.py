"""The mass balance over HTTP."""

from datetime import timedelta

import pytest

from models.base import utc_now
from models.people import Role
from service import ledger
from service.banks import day_at, midnight_of
from service.keys import Keys
from service.months import next_month
from tests.api.asking import Asking, done, refused
from tests.factories import PET, Town, another
from tests.selling import bring
from tests.unloading import fetch, weighed

DAY = timedelta(days=1)


async def test_officers_see_where_the_grams_are(asking: Asking, town: Town, keys: Keys) -> None:
    await fetch(town, keys, weighed(5_000))
    load = f"/v1/banks/{town.bank_id}/loads/{town.collector.id}/receive"
    scale = {"weighings": [{"material": PET, "grams": 4_900}]}
    done(await asking.post(town.operator, load, scale), 201)
    await fetch(town, keys, weighed(1_000))
    today = str(day_at(town.bank, utc_now()))
    path, days = f"/v1/banks/{town.bank_id}/mass-balance", {"from": today, "to": today}
    for who in (town.operator, town.treasurer):
        (line,) = done(await asking.get(who, path, **days))["items"]
    assert line == {
        "day": today,
        "material": PET,
        "collected_grams": 6_000,
        "on_loads_grams": 1_000,
        "received_grams": 4_900,
        "weighing_difference_grams": 100,
        "sold_grams": 0,
        "missing_grams": 0,
        "residue_grams": 0,
        "stock_difference_grams": 0,
        "stock_grams": 4_900,
        "load_grams": 1_000,
        "balance_grams": 0,
    }
    told = done(await asking.get(town.city, path, **days))
    month_before = day_at(town.bank, utc_now()).replace(day=1) - timedelta(days=1)
    assert told == {
        "items": [],
        "next_cursor": None,
        "shown_until": str(month_before),
        "fewest_people": 5,
    }
    for who in (town.resident, town.collector):
        refused(await asking.get(who, path, **days), 403, "not_allowed")


@pytest.mark.parametrize(
    ("first", "last", "pointer"),
    [
        ("2026-11-22", "2026-11-21", "/to"),
        ("2026-01-01", "2027-01-02", "/to"),
        ("yesterday", "2026-11-22", "/from"),
        ("1700000000", "2026-11-22", "/from"),
        ("2026-02-30", "2026-11-22", "/from"),
        ("1999-12-31", "2000-01-01", "/from"),
        ("2026-11-22", "9999-12-31", "/to"),
        ("2026-11-22T00:00:00Z", "2026-11-22", "/from"),
    ],
)
async def test_days_that_can_not_be_are_refused(
    asking: Asking, quiet: Town, first: str, last: str, pointer: str
) -> None:
    for path in ("mass-balance", "loads/bias"):
        answer = await asking.get(
            quiet.treasurer, f"/v1/banks/{quiet.bank_id}/{path}", **{"from": first, "to": last}
        )
        refused(answer, 422, "request_malformed", pointer)


async def test_both_days_are_needed(asking: Asking, quiet: Town) -> None:
    path = f"/v1/banks/{quiet.bank_id}/mass-balance"
    answer = await asking.get(quiet.treasurer, path, to="2026-11-22")
    refused(answer, 422, "request_malformed", "/from")


async def test_a_city_sees_a_month_once_its_last_day_is_closed(
    asking: Asking, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, what is taken back is less of it: who looked twice would see what it was."""
    for _ in range(5):
        await bring(town, 1_000, resident=await another(town, Role.RESIDENT))
    first = day_at(town.bank, utc_now()).replace(day=1)
    following = next_month(first)
    after_midnight = midnight_of(town.bank, following) + timedelta(minutes=30)
    monkeypatch.setattr("service.api.mass.utc_now", lambda: after_midnight)
    path = f"/v1/banks/{town.bank_id}/mass-balance"
    month = {"from": str(first), "to": str(following)}
    told = done(await asking.get(town.city, path, **month))
    assert (told["items"], told["shown_until"]) == ([], str(first - DAY))
    async with town.database.transaction() as session:
        await ledger.turn_page(session, town.bank_id, following)
    told = done(await asking.get(town.city, path, **month))
    assert [line["collected_grams"] for line in told["items"]] == [5_000]
    assert told["shown_until"] == str(following - DAY)
