"""Banks near me."""

import itertools
from uuid import uuid4

import pytest

from routing.geo import Point
from tests.api.asking import Asking, done, refused
from tests.factories import Town, make_town

BANKS = "/v1/banks"
MALFORMED = (422, "request_malformed")
ISLETS = itertools.count()
METRES_OF_A_HUNDREDTH_DEGREE = 1_105.74


def lonely_place() -> Point:
    """A place in the southern ocean that no other test has a bank near."""
    return Point(-60.0 + next(ISLETS), -100.0)


async def near(asking: Asking, here: Point, **query: int) -> list[dict[str, object]]:
    answer = await asking.get(None, BANKS, lat=here.lat, lon=here.lon, **query)
    items: list[dict[str, object]] = done(answer)["items"]
    return items


async def test_banks_come_nearest_first_with_their_distance(asking: Asking, town: Town) -> None:
    here = Point(0.0, -100.0 - next(ISLETS))
    away = {}
    for hundredths in (3, 1, 2):
        place = Point(here.lat + hundredths / 100, here.lon)
        away[hundredths] = str((await make_town(town.database, at=place)).bank_id)
    found = await near(asking, here, limit=3)
    assert [bank["id"] for bank in found] == [away[1], away[2], away[3]]
    distances = [bank["distance_m"] for bank in found]
    assert distances == [round(n * METRES_OF_A_HUNDREDTH_DEGREE) for n in (1, 2, 3)]


async def test_a_bank_tells_its_rules(asking: Asking, town: Town) -> None:
    here = lonely_place()
    own = await make_town(
        town.database,
        at=here,
        service_radius_m=3_000,
        min_pickup_grams=2_000,
        min_dropoff_grams=100,
        min_payout_idr=5_000,
    )
    (bank,) = await near(asking, here, limit=1)
    assert bank == {
        "id": str(own.bank_id),
        "name": own.bank.name,
        "kind": "unit",
        "address": "",
        "position": {"lat": here.lat, "lon": here.lon},
        "distance_m": 0,
        "served": True,
        "hours": "",
        "time_zone": "Asia/Jakarta",
        "settlement": "beli_putus",
        "service_radius_m": 3_000,
        "min_pickup_grams": 2_000,
        "min_dropoff_grams": 100,
        "min_payout_idr": 5_000,
    }


@pytest.mark.parametrize(("degrees", "served"), [(0.025, True), (0.03, False)])
async def test_a_place_is_served_within_the_banks_radius(
    asking: Asking, town: Town, degrees: float, served: bool
) -> None:
    place = lonely_place()
    await make_town(town.database, at=place, service_radius_m=3_000)
    (bank,) = await near(asking, Point(place.lat + degrees, place.lon), limit=1)
    assert bank["served"] is served


async def test_the_other_side_of_the_date_line_is_near(asking: Asking, town: Town) -> None:
    own = await make_town(town.database, at=Point(-17.0, 179.99))
    (bank,) = await near(asking, Point(-17.0, -179.99), limit=1)
    assert bank["id"] == str(own.bank_id)
    assert isinstance(bank["distance_m"], int)
    assert bank["distance_m"] < 2_200


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"lon": "98.87"}, "/lat"),
        ({"lat": "3.56"}, "/lon"),
        ({"lat": "utara", "lon": "98.87"}, "/lat"),
        ({"lat": "nan", "lon": "98.87"}, "/lat"),
        ({"lat": "3.56", "lon": "inf"}, "/lon"),
        ({"lat": "91", "lon": "98.87"}, "/lat"),
        ({"lat": "3.56", "lon": "-181"}, "/lon"),
    ],
)
async def test_banks_near_no_place_are_not_asked_for(
    asking: Asking, query: dict[str, str], pointer: str
) -> None:
    refused(await asking.get(None, BANKS, **query), *MALFORMED, pointer)


async def test_materials_are_found_by_any_part_of_their_name(asking: Asking, town: Town) -> None:
    everything = done(await asking.get(None, "/v1/materials"))["items"]
    assert {"KACA-BTL", "KAIN", "KRD-BGS", "PET-BNG-B"} <= {each["code"] for each in everything}
    found = done(await asking.get(None, "/v1/materials", q=" kaca "))["items"]
    assert [(each["code"], each["unit"]) for each in found] == [("KACA-BTL", "pcs")]
    assert done(await asking.get(None, "/v1/materials", q=str(uuid4())))["items"] == []
    refused(await asking.get(None, "/v1/materials", q="a" * 61), *MALFORMED, "/q")
