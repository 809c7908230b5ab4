"""The chart of accounts: which places rupiah and grams can be in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from uuid import UUID, uuid5

from models.ledger import Floor

_NAMESPACE = UUID("6f1f7c55-3c0d-5c9b-8d3e-6d61647500aa")
HOT_SHARDS = 16
"""How many rows a busy account's counters are spread over on PostgreSQL."""

IDR = "IDR"
STOCK = "stock"
GRAMS = "g"


def grams_of(material: str) -> str:
    """The unit in which one material is counted."""
    return f"g:{material}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A line of the chart: one account, or one for each `per` (a resident, a drawer, …)."""

    name: str
    english: str
    indonesian: str
    unit: str = IDR
    per: str = ""
    floor: Floor = Floor.NONE
    hot: bool = False

    def place(self, whose: UUID | str = "", *, unit: str = IDR) -> "Place":
        """The account of this kind: of a person, a drawer or nobody, in rupiah or a material."""
        return Place(
            f"{self.name}:{whose}" if self.per else self.name,
            unit=unit,
            floor=self.floor,
            owner_id=whose if isinstance(whose, UUID) and self.per in _PEOPLE else None,
            hot=self.hot,
        )


@dataclass(frozen=True, slots=True)
class Place:
    """An account to be: what it is called, what it counts, what it may not do."""

    code: str
    unit: str = IDR
    floor: Floor = Floor.NONE
    owner_id: UUID | None = None
    hot: bool = False

    @property
    def kind(self) -> str:
        """Which line of the chart it belongs to."""
        return self.code.partition(":")[0]

    @property
    def whose(self) -> str:
        """Whose of its kind it is: a drawer's name, an id; nothing if there is one only."""
        return self.code.partition(":")[2]

    @property
    def material(self) -> str:
        """Of which material it counts grams; nothing if it counts rupiah."""
        return self.unit.partition(":")[2]

    def id_in(self, bank_id: UUID) -> UUID:
        """The account's id follows from bank, code and unit."""
        return _account_id(bank_id, self.code, self.unit)


@lru_cache(maxsize=100_000)
def _account_id(bank_id: UUID, code: str, unit: str) -> UUID:
    return uuid5(_NAMESPACE, f"{bank_id.hex}/{code}/{unit}")


_PEOPLE = ("resident", "collector")
_CREDIT, _DEBIT = Floor.CREDIT, Floor.DEBIT

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        # What the bank owes.
        Kind("available", "a resident can be paid", "saldo warga", per="resident", floor=_CREDIT),
        Kind(
            "pending",
            "a resident is owed once a second weighing confirms it",
            "saldo warga yang menunggu timbang ulang",
            per="resident",
            floor=_CREDIT,
        ),
        Kind("earnings", "a collector has earned", "upah petugas", per="collector", floor=_CREDIT),
        Kind("in_transit", "payouts on their way", "pencairan dalam proses", hot=True),
        # What the bank has.
        Kind("cash", "cash in a drawer", "kas per laci", per="drawer", hot=True),
        Kind("bank_account", "money in a bank account", "saldo rekening bank", per="account"),
        Kind("float", "money at a gateway", "saldo di gerbang bayar", per="gateway", hot=True),
        Kind("receivable", "a buyer owes", "piutang pembeli", per="buyer"),
        Kind("suspense", "not yet explained", "pos sementara"),
        Kind("capital", "put in by the owner", "modal pemilik"),
        Kind(
            "opening",
            "opening balances, against what was brought over",
            "saldo awal, lawan dari saldo yang dipindahkan",
        ),
        # What it costs and brings.
        Kind("purchases", "paid for waste", "pembelian sampah", hot=True),
        Kind("collector_fees", "paid for fetching", "upah jemput", hot=True),
        Kind("fees", "paid to gateways", "biaya gerbang bayar", hot=True),
        Kind("sales", "waste sold", "penjualan sampah"),
        Kind("cash_difference", "counted against the ledger", "selisih kas"),
        Kind(
            "drawer_difference",
            "an officer's drawer counted against the ledger",
            "selisih kas per laci petugas",
            per="drawer",
        ),
        Kind("written_off", "never explained in a reconciliation", "selisih rekonsiliasi"),
        # Grams: where they are.
        Kind("source", "out of a household", "asal warga", unit=GRAMS, per="resident"),
        Kind(
            "load",
            "on a collector's vehicle",
            "muatan petugas",
            unit=GRAMS,
            per="collector",
            floor=_DEBIT,
        ),
        Kind(STOCK, "in the bank's store", "stok gudang", unit=GRAMS, floor=_DEBIT),
        Kind("sold", "gone to a buyer", "terjual ke pembeli", unit=GRAMS, per="buyer"),
        Kind(
            "missing",
            "not found by a buyer's scale",
            "susut di timbangan pembeli",
            unit=GRAMS,
            per="buyer",
        ),
        Kind("residue", "thrown away", "residu", unit=GRAMS),
        Kind(
            "weighing_difference", "door against station", "selisih timbang", unit=GRAMS, hot=True
        ),
        Kind(
            "stock_difference",
            "the store counted against the ledger",
            "selisih stok opname",
            unit=GRAMS,
        ),
        # Grams: whose they are, as long as they are unsold (bagi hasil).
        Kind(
            "goods",
            "a resident's, not yet sold",
            "milik warga, belum terjual",
            unit=GRAMS,
            per="resident",
            floor=_CREDIT,
        ),
        Kind("goods_held", "kept for residents", "titipan warga", unit=GRAMS, hot=True),
    )
}
"""Every kind of account a bank can have, in the order in which people read them."""


def person_of(code: str) -> str:
    """The id of the person whose own account a code names; nothing if it is nobody's own."""
    name, _, whose = code.partition(":")
    return whose if name in KINDS and KINDS[name].per in _PEOPLE else ""


class chart:  # noqa: N801  A namespace that reads as a noun: chart.available(resident_id).
    """The accounts by name, for those who post."""

    PURCHASES = KINDS["purchases"].place()
    COLLECTOR_FEES = KINDS["collector_fees"].place()
    IN_TRANSIT = KINDS["in_transit"].place()
    CASH = KINDS["cash"].place("main")
    SALES = KINDS["sales"].place()
    FEES = KINDS["fees"].place()
    SUSPENSE = KINDS["suspense"].place()
    CASH_DIFFERENCE = KINDS["cash_difference"].place()
    CAPITAL = KINDS["capital"].place()
    OPENING = KINDS["opening"].place()
    WRITTEN_OFF = KINDS["written_off"].place()

    STANDING: Sequence[Place] = (PURCHASES, COLLECTOR_FEES, IN_TRANSIT, CASH)
    """What a bank has from its first day on."""

    @staticmethod
    def available(resident_id: UUID) -> Place:
        """What a resident can ask to be paid."""
        return KINDS["available"].place(resident_id)

    @staticmethod
    def pending(resident_id: UUID) -> Place:
        """What a resident is owed once a second weighing confirms it."""
        return KINDS["pending"].place(resident_id)

    @staticmethod
    def earnings(collector_id: UUID) -> Place:
        return KINDS["earnings"].place(collector_id)

    @staticmethod
    def cash(drawer: str) -> Place:
        return KINDS["cash"].place(drawer)

    @staticmethod
    def drawer(name: str) -> Place:
        """The money in an officer's drawer, which can't be less than nothing."""
        # With a floor, counters can't be spread over several rows.
        return replace(KINDS["cash"].place(name), floor=Floor.DEBIT, hot=False)

    @staticmethod
    def drawer_difference(name: str) -> Place:
        """What an officer's drawer was counted to differ by, in all."""
        return KINDS["drawer_difference"].place(name)

    @staticmethod
    def bank_account(account: str) -> Place:
        """Money of the waste bank's in an account at a bank."""
        return KINDS["bank_account"].place(account)

    @staticmethod
    def float(gateway: str) -> Place:
        """Money that lies at a gateway, ready to be paid out."""
        return KINDS["float"].place(gateway)

    @staticmethod
    def receivable(buyer_id: UUID) -> Place:
        return KINDS["receivable"].place(buyer_id)

    @staticmethod
    def source(resident_id: UUID, material: str) -> Place:
        """Grams that came out of a household."""
        return KINDS["source"].place(resident_id, unit=grams_of(material))

    @staticmethod
    def load(collector_id: UUID, material: str) -> Place:
        """Grams on a collector's vehicle."""
        return KINDS["load"].place(collector_id, unit=grams_of(material))

    @staticmethod
    def stock(material: str) -> Place:
        """Grams in the bank's store."""
        return KINDS[STOCK].place(unit=grams_of(material))

    @staticmethod
    def sold(buyer_id: UUID, material: str) -> Place:
        return KINDS["sold"].place(buyer_id, unit=grams_of(material))

    @staticmethod
    def missing(buyer_id: UUID, material: str) -> Place:
        """Grams that left the store for a buyer whose scale didn't find them."""
        return KINDS["missing"].place(buyer_id, unit=grams_of(material))

    @staticmethod
    def residue(material: str) -> Place:
        return KINDS["residue"].place(unit=grams_of(material))

    @staticmethod
    def weighing_difference(material: str) -> Place:
        return KINDS["weighing_difference"].place(unit=grams_of(material))

    @staticmethod
    def stock_difference(material: str) -> Place:
        """What the store was counted to be short of, in all."""
        return KINDS["stock_difference"].place(unit=grams_of(material))

    @staticmethod
    def goods(resident_id: UUID, material: str) -> Place:
        """A resident's grams that wait for their buyer."""
        return KINDS["goods"].place(resident_id, unit=grams_of(material))

    @staticmethod
    def goods_held(material: str) -> Place:
        """The other side of residents' unsold grams."""
        return KINDS["goods_held"].place(unit=grams_of(material))
