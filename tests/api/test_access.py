"""Every route in the name of everybody, held against the table of who may."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from sqlmodel.ext.asyncio.session import AsyncSession

from models.people import Membership, Person, Role
from service.api import access, reference
from service.api.access import TABLE, Access, Needs
from service.api.dependencies import Parts
from service.database import Database
from service.keys import Keys
from tests.api.asking import Asking, operations
from tests.api.house import House, full_house
from tests.factories import add_person, make_town

REFUSALS = {
    401: ("no_valid_token",),
    403: ("not_allowed", "no_own_drawer", "city_sees_sums"),
    404: ("no_such_thing",),
}
NOWHERE = {"GET /v1/jobs/nearest", "POST /v1/jobs/claim"}
"""Where neither path nor body names a bank: the caller's own is meant."""
OF_THE_RESIDENT = {"DELETE /v1/me/devices/{device_id}"}
"""What is somebody's own whatever part they play; the house has the resident's."""
RESIDENTS_ALONE = ("POST /v1/pickups ", "/payouts", "/passbooks/")
"""Here a collector needs the resident's card, or earnings of their own, which the house has not."""
UNDESCRIBED = {"/", "/docs", "/openapi.json"}


@dataclass(frozen=True, slots=True)
class Case:
    """Somebody: with which roles in the bank whose things are asked for, and in another one."""

    name: str
    who: Person | None
    here: frozenset[Role] = frozenset()
    there: frozenset[Role] = frozenset()
    concerned: bool = False
    """Whether the resident's, collector's or operator's things are theirs."""


def may(act: str, row: Access, case: Case) -> bool:
    """What the table says."""
    if row.needs is Needs.NOTHING or case.who is None:
        return row.needs is Needs.NOTHING
    if act in OF_THE_RESIDENT:
        return case.name == "resident here"
    if row.needs is Needs.TOKEN:
        return True
    if act in NOWHERE:
        return bool((case.here | case.there) & row.roles)
    own = set(row.own) if case.concerned or act.endswith("/loads") else set()
    if any(part in f"{act} " for part in RESIDENTS_ALONE):
        own -= {Role.COLLECTOR}
    return bool(case.here & (own | set(row.bank)))


async def everybody(database: Database, house: House) -> list[Case]:
    """Each role in the bank, in another bank, and not concerned; nobody, and a mixed one."""
    town, far = house.town, await make_town(database)
    async with database.transaction() as session:
        twins = {
            role: await add_person(session, town.bank_id, role)
            for role in (Role.RESIDENT, Role.COLLECTOR, Role.OPERATOR)
        }
        mixed = await add_person(session, far.bank_id, *set(Role) - {Role.RESIDENT})
        session.add(Membership(person_id=mixed.id, bank_id=town.bank_id, role=Role.RESIDENT))
        stranger = await add_person(session, town.bank_id)
    rest = frozenset(set(Role) - {Role.RESIDENT})
    return [
        Case("nobody", None),
        Case("stranger", stranger),
        Case("mixed", mixed, frozenset({Role.RESIDENT}), rest),
        *(
            Case(f"{role} here", getattr(town, role), frozenset({role}), concerned=True)
            for role in Role
        ),
        *(Case(f"{role} there", getattr(far, role), there=frozenset({role})) for role in Role),
        *(Case(f"second {role}", who, frozenset({role})) for role, who in twins.items()),
    ]


class TakenBack(Exception):
    """Ends the transaction of an act that was only tried."""


class TriedOnly(Database):
    """Takes every act back once it is done, so that each finds everything as it was."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        with suppress(TakenBack):
            async with super().transaction() as session:
                yield session
                raise TakenBack


@contextmanager
def nothing_is_kept(app: FastAPI, parts: Parts) -> Iterator[None]:
    """Acts are tried only, and streams end at once."""
    database = parts.database
    tried = TriedOnly(database.engine, database.reader, database.writer)
    tried.beside = database.beside
    app.state.parts = replace(parts, database=tried)
    app.state.streams.stopping.set()
    yield
    app.state.streams.stopping.clear()


async def ask(asking: Asking, act: str, house: House, who: Person | None) -> httpx.Response:
    method, template = act.split()
    return await asking.client.request(
        method,
        template.format_map(house.things),
        params=house.queries.get(act),
        json=house.bodies.get(act),
        headers=asking.headers(who),
    )


def wrong(act: str, case: Case, answer: httpx.Response, house: House) -> str | None:
    """What an answer has that the table doesn't say."""
    row, told = TABLE[act], f"{case.name}: {act}: {answer.status_code} {answer.text[:200]}"
    if answer.status_code >= 500:
        return told
    slugs = REFUSALS.get(answer.status_code, ())
    refused = answer.json()["type"] in [f"/problems/{slug}" for slug in slugs] if slugs else False
    if row.needs is Needs.NOTHING:
        return told if answer.status_code in (401, 403) and refused else None
    if may(act, row, case) == refused or (case.who is None) != (answer.status_code == 401):
        return told
    return told if not refused and shows_too_much(row, case, answer, house) else None


def shows_too_much(row: Access, case: Case, answer: httpx.Response, house: House) -> bool:
    """Whether a list that anybody may ask for has something of the bank for who isn't named."""
    if not row.roles or case.concerned or case.here & set(row.bank):
        return False
    if not answer.headers["Content-Type"].startswith("application/json"):
        return False
    bank_id = house.things["bank_id"]
    return any(item.get("bank_id", bank_id) == bank_id for item in answer.json().get("items", []))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_route_is_for_whom_the_table_says(
    app: FastAPI, asking: Asking, parts: Parts, keys: Keys
) -> None:
    house = await full_house(parts.database, asking, keys)
    cases = await everybody(parts.database, house)
    found = []
    with nothing_is_kept(app, parts):
        for act, row in TABLE.items():
            for case in cases if row.needs is not Needs.NOTHING else cases[:2]:
                answer = await ask(asking, act, house, case.who)
                found.append(wrong(act, case, answer, house))
    assert [each for each in found if each] == []
    assert len(cases) == 16


def test_the_page_is_of_this_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "api-access.md"
    assert page.read_text() == reference.page(), "python3 -m service.api.reference > docs/..."


def test_a_route_without_a_row_is_not_served(app: FastAPI) -> None:
    routes = app.router.routes
    router = APIRouter(prefix="/v1")
    router.get("/vaults")(lambda: None)
    with pytest.raises(access.RouteWithoutRow, match="GET /v1/vaults"):
        access.check([*routes, *router.routes])
    with pytest.raises(access.RouteWithoutRow, match="GET /v1/me"):
        access.check([one for one in routes if getattr(one, "path", "") != "/v1/me"])


def test_the_description_says_of_every_call_who_may(app: FastAPI) -> None:
    described = operations(app.openapi())
    for act, operation in described.items():
        row = TABLE[act]
        assert operation["x-roles"] == row.who()
        assert f"Who may: {', '.join(row.who())}" in operation["description"]
        said = {status: each["description"] for status, each in operation["responses"].items()}
        assert (row.needs is Needs.NOTHING) != ("no_valid_token" in said.get("401", "")), act
        # Devices are for who signed in here: somebody from a city's directory has none.
        if not any(
            part in act for part in ("/devices", "/sign-out", "/second-factor", "/me/phone")
        ):
            assert (row.needs is Needs.PART) == ("not_allowed" in said.get("403", "")), act
    assert set(described) == {act for act in TABLE if act.split()[1] not in UNDESCRIBED}


def test_a_bank_in_a_path_is_read_as_the_door_reads_it(app: FastAPI) -> None:
    for act, operation in operations(app.openapi()).items():
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path" and parameter["name"] == "bank_id":
                assert parameter["schema"]["format"] == "uuid", act
