"""The chart of accounts: which places rupiah and grams can be in."""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID, uuid5

from models.ledger import Floor

_NAMESPACE = UUID("6f1f7c55-3c0d-5c9b-8d3e-6d61647500aa")
HOT_SHARDS = 16
"""How many rows a busy account's counters are spread over on PostgreSQL."""

IDR = "IDR"


def grams_of(material: str) -> str:
    """The unit in which one material is counted."""
    return f"g:{material}"


@dataclass(frozen=True, slots=True)
class Place:
    """An account to be: what it is called, what it counts, what it may not do."""

    code: str
    unit: str = IDR
    floor: Floor = Floor.NONE
    owner_id: UUID | None = None
    hot: bool = False

    def id_in(self, bank_id: UUID) -> UUID:
        """The account's id follows from bank, code and unit."""
        return _account_id(bank_id, self.code, self.unit)


@lru_cache(maxsize=100_000)
def _account_id(bank_id: UUID, code: str, unit: str) -> UUID:
    return uuid5(_NAMESPACE, f"{bank_id.hex}/{code}/{unit}")


class chart:  # noqa: N801  A namespace that reads as a noun: chart.available(resident_id).
    """Every account a bank can have."""

    PURCHASES = Place("purchases", hot=True)
    COLLECTOR_FEES = Place("collector_fees", hot=True)
    IN_TRANSIT = Place("in_transit", hot=True)
    CASH = Place("cash:main", hot=True)

    @staticmethod
    def available(resident_id: UUID) -> Place:
        """What a resident can ask to be paid."""
        return Place(f"available:{resident_id}", floor=Floor.CREDIT, owner_id=resident_id)

    @staticmethod
    def pending(resident_id: UUID) -> Place:
        """What a resident is owed once a second weighing confirms it."""
        return Place(f"pending:{resident_id}", floor=Floor.CREDIT, owner_id=resident_id)

    @staticmethod
    def earnings(collector_id: UUID) -> Place:
        return Place(f"earnings:{collector_id}", floor=Floor.CREDIT, owner_id=collector_id)

    @staticmethod
    def source(resident_id: UUID, material: str) -> Place:
        """Grams that came out of a household."""
        return Place(f"source:{resident_id}", unit=grams_of(material), owner_id=resident_id)

    @staticmethod
    def load(collector_id: UUID, material: str) -> Place:
        """Grams on a collector's vehicle."""
        return Place(
            f"load:{collector_id}",
            unit=grams_of(material),
            floor=Floor.DEBIT,
            owner_id=collector_id,
        )

    @staticmethod
    def stock(material: str) -> Place:
        """Grams in the bank's store."""
        return Place("stock", unit=grams_of(material), floor=Floor.DEBIT)
