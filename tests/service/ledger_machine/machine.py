"""Hypothesis plays on the ledger; whatever it does, ledger and model agree."""

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from sqlalchemy import event

from service.database import Database, open_database
from tests import factories
from tests.service.ledger_machine.play import Play

WHO = st.integers(0, 1)
PART = st.integers(1, 115)
"""Per cent of what is there; the last few are too much."""
AMOUNT = st.integers(1, 10_000)


def not_durable(database: Database) -> None:
    """Spare a database that nobody needs tomorrow the wait for its disk."""
    if database.is_sqlite:
        event.listen(
            database.engine.sync_engine,
            "connect",
            lambda connection, _record: connection.execute("PRAGMA synchronous = OFF"),
        )


class Ground:
    """An event loop and a database for a machine, whose rules are no coroutines."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self.database: Database = open_database(url, pool_size=4)
        not_durable(self.database)
        self.accepted = 0
        self.refused = 0
        self.do(self._load_materials())

    def do(self, act: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(act)

    async def _load_materials(self) -> None:
        async with self.database.transaction() as session:
            await factories.load_materials(session)

    def close(self) -> None:
        self._runner.run(self.database.close())
        self._runner.close()


class LedgerMachine(RuleBasedStateMachine):
    """One bank for each example; every rule is one act of Play."""

    ground: ClassVar[Ground]

    @initialize(amount=AMOUNT)
    def begin(self, amount: int) -> None:
        town = self.ground.do(factories.make_town(self.ground.database))
        self.play = Play(town)
        self.act("weigh", 0, 1, amount)

    def act(self, name: str, who: int, part: int, amount: int) -> None:
        self.ground.do(self.play.act(name, who, part, amount))

    @rule(name=st.sampled_from(Play.ACTS), who=WHO, part=PART, amount=AMOUNT)
    def anything(self, name: str, who: int, part: int, amount: int) -> None:
        self.act(name, who, part, amount)

    @rule(who=WHO, amount=AMOUNT, part=st.integers(1, 95))
    def fill_and_hold(self, who: int, amount: int, part: int) -> None:
        self.act("weigh", who, part, amount)
        self.act("hold", who, part, amount)

    def teardown(self) -> None:
        if not hasattr(self, "play"):
            return
        self.ground.do(self.play.replay())
        self.ground.accepted += self.play.model.accepted
        self.ground.refused += self.play.model.refused
