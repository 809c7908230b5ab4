"""Waste banks, the rules each one sets, and where they are."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field

from models.base import Table, new_id, one_of, text_of, utc_now, whole
from models.payout import FeeBy


class BankKind(StrEnum):
    UNIT = "unit"
    MAIN = "main"


class Settlement(StrEnum):
    """When a resident's waste becomes rupiah."""

    OUTRIGHT = "beli_putus"
    """Bought at weighing; the bank bears what prices do."""
    SHARED = "bagi_hasil"
    """Grams are credited; rupiah follow when the batch is sold, and gains are shared."""


class CreditWhen(StrEnum):
    """Which weighing makes a pickup's credit available."""

    DOOR = "door"
    STATION = "station"


class District(Table, table=True):
    """A kecamatan, by its code of the Ministry of Home Affairs."""

    code: str = Field(primary_key=True, max_length=8)
    regency_code: str = Field(max_length=5)
    name: str = Field(max_length=80)
    villages: int


class Bank(Table, table=True):
    """A waste bank: bank sampah unit, or the main bank of a regency (induk)."""

    __table_args__ = (
        CheckConstraint(one_of("kind", BankKind), "kind"),
        CheckConstraint("lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", "position"),
        UniqueConstraint("name"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(max_length=120)
    kind: str = Field(default=BankKind.UNIT, sa_type=text_of(BankKind))
    address: str = Field(default="", max_length=300)
    district_code: str | None = Field(default=None, foreign_key="district.code")
    lat: float
    lon: float
    time_zone: str = Field(default="Asia/Jakarta", max_length=40)
    hours: str = Field(default="", max_length=200, description="As OpenStreetMap writes them")
    created_at: datetime = Field(default_factory=utc_now)


class Policy(Table, table=True):
    """The rules of a bank from an instant on; the newest that has begun is in force.

    A row never changes, so a pickup that names its policy keeps its terms.
    """

    __table_args__ = (
        UniqueConstraint("bank_id", "valid_from"),
        CheckConstraint("service_radius_m > 0", "service_radius"),
        CheckConstraint("min_pickup_grams >= 0 AND min_dropoff_grams >= 0", "minimum_weights"),
        CheckConstraint("min_payout_idr > 0", "minimum_payout"),
        CheckConstraint("age_floor_m > 0 AND age_tau_s >= 0", "ageing"),
        CheckConstraint("max_held_jobs > 0 AND lease_s > 0", "claims"),
        CheckConstraint("max_held_grams > 0", "held_grams"),
        CheckConstraint(
            "road_factor >= 1 AND road_extra_m >= 0 AND road_speed_kmh > 0", "road_estimate"
        ),
        CheckConstraint("fee_per_stop_idr >= 0 AND fee_per_kg_idr >= 0", "fees"),
        CheckConstraint(
            "fee_per_km_idr >= 0 AND fee_free_m >= 0 AND fee_floor_idr >= 0", "fees_by_distance"
        ),
        CheckConstraint(one_of("settlement", Settlement), "settlement"),
        CheckConstraint(one_of("credit_when", CreditWhen), "credit_when"),
        CheckConstraint(
            "tolerance_permille BETWEEN 0 AND 1000 AND tolerance_grams >= 0", "tolerance"
        ),
        CheckConstraint(
            "residents_permille >= 0 AND collectors_permille >= 0"
            " AND residents_permille + collectors_permille <= 1000",
            "parts",
        ),
        CheckConstraint("correction_limit_idr >= 0", "correction_limit"),
        CheckConstraint("payout_expires_h > 0", "payout_expires"),
        CheckConstraint(one_of("payout_fee_by", FeeBy), "payout_fee_by"),
        CheckConstraint("payout_fee_permille BETWEEN 0 AND 1000", "payout_fee"),
        CheckConstraint("payout_weekday BETWEEN 0 AND 7", "payout_weekday"),
        CheckConstraint("destination_waits_h >= 0", "destination_waits"),
        CheckConstraint("assisted_payout_limit_idr >= 0", "assisted_payout_limit"),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    valid_from: datetime = Field(default_factory=utc_now)
    service_radius_m: int = 25_000
    min_pickup_grams: int = whole(1_000)
    min_dropoff_grams: int = whole(0)
    min_payout_idr: int = whole(1_000)
    age_floor_m: float = 500.0
    age_tau_s: float = Field(default=14_400.0, description="0 is pure nearest-first")
    max_held_jobs: int = 20
    max_held_grams: int = whole(
        400_000, description="Estimated, of all held at a time; about what a motor tricycle carries"
    )
    lease_s: int = 3_600
    road_factor: float = Field(default=1.45, description="Road metres for one straight metre")
    road_extra_m: float = Field(default=250.0, description="Road metres that every drive adds")
    road_speed_kmh: float = 20.0
    fee_per_stop_idr: int = whole(1_000)
    fee_per_kg_idr: int = whole(150)
    fee_per_km_idr: int = whole(0)
    fee_free_m: int = Field(default=0, description="Metres of a leg that earn nothing extra")
    fee_floor_idr: int = whole(0, description="A stop earns at least this")
    settlement: str = Field(default=Settlement.OUTRIGHT, sa_type=text_of(Settlement))
    credit_when: str = Field(default=CreditWhen.DOOR, sa_type=text_of(CreditWhen))
    tolerance_permille: int = Field(default=30, description="Of the grams weighed at the door")
    tolerance_grams: int = whole(200, description="Allowed whatever the share")
    residents_permille: int = Field(
        default=700, description="Of what a shared sale brings beyond the snapshots"
    )
    collectors_permille: int = Field(default=100, description="The bank keeps the rest")
    correction_limit_idr: int = whole(50_000, description="Above it a correction needs two people")
    payout_expires_h: int = Field(default=720, description="Unapproved, it is given back then")
    payout_fee_by: str = Field(default=FeeBy.BANK, sa_type=text_of(FeeBy))
    payout_fee_permille: int = Field(
        default=100, description="A gateway's fee is at most so much of the amount"
    )
    payout_weekday: int = Field(
        default=0, description="Transfers leave on this day, 1 Monday to 7 Sunday; 0: at once"
    )
    destination_waits_h: int = Field(
        default=24,
        description="Before a destination is used that was changed, or entered by another",
    )
    cash_needs_code: bool = Field(
        default=False, description="Cash is paid only to who tells the payout's code"
    )
    assisted_payout_limit_idr: int = whole(
        500_000, description="A day for one resident, if somebody else asks"
    )
    entered_by: UUID | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=utc_now)

    def collector_fee_idr(self, grams: int, leg_m: int = 0) -> int:
        """What a collector earns for one stop: grams taken, metres driven to it.

        Each part is rounded to whole rupiah, half up.
        """
        weight = (self.fee_per_kg_idr * grams + 500) // 1000
        distance = (self.fee_per_km_idr * max(leg_m - self.fee_free_m, 0) + 500) // 1000
        return max(self.fee_per_stop_idr + weight + distance, self.fee_floor_idr)
