"""Whatever is posted, in whatever order, the ledger agrees with a plain model of itself."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from models.base import utc_now
from models.ledger import TransferKind
from service import ledger
from service.database import Database
from service.errors import Conflict
from service.ledger import BalanceTooLow, Draft, HoldAlreadyResolved, Movement, chart
from service.prices import amount_idr
from tests.factories import Town, make_town

ACTS = st.lists(
    st.tuples(
        st.sampled_from(["credit", "hold", "hold", "settle", "settle", "void", "spend"]),
        st.integers(min_value=1, max_value=1_000),
        st.integers(min_value=0, max_value=3),
    ),
    min_size=5,
    max_size=25,
)


@dataclass
class Model:
    """What a resident's account should be."""

    balance: int = 0
    open_holds: dict[UUID, int] = field(default_factory=dict)
    resolved: list[tuple[UUID, int]] = field(default_factory=list)
    accepted: int = 0
    refused: int = 0

    @property
    def held(self) -> int:
        return sum(self.open_holds.values())

    @property
    def free(self) -> int:
        return self.balance - self.held


@settings(max_examples=25)
@given(acts=ACTS)
async def test_the_ledger_agrees_with_a_plain_model(
    database: Database, acts: list[tuple[str, int, int]]
) -> None:
    town = await make_town(database)
    model = Model()
    for kind, amount, which in acts:
        await _act(town, model, kind, amount, which)
        async with database.reading() as session:
            found = await ledger.standing(session, town.bank_id, town.resident.id)
        assert (found.available_idr, found.held_idr) == (model.free, model.held)
    async with database.reading() as session:
        result = await ledger.verify(session, [town.bank_id])
        rows = await ledger.trial_balance(session, town.bank_id)
    assert result.findings == []
    assert result.transfers == model.accepted
    assert sum(row.balance for row in rows) == 0


async def _act(town: Town, model: Model, kind: str, amount: int, which: int) -> None:
    """Do one act on the ledger and, if it should be allowed, on the model."""
    available = chart.available(town.resident.id)
    if kind == "credit":
        await _post(town, model, Movement(_key(), chart.PURCHASES, available, amount))
        model.balance += amount
    elif kind == "spend":
        spend = Movement(_key(), available, chart.CASH, amount)
        if await _post(town, model, spend, expected=amount <= model.free) is not None:
            model.balance -= amount
    elif kind == "hold":
        wanted = Movement(_key(), available, chart.IN_TRANSIT, amount, TransferKind.HOLD)
        held = await _post(town, model, wanted, expected=amount <= model.free)
        if held is not None:
            model.open_holds[held] = amount
    else:
        await _resolve(town, model, TransferKind(kind), amount, which)


async def _resolve(town: Town, model: Model, kind: TransferKind, amount: int, which: int) -> None:
    """Mostly an open hold; every fourth time one that was resolved before."""
    again = which == 3 and bool(model.resolved)
    if not again and not model.open_holds:
        return
    hold_id, held = model.resolved[0] if again else next(iter(model.open_holds.items()))
    part = held if kind == TransferKind.VOID else min(amount, held)
    movement = Movement(
        _key(), chart.available(town.resident.id), chart.IN_TRANSIT, part, kind, hold_id
    )
    if await _post(town, model, movement, expected=not again) is None:
        return
    model.resolved.append((hold_id, held))
    del model.open_holds[hold_id]
    model.balance -= part if kind == TransferKind.SETTLE else 0


async def _post(
    town: Town, model: Model, movement: Movement, *, expected: bool = True
) -> UUID | None:
    try:
        async with town.database.transaction() as session:
            draft = Draft("test", [movement], event_at=utc_now())
            (posted,) = await ledger.post(session, town.bank_id, draft)
    except Conflict as refusal:
        assert not expected, refusal
        assert isinstance(refusal, BalanceTooLow | HoldAlreadyResolved)
        model.refused += 1
        return None
    assert expected, movement
    model.accepted += 1
    return posted


def _key() -> str:
    return f"model:{uuid4()}"


@given(
    price=st.integers(min_value=0, max_value=10**6),
    grams=st.integers(min_value=0, max_value=5 * 10**6),
    per_unit=st.integers(min_value=1, max_value=10_000),
)
def test_an_amount_is_the_nearest_rupiah(price: int, grams: int, per_unit: int) -> None:
    exact_times_two = 2 * price * grams
    rounded = amount_idr(price, grams, per_unit)
    assert -per_unit <= exact_times_two - 2 * per_unit * rounded < per_unit


def test_half_a_rupiah_rounds_up() -> None:
    assert amount_idr(1, 500, 1_000) == 1
    assert amount_idr(1, 499, 1_000) == 0
    assert amount_idr(500, 200, 400) == 250
