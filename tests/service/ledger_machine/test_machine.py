"""All postings, holds, reversals and pages against a plain model, on both engines."""

import random

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.factories import Town
from tests.service.ledger_machine import outside
from tests.service.ledger_machine.machine import Ground, LedgerMachine
from tests.service.ledger_machine.play import Play


def test_the_ledger_agrees_with_its_model_whatever_is_done(database_url: str) -> None:
    ground = Ground(database_url)
    machine = type("Machine", (LedgerMachine,), {"ground": ground})
    try:
        run_state_machine_as_test(
            machine, settings=settings(max_examples=12, stateful_step_count=30, deadline=None)
        )
    finally:
        ground.close()
    acts = ground.accepted + ground.refused
    assert acts > 150
    # Most steps must do something: a generator that is mostly refused lets faults live.
    assert ground.accepted / acts >= 0.5, f"{ground.accepted} of {acts}"


async def test_a_short_run_agrees(town: Town) -> None:
    """The same acts without hypothesis, quick enough to be asked hundreds of times."""
    chance, play = random.Random(4711), Play(town)
    for _ in range(75):
        name = chance.choice(Play.ACTS)
        await play.act(name, chance.randrange(2), chance.randint(1, 115), chance.randint(1, 9_999))
    await play.replay()
    await outside.guards_hold(town.database)
    assert play.model.accepted > play.model.refused > 5
