"""Acts on the ledger and on its model at once; they must come to the same.

Every act takes three numbers, so that hypothesis and a plain random run can both choose
them: who it is about, what per cent of what is there, and an amount.
"""

from collections.abc import Iterator
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from models.base import utc_now
from models.ledger import Balance, Transfer, TransferKind
from service import ledger
from service.errors import Conflict
from service.ledger import Draft, Movement, Place, chart
from tests.factories import PET, Town
from tests.service.ledger_machine.model import Counters, Model, Posted

_BUYER = uuid4()
# Some with one row of counters on PostgreSQL too: on another shard counters would go below 0,
# and hide that nothing else refuses.
_HOLDS_GO_TO = (chart.IN_TRANSIT, chart.SUSPENSE, chart.CASH_DIFFERENCE, chart.SUSPENSE)


class Disagreement(AssertionError):
    """Ledger and model differ, the replay found something, or a guard let something through."""

    def __init__(self, by: str, what: str) -> None:
        self.by = by
        super().__init__(f"{by}: {what}")


class Play:
    """One bank's ledger and the model of it."""

    ACTS = (
        "weigh", "weigh", "fetch", "receive", "sell", "hold", "hold", "settle", "settle", "void",
        "spend", "spend", "undo", "undo_again", "twice", "resolve_again", "misfit", "wander", "dip", "turn",
    )  # fmt: skip

    def __init__(self, town: Town) -> None:
        self.town = town
        self.model = Model()
        self._people = (town.resident.id, town.operator.id)
        self._collector = town.collector.id

    async def act(self, name: str, who: int, part: int, amount: int) -> None:
        """Do one act, and compare every counter afterwards."""
        await getattr(self, name)(self._people[who % 2], part, amount)
        await self._compare()

    async def weigh(self, who: UUID, part: int, amount: int) -> None:
        """At the counter: rupiah, and grams into the store."""
        await self._post(
            _move(chart.PURCHASES, chart.available(who), amount),
            _move(chart.stock(PET), chart.source(who, PET), amount + part),
        )

    async def fetch(self, who: UUID, part: int, amount: int) -> None:
        """At the door: grams onto the vehicle, goods in the resident's name, and a fee."""
        await self._post(
            _move(chart.goods_held(PET), chart.goods(who, PET), amount),
            _move(chart.load(self._collector, PET), chart.source(who, PET), amount),
            _move(chart.COLLECTOR_FEES, chart.earnings(self._collector), part),
        )

    async def receive(self, _who: UUID, part: int, amount: int) -> None:
        """From the vehicle into the store, and what is missing into the difference."""
        load = chart.load(self._collector, PET)
        grams = self._part_of(load, part)
        missing = min(amount % 7, grams - 1)
        moves = [_move(chart.stock(PET), load, grams - missing)]
        if missing:
            moves.append(_move(chart.weighing_difference(PET), load, missing))
        await self._post(*moves)

    async def sell(self, who: UUID, part: int, amount: int) -> None:
        """Out of the store to a buyer; a resident's goods with it; the money is owed."""
        grams = self._part_of(chart.stock(PET), part)
        goods = self._part_of(chart.goods(who, PET), part)
        await self._post(
            _move(chart.sold(_BUYER, PET), chart.stock(PET), grams),
            _move(chart.goods(who, PET), chart.goods_held(PET), goods),
            _move(chart.receivable(_BUYER), chart.SALES, amount),
        )

    async def hold(self, who: UUID, part: int, amount: int) -> None:
        """A part of what is there, mostly for a payout."""
        mine, into = chart.available(who), _HOLDS_GO_TO[amount % 4]
        held = Movement(_key(), mine, into, self._part_of(mine, part), TransferKind.HOLD)
        await self._post(held)

    async def settle(self, _who: UUID, part: int, _amount: int) -> None:
        """Pay out what was held, or a part of it; the money leaves the drawer."""
        for hold_id, held in list(self.model.open_holds.items())[:1]:
            paid = max(1, min(held.amount, held.amount * part // 100))
            settled = _resolution(hold_id, held, paid, TransferKind.SETTLE)
            await self._post(settled, _move(held.credit, chart.CASH, paid))

    async def void(self, _who: UUID, _part: int, _amount: int) -> None:
        for hold_id, held in list(self.model.open_holds.items())[-1:]:
            await self._post(_resolution(hold_id, held, held.amount, TransferKind.VOID))

    async def spend(self, who: UUID, part: int, amount: int) -> None:
        mine, into = chart.available(who), (chart.SUSPENSE if amount % 2 else chart.CASH)
        await self._post(_move(mine, into, self._part_of(mine, part)))

    async def undo(self, _who: UUID, part: int, _amount: int) -> None:
        """Reverse an act of postings."""
        acts = [act for act in self.model.acts if {move.kind for move in act.moves} == {"post"}]
        if acts:
            await self._undo(acts[part % len(acts)])

    async def undo_again(self, _who: UUID, part: int, _amount: int) -> None:
        """Reverse what was reversed already; the bank got money since, so that it could."""
        acts = [act for act in self.model.acts if act.journal_id in self.model.reversed_ids]
        if acts:
            act = acts[part % len(acts)]
            await self._post(*(_move(move.debit, move.credit, move.amount) for move in act.moves))
            await self._undo(act)

    async def _undo(self, act: Posted) -> None:
        back = [_move(move.credit, move.debit, move.amount) for move in act.moves]
        await self._post(*back, reverses_id=act.journal_id)

    async def twice(self, _who: UUID, part: int, _amount: int) -> None:
        """The same key again."""
        posts = [act.moves for act in self.model.acts if act.moves[0].kind == "post"]
        if posts:
            await self._post(posts[part % len(posts)][0])

    async def resolve_again(self, _who: UUID, part: int, _amount: int) -> None:
        for hold_id, held in list(self.model.resolved_holds.items())[-1:]:
            kind = TransferKind.VOID if part % 2 else TransferKind.SETTLE
            await self._post(_resolution(hold_id, held, held.amount, kind))

    async def dip(self, who: UUID, part: int, amount: int) -> None:
        """Spend too much, and get it back in the same act: on the way it is too low."""
        mine = chart.available(who)
        too_much = self.model.free(mine) + part
        await self._post(
            _move(mine, chart.CASH, too_much), _move(chart.PURCHASES, mine, too_much + amount)
        )

    async def misfit(self, _about: UUID, _part: int, _amount: int) -> None:
        """Resolutions that don't fit their hold, one of each kind; all must be refused."""
        for who, into in zip(2 * self._people, _HOLDS_GO_TO[1:], strict=False):
            await self._post(Movement(_key(), chart.available(who), into, 2, TransferKind.HOLD))
        wrong = {
            kind: each
            for hold_id, held in self.model.open_holds.items()
            for kind, each in self._misfits(hold_id, held)
        }
        for each in wrong.values():
            await self._refuses_misfit(each)

    def _misfits(self, hold_id: UUID, held: Movement) -> Iterator[tuple[str, Movement]]:
        """Too much, a part, of other accounts' holds, and of what was no hold at all.

        Counters that can't go below 0 refuse most of these as well, so the other accounts
        are such as hold as much themselves.
        """
        settle, void = TransferKind.SETTLE, TransferKind.VOID
        yield "more", _resolution(hold_id, held, held.amount + 1, settle)
        if held.amount > 1:
            yield "part", _resolution(hold_id, held, held.amount - 1, void)
        for other in self.model.open_holds.values():
            if other.amount >= held.amount and other.debit != held.debit:
                yield "debit", _resolution(hold_id, held, held.amount, void, debit=other.debit)
            one_row = not (other.credit.hot or held.credit.hot)
            if other.amount >= held.amount and other.credit != held.credit and one_row:
                yield "credit", _resolution(hold_id, held, held.amount, void, credit=other.credit)
        for act in self.model.acts:
            move = act.moves[0]
            same = (move.debit, move.credit, move.kind) == (held.debit, held.credit, "post")
            if same and move.amount <= held.amount:
                yield "post", _resolution(act.ids[0], move, move.amount, void)

    async def wander(self, who: UUID, part: int, amount: int) -> None:
        """Any rupiah from anywhere to anywhere: floors hold on whichever side they are."""
        places = [
            chart.available(who),
            chart.pending(who),
            chart.earnings(self._collector),
            chart.CASH,
            chart.SUSPENSE,
        ]
        debit = places.pop(part % 5)
        await self._post(_move(debit, places[amount % 4], amount))

    async def turn(self, _who: UUID, _part: int, _amount: int) -> None:
        """Turn the page; what comes next stands on the new one."""
        async with self.town.database.transaction() as session:
            last = await ledger.open_page(session, self.town.bank_id)
            closed = await ledger.turn_page(session, self.town.bank_id, last.day)
            if closed != last.number:
                raise Disagreement("model", f"turned page {closed}, not {last.number}")

    async def replay(self) -> None:
        """The replay finds nothing, and as many transfers as the model has."""
        bank_id = self.town.bank_id
        async with self.town.database.reading() as session:
            result = await ledger.verify(session, [bank_id])
            rows = await ledger.trial_balance(session, bank_id)
        if result.findings:
            raise Disagreement("verify", str(result.findings[:3]))
        if result.transfers != sum(len(act.moves) for act in self.model.acts):
            raise Disagreement("model", f"{result.transfers} transfers")
        for unit in {row.unit for row in rows}:
            if sum(row.balance for row in rows if row.unit == unit):
                raise Disagreement("model", f"{unit} does not sum to zero")

    def _part_of(self, place: Place, part: int) -> int:
        return max(1, self.model.free(place) * part // 100)

    async def _post(self, *moves: Movement, reverses_id: UUID | None = None) -> None:
        expected = self.model.refusal(moves, reverses_id)
        draft = Draft("test", moves, event_at=utc_now(), reverses_id=reverses_id)
        try:
            async with self.town.database.transaction() as session:
                ids = await ledger.post(session, self.town.bank_id, draft)
        except (Conflict, DBAPIError) as refusal:
            if type(refusal) is not expected:
                raise Disagreement("model", f"refused, {refusal!r}: {moves}") from refusal
            self.model.refused += 1
            return
        if expected is not None:
            raise Disagreement("model", f"taken, not {expected.__name__}: {moves}")
        self.model.take(Posted(await self._journal_of(ids[0]), moves, ids), reverses_id)

    async def _refuses_misfit(self, wrong: Movement) -> None:
        try:
            async with self.town.database.transaction() as session:
                await ledger.post(
                    session, self.town.bank_id, Draft("test", [wrong], event_at=utc_now())
                )
        except (Conflict, DBAPIError):
            self.model.refused += 1
            return
        raise Disagreement("model", f"a misfit was taken: {wrong}")

    async def _journal_of(self, transfer_id: UUID) -> UUID:
        async with self.town.database.reading() as session:
            query = select(col(Transfer.journal_id)).where(
                col(Transfer.bank_id) == self.town.bank_id, col(Transfer.id) == transfer_id
            )
            connection = await session.connection()
            found: UUID = (await connection.execute(query)).scalar_one()
            return found

    async def _compare(self) -> None:
        found = await self._counters()
        empty = Counters()
        for place, wanted in self.model.counters.items():
            if found.pop(place.id_in(self.town.bank_id), empty) != wanted:
                raise Disagreement("model", f"{place.code} is not {wanted}")
        if left := {key: value for key, value in found.items() if value != empty}:
            raise Disagreement("model", f"other accounts moved: {left}")

    async def _counters(self) -> dict[UUID, Counters]:
        columns = ("debits_posted", "credits_posted", "debits_pending", "credits_pending")
        query = (
            select(col(Balance.account_id), *(func.sum(getattr(Balance, name)) for name in columns))
            .where(col(Balance.bank_id) == self.town.bank_id)
            .group_by(col(Balance.account_id))
        )
        async with self.town.database.reading() as session:
            rows = (await (await session.connection()).execute(query)).all()
        return {row[0]: Counters(*map(int, row[1:])) for row in rows}


def _resolution(
    hold_id: UUID,
    held: Movement,
    amount: int,
    kind: TransferKind,
    *,
    debit: Place | None = None,
    credit: Place | None = None,
) -> Movement:
    return Movement(_key(), debit or held.debit, credit or held.credit, amount, kind, hold_id)


def _move(debit: Place, credit: Place, amount: int) -> Movement:
    return Movement(_key(), debit, credit, amount)


def _key() -> str:
    return f"model:{uuid4()}"
