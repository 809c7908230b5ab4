"""Waste that a resident has listed and one collector fetches."""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from models.base import Table, new_id, one_of, text_of, utc_now, whole
from models.material import Condition


class PickupStatus(StrEnum):
    OPEN = "open"
    CLAIMED = "claimed"
    ARRIVED = "arrived"
    COLLECTED = "collected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


HELD = (PickupStatus.CLAIMED, PickupStatus.ARRIVED)
ENDED = (PickupStatus.COLLECTED, PickupStatus.CANCELLED, PickupStatus.EXPIRED)
_PLACED = text("place_forgotten_at IS NULL")
_ENDED_AND_PLACED = text(f"{one_of('status', ENDED)} AND place_forgotten_at IS NULL")
HELD_BY_NOBODY: dict[str, None] = {
    "collector_id": None,
    "claimed_at": None,
    "claimed_until": None,
    "arrived_at": None,
    "arrived_off_m": None,
    "route_id": None,
    "route_sequence": None,
    "leg_m": None,
    "closest_m": None,
}
"""What a pickup's columns are when it goes back on the board."""


class Pickup(Table, table=True):
    """One listing: where, when, how much, and who holds it.

    A claim is a lease with a number: every later write names both, so a phone that
    comes back late can't act on a claim that somebody else has by now.
    """

    MAX_CODE_TRIES: ClassVar[int] = 5

    __table_args__ = (
        ForeignKeyConstraint(["bank_id", "policy_id"], ["policy.bank_id", "policy.id"]),
        ForeignKeyConstraint(["bank_id", "route_id"], ["route.bank_id", "route.id"]),
        ForeignKeyConstraint(["bank_id", "receiving_id"], ["receiving.bank_id", "receiving.id"]),
        CheckConstraint(one_of("status", PickupStatus), "status"),
        CheckConstraint("lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", "position"),
        CheckConstraint("window_start < window_end", "window_forwards"),
        CheckConstraint("estimated_grams > 0 AND estimate_idr >= 0", "estimate"),
        CheckConstraint(
            "status NOT IN ('claimed', 'arrived')"
            " OR (collector_id IS NOT NULL AND claimed_until IS NOT NULL)",
            "held_by_one",
        ),
        # All that a search asks of a pickup: the rows themselves lie all over the table.
        Index(
            "ix_pickup_open_cell",
            "bank_id",
            "cell",
            "lat",
            "lon",
            "window_start",
            "window_end",
            "created_at",
            "id",
            "status",
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
        Index(
            "ix_pickup_open_created_at",
            "bank_id",
            "created_at",
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
        Index(
            "ix_pickup_held",
            "bank_id",
            "collector_id",
            "claimed_until",
            sqlite_where=text("status IN ('claimed', 'arrived')"),
            postgresql_where=text("status IN ('claimed', 'arrived')"),
        ),
        Index(
            "ix_pickup_on_load",
            "bank_id",
            "collector_id",
            "id",
            sqlite_where=text("status = 'collected' AND receiving_id IS NULL"),
            postgresql_where=text("status = 'collected' AND receiving_id IS NULL"),
        ),
        Index(
            "ix_pickup_placed",
            "bank_id",
            "created_at",
            sqlite_where=_ENDED_AND_PLACED,
            postgresql_where=_ENDED_AND_PLACED,
        ),
        Index("ix_pickup_receiving", "bank_id", "receiving_id"),
        Index("ix_pickup_resident", "bank_id", "resident_id", "id"),
        Index("ix_pickup_collector", "bank_id", "collector_id", "id"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    policy_id: UUID
    resident_id: UUID = Field(foreign_key="person.id")
    entered_by: UUID = Field(foreign_key="person.id")
    status: str = Field(default=PickupStatus.OPEN, sa_type=text_of(PickupStatus))
    lat: float
    lon: float
    cell: int = Field(sa_type=BigInteger, description="routing.geo.cell_of the position")
    address: str = Field(max_length=300)
    area: str = Field(max_length=80, description="What may be said of the place before a claim")
    note: str = Field(default="", max_length=500)
    window_start: datetime
    window_end: datetime
    estimated_grams: int = whole()
    estimate_idr: int = whole()
    collector_id: UUID | None = Field(default=None, foreign_key="person.id")
    claim_number: int = 0
    claimed_at: datetime | None = None
    claimed_until: datetime | None = None
    route_id: UUID | None = None
    route_sequence: int | None = None
    leg_m: int | None = Field(default=None, description="Metres to it that the fee counts")
    closest_m: int | None = Field(
        default=None, description="How near its collector has come, by what they reported"
    )
    receiving_id: UUID | None = Field(default=None, description="Its second weighing")
    arrived_at: datetime | None = None
    arrived_off_m: int | None = None
    code_tries: int = 0
    collected_at: datetime | None = None
    credited_idr: int | None = whole(None, nullable=True)
    ended_reason: str = Field(default="", max_length=300)
    place_forgotten_at: datetime | None = Field(
        default=None, description="Since then there is no address, and the position is rounded"
    )
    created_at: datetime = Field(default_factory=utc_now)

    @property
    def is_held(self) -> bool:
        return self.status in HELD

    def is_held_by(self, collector_id: UUID, now: datetime) -> bool:
        """Whether this collector has the pickup under a lease that still runs."""
        return (
            self.is_held
            and self.collector_id == collector_id
            and self.claimed_until is not None
            and self.claimed_until > now
        )

    @property
    def code_is_locked(self) -> bool:
        return self.code_tries >= self.MAX_CODE_TRIES

    @property
    def waits_for_decision(self) -> bool:
        """Whether a weighing with wrong codes waits for an operator."""
        return self.is_held and self.code_is_locked


class PickupItem(Table, table=True):
    """One line of a listing with the price locked for it, per unit of the material."""

    __tablename__ = "pickup_item"
    __table_args__ = (
        ForeignKeyConstraint(["bank_id", "pickup_id"], ["pickup.bank_id", "pickup.id"]),
        CheckConstraint(one_of("condition", Condition), "condition"),
        CheckConstraint("estimated_grams > 0 AND price_idr >= 0", "amounts"),
    )

    bank_id: UUID = Field(primary_key=True)
    pickup_id: UUID = Field(primary_key=True)
    line: int = Field(primary_key=True)
    material: str = Field(foreign_key="material.code", max_length=20)
    condition: str = Field(sa_type=text_of(Condition))
    estimated_grams: int = whole()
    price_idr: int = whole()


class Route(Table, table=True):
    """The drive that one claim of several jobs began."""

    __table_args__ = (
        Index(
            "ix_route_placed",
            "bank_id",
            "id",
            sqlite_where=_PLACED,
            postgresql_where=_PLACED,
        ),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    collector_id: UUID = Field(foreign_key="person.id")
    lat: float
    lon: float
    total_m: int
    total_s: int
    place_forgotten_at: datetime | None = Field(
        default=None, description="Since then its start is rounded"
    )
    created_at: datetime = Field(default_factory=utc_now)


class Refusal(Table, table=True):
    """A collector gave a job back; it isn't offered to them again that day."""

    __table_args__ = (
        ForeignKeyConstraint(["bank_id", "pickup_id"], ["pickup.bank_id", "pickup.id"]),
        Index("ix_refusal_collector", "bank_id", "collector_id", "refused_on"),
    )

    bank_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_id, primary_key=True)
    pickup_id: UUID
    collector_id: UUID = Field(foreign_key="person.id")
    refused_on: date = Field(description="The day at the bank")
    reason: str = Field(default="", max_length=300)
    created_at: datetime = Field(default_factory=utc_now)
