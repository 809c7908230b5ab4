"""Shared sales (bagi hasil): lots that wait for their buyer, and what became of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from models.base import Table, new_id, one_of, text_of, utc_now, whole
from models.material import Condition


class Lot(Table, table=True):
    """Grams of one resident in the bank's store, unpaid until they are sold.

    The price is the resident's snapshot, per unit of `grams_per_unit`. With 0 grams its
    weighing was taken back.
    """

    __table_args__ = (
        ForeignKeyConstraint(["bank_id", "pickup_id"], ["pickup.bank_id", "pickup.id"]),
        ForeignKeyConstraint(["bank_id", "dropoff_id"], ["dropoff.bank_id", "dropoff.id"]),
        CheckConstraint("(pickup_id IS NULL) <> (dropoff_id IS NULL)", "one_origin"),
        CheckConstraint(one_of("condition", Condition), "condition"),
        CheckConstraint("grams >= 0 AND price_idr >= 0 AND grams_per_unit > 0", "amounts"),
        CheckConstraint("sold_grams >= 0 AND sold_grams <= grams", "sold_once"),
        CheckConstraint("paid_idr >= 0 AND shared_idr >= 0", "paid"),
        Index(
            "ix_lot_unsold",
            "bank_id",
            "material",
            "weighed_at",
            "id",
            sqlite_where=text("sold_grams < grams"),
            postgresql_where=text("sold_grams < grams"),
        ),
        Index("ix_lot_resident", "bank_id", "resident_id", "id"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="person.id")
    collector_id: UUID | None = Field(default=None, foreign_key="person.id")
    pickup_id: UUID | None = None
    dropoff_id: UUID | None = None
    material: str = Field(foreign_key="material.code", max_length=20)
    condition: str = Field(sa_type=text_of(Condition))
    grams: int = whole()
    price_idr: int = whole()
    grams_per_unit: int
    weighed_at: datetime
    sold_grams: int = whole(0)
    paid_idr: int = whole(0, description="At the snapshot price, so far")
    shared_idr: int = whole(0, description="Of what sales brought beyond it, so far")


class Buyer(Table, table=True):
    """Whom a bank sells to: a collector's yard, an off-taker, a factory."""

    __table_args__ = (UniqueConstraint("bank_id", "name"),)

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(max_length=120)
    phone: str = Field(default="", max_length=16)
    note: str = Field(default="", max_length=300)
    entered_by: UUID | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=utc_now)


class Sale(Table, table=True):
    """A batch of one material sold, and how its money was divided.

    amount = lots at their snapshots + residents' share + collectors' share + what the bank keeps.
    One that was taken back as a mistake stays on record.
    """

    __table_args__ = (
        ForeignKeyConstraint(["bank_id", "buyer_id"], ["buyer.bank_id", "buyer.id"]),
        ForeignKeyConstraint(["bank_id", "policy_id"], ["policy.bank_id", "policy.id"]),
        CheckConstraint("grams > 0 AND amount_idr >= 0", "sold_something"),
        CheckConstraint("missing_grams >= 0 AND missing_grams <= grams", "missing"),
        CheckConstraint("lot_grams >= 0 AND lot_grams <= grams + missing_grams", "lots"),
        CheckConstraint(
            "lots_idr >= 0 AND residents_idr >= 0 AND collectors_idr >= 0 AND kept_idr >= 0"
            " AND amount_idr = lots_idr + residents_idr + collectors_idr + kept_idr",
            "nothing_left_over",
        ),
        Index("ix_sale_buyer", "bank_id", "buyer_id", "id"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    buyer_id: UUID
    policy_id: UUID
    material: str = Field(foreign_key="material.code", max_length=20)
    grams: int = whole()
    missing_grams: int = whole(
        0, description="Left the store too, and not found by the buyer's scale"
    )
    amount_idr: int = whole()
    lot_grams: int = whole(description="Of residents' lots; the rest was the bank's own")
    lots_idr: int = whole()
    residents_idr: int = whole()
    collectors_idr: int = whole()
    kept_idr: int = whole()
    note: str = Field(default="", max_length=300)
    sold_by: UUID = Field(foreign_key="person.id")
    sold_at: datetime = Field(default_factory=utc_now)
    taken_back_at: datetime | None = None


class LotSale(Table, table=True):
    """How much of a lot went with a sale, and what its resident got for it."""

    __tablename__ = "lot_sale"
    __table_args__ = (
        ForeignKeyConstraint(["bank_id", "sale_id"], ["sale.bank_id", "sale.id"]),
        ForeignKeyConstraint(["bank_id", "lot_id"], ["lot.bank_id", "lot.id"]),
        CheckConstraint("grams > 0 AND amount_idr >= 0 AND share_idr >= 0", "amounts"),
        Index("ix_lot_sale_lot", "bank_id", "lot_id"),
    )

    bank_id: UUID = Field(primary_key=True)
    sale_id: UUID = Field(primary_key=True)
    lot_id: UUID = Field(primary_key=True)
    grams: int = whole()
    amount_idr: int = whole(description="At the snapshot price, or less if the sale brought less")
    share_idr: int = whole(0)
    taken_back_at: datetime | None = None
