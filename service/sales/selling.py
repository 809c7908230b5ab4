"""Selling a batch: lots go first in, first out, and what they bring reaches their people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from models.sale import LotSale, Sale
from service import banks, events, lots
from service.ledger import Draft, Movement, chart
from service.lots import Proceeds, Taken
from service.sales import store
from service.sales.buyers import find_buyer
from service.sales.division import Division, Parts, Portion, before_of, divide, due_idr
from service.sales.unusual import check_usual

_INSERT_LOT_SALES = insert(LotSale)


@dataclass(frozen=True, slots=True)
class Batch:
    """Grams of one material for one buyer, and what they bring in all.

    `missing_grams` left the store with them, and the buyer's scale didn't find them.
    """

    bank_id: UUID
    buyer_id: UUID
    material: str
    grams: int
    amount_idr: int
    note: str
    sold_by: UUID
    missing_grams: int = 0
    unusual_confirmed: bool = False

    @property
    def gone_grams(self) -> int:
        """All that left the store: whose it was has a part in what the rest brings."""
        return self.grams + self.missing_grams


@dataclass(slots=True)
class _Got:
    """What one resident gets of a sale, over all their lots."""

    grams: int = 0
    amount_idr: int = 0
    share_idr: int = 0


async def sell(session: AsyncSession, batch: Batch) -> Sale:
    """Sell a batch and divide what it brings, by the rules in force.

    Raises NoSuchThing for the buyer, UnknownMaterial, UnusualSale or StockTooLow.
    """
    await find_buyer(session, batch.bank_id, batch.buyer_id)
    named = await store.name_of(session, batch.material)
    policy = await banks.policy_of(session, batch.bank_id)
    gone = batch.gone_grams
    taken = await lots.first_in(session, batch.bank_id, batch.material, grams=gone)
    parts = Parts(policy.residents_permille, policy.collectors_permille)
    portions = _portions(taken)
    check_usual(batch.amount_idr, gone, portions, confirmed=batch.unusual_confirmed)
    divided = divide(batch.amount_idr, gone, portions, parts)
    sale = await _save(session, batch, policy.id, divided)
    got = _by_resident(divided)
    moves = [*_to_the_buyer(sale), *_to_residents(sale, got), *_to_collectors(sale, divided)]
    draft = Draft("sale", moves, sale.sold_at, about_id=sale.id, actor_id=sale.sold_by, memo=named)
    await store.post(session, batch.bank_id, draft)
    await _tell(session, sale, got)
    return sale


def _portions(taken: Sequence[Taken]) -> list[Portion]:
    return [
        Portion(
            lot.lot_id,
            lot.resident_id,
            lot.collector_id,
            lot.grams,
            due_idr(lot.price_idr, lot.grams_per_unit, lot.grams, before_of(lot)),
        )
        for lot in taken
    ]


async def _save(session: AsyncSession, batch: Batch, policy_id: UUID, divided: Division) -> Sale:
    sale = Sale(
        bank_id=batch.bank_id,
        buyer_id=batch.buyer_id,
        policy_id=policy_id,
        material=batch.material,
        grams=batch.grams,
        missing_grams=batch.missing_grams,
        amount_idr=batch.amount_idr,
        lot_grams=divided.lot_grams,
        lots_idr=divided.lots_idr,
        residents_idr=divided.residents_idr,
        collectors_idr=divided.collectors_idr,
        kept_idr=divided.kept_idr,
        note=batch.note,
        sold_by=batch.sold_by,
    )
    session.add(sale)
    await session.flush()
    await _save_parts(session, sale, divided)
    return sale


async def _save_parts(session: AsyncSession, sale: Sale, divided: Division) -> None:
    """How much of which lot went, on the sale's side and on the lots'."""
    rows = [
        {
            "bank_id": sale.bank_id,
            "sale_id": sale.id,
            "lot_id": portion.lot_id,
            "grams": portion.grams,
            "amount_idr": amount,
            "share_idr": share,
        }
        for portion, amount, share in divided.paid
    ]
    if rows:
        connection = await session.connection()
        await connection.execute(_INSERT_LOT_SALES, rows)
    proceeds = [
        Proceeds(portion.lot_id, portion.grams, amount, share)
        for portion, amount, share in divided.paid
    ]
    await lots.mark_sold(session, sale.bank_id, proceeds)


def _by_resident(divided: Division) -> dict[UUID, _Got]:
    found: dict[UUID, _Got] = {}
    for portion, amount, share in divided.paid:
        got = found.setdefault(portion.resident_id, _Got())
        got.grams += portion.grams
        got.amount_idr += amount
        got.share_idr += share
    return found


def _to_the_buyer(sale: Sale) -> Iterator[Movement]:
    """Grams out of the store, found by the buyer's scale or not, and the money that is owed."""
    buyer, stock = sale.buyer_id, chart.stock(sale.material)
    key, out = f"sale:{sale.id}", chart.sold(buyer, sale.material)
    yield Movement(f"{key}:grams", out, stock, sale.grams)
    if sale.missing_grams:
        missing = chart.missing(buyer, sale.material)
        yield Movement(f"{key}:missing", missing, stock, sale.missing_grams)
    yield Movement(f"{key}:amount", chart.receivable(buyer), chart.SALES, sale.amount_idr)


def _to_residents(sale: Sale, got: dict[UUID, _Got]) -> Iterator[Movement]:
    """Rupiah for grams: what is due at their prices, and their share on a line of its own."""
    held = chart.goods_held(sale.material)
    for resident, gets in got.items():
        key, own = f"sale:{sale.id}:{resident}", chart.available(resident)
        yield Movement(f"{key}:goods", chart.goods(resident, sale.material), held, gets.grams)
        if gets.amount_idr:
            yield Movement(key, chart.PURCHASES, own, gets.amount_idr)
        if gets.share_idr:
            yield Movement(f"{key}:share", chart.PURCHASES, own, gets.share_idr)


def _to_collectors(sale: Sale, divided: Division) -> Iterator[Movement]:
    for collector, share in divided.collectors.items():
        key = f"sale:{sale.id}:{collector}:fee"
        yield Movement(key, chart.COLLECTOR_FEES, chart.earnings(collector), share)


async def _tell(session: AsyncSession, sale: Sale, got: dict[UUID, _Got]) -> None:
    """Let residents hear that their goods were sold, and what that brought them."""
    for resident, gets in got.items():
        body = {
            "sale_id": str(sale.id),
            "material": sale.material,
            "grams": gets.grams,
            "amount_idr": gets.amount_idr + gets.share_idr,
            "share_idr": gets.share_idr,
        }
        await events.record(session, sale.bank_id, "goods_sold", person_id=resident, body=body)
