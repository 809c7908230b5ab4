"""How tests ask over HTTP, and how they look at refusals."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import Uuid, bindparam, func, select

from models.people import Person
from models.registry import BANK_TABLES, METADATA
from service.keys import Keys
from tests.factories import LUBUK_PAKAM, PET, Town, bearer

HERE = {"lat": LUBUK_PAKAM.lat, "lon": LUBUK_PAKAM.lon}
JSON = {"Content-Type": "application/json"}

_BANK = bindparam("bank_id", type_=Uuid())
# Answers that were remembered and what the audit says of them are no change.
_COUNTS = select(
    *(
        select(func.count())
        .where(METADATA.tables[name].c.bank_id == _BANK)
        .scalar_subquery()
        .label(name)
        for name in sorted(BANK_TABLES - {"idempotency", "audit_entry"})
    )
)
_ROWS = {
    name: select(table).where(table.c.bank_id == _BANK).order_by(*table.primary_key)
    for name, table in METADATA.tables.items()
    if name in {"membership", "pickup", "payout", "ledger_balance", "receiving"}
}


@dataclass(frozen=True, slots=True)
class Asking:
    """Requests in the name of one person or of nobody."""

    client: httpx.AsyncClient
    keys: Keys

    async def get(self, who: Person | None, path: str, **query: Any) -> httpx.Response:
        return await self.client.get(path, params=query, headers=self.headers(who))

    async def post(
        self, who: Person | None, path: str, body: Any = None, *, key: str | None = "new"
    ) -> httpx.Response:
        """A POST with a new idempotency key, with this one, or with none."""
        return await self.client.post(path, json=body, headers=self.headers(who, key))

    async def post_raw(self, who: Person, path: str, content: str | bytes) -> httpx.Response:
        """A POST of what needn't be JSON."""
        return await self.client.post(path, content=content, headers=self.headers(who) | JSON)

    async def walk(self, who: Person | None, path: str, **query: Any) -> list[list[dict[str, Any]]]:
        """Every page of a list, cursor by cursor."""
        pages: list[list[dict[str, Any]]] = []
        cursor: dict[str, str] = {}
        while True:
            answer = await self.get(who, path, **query, **cursor)
            assert answer.status_code == 200, answer.text
            pages.append(answer.json()["items"])
            if answer.json()["next_cursor"] is None:
                return pages
            cursor = {"cursor": answer.json()["next_cursor"]}

    def headers(self, who: Person | None, key: str | None = "new") -> dict[str, str]:
        headers = bearer(self.keys, who) if who else {"Idempotency-Key": str(uuid4())}
        if key is None:
            del headers["Idempotency-Key"]
        elif key != "new":
            headers["Idempotency-Key"] = key
        return headers


def done(answer: httpx.Response, status: int = 200) -> Any:
    """What a request answered that went well."""
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def refused(answer: httpx.Response, status: int, slug: str, pointer: str | None = None) -> None:
    """Check that an answer is this problem, complete, and names the field at fault."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"/problems/{slug}", problem
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    if pointer is not None:
        assert pointer in [field["pointer"] for field in problem["errors"]], problem
        assert all(field["detail"] for field in problem["errors"])


def operations(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a description of the API says of each call, by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }


@asynccontextmanager
async def nothing_changes(town: Town) -> AsyncIterator[None]:
    """Check that the block leaves the bank as it was: rows, states and balances."""
    before = await _snapshot(town)
    yield
    assert await _snapshot(town) == before


async def _snapshot(town: Town) -> dict[str, Any]:
    bank = {"bank_id": town.bank_id}
    async with town.database.reading() as session:
        connection = await session.connection()
        seen: dict[str, Any] = {"counts": (await connection.execute(_COUNTS, bank)).one()}
        for name, query in _ROWS.items():
            seen[name] = (await connection.execute(query, bank)).all()
    return seen


def listing(town: Town, **changes: Any) -> dict[str, Any]:
    """What a resident sends to have waste fetched."""
    return {
        "bank_id": str(town.bank_id),
        "position": HERE,
        "address": "Jl. Diponegoro 12, Lubuk Pakam",
        "items": [item()],
        "note": "Pagar hijau",
    } | changes


def item(**changes: Any) -> dict[str, Any]:
    return {"material": PET, "condition": "clean", "estimated_grams": 5_000} | changes


def weighing(**changes: Any) -> dict[str, Any]:
    return {"material": PET, "condition": "clean", "grams": 5_000} | changes


def handover(keys: Keys, pickup_id: UUID, **changes: Any) -> dict[str, Any]:
    """What a collector sends from the door."""
    return {"handover_code": keys.handover_code(pickup_id), "weighings": [weighing()]} | changes


def payout(town: Town, amount_idr: Any = 10_000, **changes: Any) -> dict[str, Any]:
    return {"bank_id": str(town.bank_id), "amount_idr": amount_idr, "method": "cash"} | changes
