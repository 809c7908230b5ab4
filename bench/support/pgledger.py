"""pgledger, a ledger in SQL functions, as a measure of the same work on the same server.

It isn't part of this product: its `pgledger.sql` and the `vendor` folder beside it are read
from the path that is given.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from bench.support.rounds import Act

_OPEN = (
    "SELECT a.id FROM generate_series(1, $1) n,"
    " LATERAL pgledger_create_account('account ' || n, 'IDR') a"
)
_ONE = "SELECT id FROM pgledger_create_transfer($1, $2, $3)"
_MANY = "SELECT id FROM pgledger_create_transfers($1::transfer_request[])"


def scripts_in(path: Path) -> list[str]:
    """What makes its tables and functions: what it vendors, then its own script."""
    script = path if path.is_file() else path / "pgledger.sql"
    vendored = sorted(script.parent.glob("vendor/**/*.sql"))
    return [file.read_text() for file in (*vendored, script)]


class PgLedger:
    """pgledger with its accounts, called through asyncpg."""

    def __init__(self, connections: Sequence[Any], accounts: list[str], hot: str) -> None:
        self._connections = connections
        self._accounts = accounts
        self._hot = hot

    @classmethod
    async def install(
        cls, connections: Sequence[Any], scripts: list[str], accounts: int
    ) -> "PgLedger":
        """Run its scripts in this database, and open so many accounts."""
        first: asyncpg.Connection = connections[0]
        for script in scripts:
            await first.execute(script)
        ids = [row[0] for row in await first.fetch(_OPEN, accounts + 1)]
        return cls(connections, ids[:-1], ids[-1])

    def one(self, *, hot: bool) -> Act:
        """One transfer; with `hot`, always from the same account."""

        async def act(caller: int) -> int:
            sides = random.sample(self._accounts, 2)
            if hot:
                sides[0] = self._hot
            await self._connections[caller].fetch(_ONE, *sides, 100)
            return 1

        return act

    def many(self, count: int) -> Act:
        """So many transfers in its own batch."""

        async def act(caller: int) -> int:
            wanted = [(*random.sample(self._accounts, 2), 100) for _ in range(count)]
            await self._connections[caller].fetch(_MANY, wanted)
            return count

        return act
