"""What everybody will do on a day, drawn before it begins: the same for the same seed."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from models.people import Role
from routing.geo import metres_between
from service.demo import town
from service.demo.waste import Deposit, deposits

_BROUGHT = 0.08
"""The share that people bring to the bank, since they pass by anyway."""
_RELEASED = 0.02
_WRONG_CODE = 0.03
_REJECTED = 0.08
_ALL_REJECTED = 0.01
_WANTS_MONEY = 0.6

_WHY_REJECTED = ("basah", "bercampur sisa makanan", "bukan jenis yang dibeli")


@dataclass(frozen=True, slots=True)
class Errand:
    """One deposit of one resident at one bank, and what will go wrong with it."""

    number: int
    resident: town.Townsperson
    bank_id: UUID
    deposit: Deposit
    is_brought: bool
    is_released: bool
    has_wrong_code: bool

    @property
    def grams(self) -> int:
        return sum(line.grams for line in self.deposit)


@dataclass(frozen=True, slots=True)
class Wish:
    """How a resident asks for money: all or half of it, and how that ends."""

    wants: bool
    wants_all: bool
    ends: str

    def amount_idr(self, available_idr: int) -> int:
        """How much to ask for; 0 is not to ask."""
        if not self.wants:
            return 0
        return available_idr if self.wants_all else available_idr // 2_000 * 1_000


def errands(seed: int, count: int) -> list[Errand]:
    """So many deposits, spread evenly over the residents."""
    random = Random(seed)  # noqa: S311  A play, the same for the same seed.
    residents = town.with_role(Role.RESIDENT)
    random.shuffle(residents)
    return [
        _errand(random, number, residents[number % len(residents)], deposit)
        for number, deposit in enumerate(deposits(seed, count))
    ]


def weighed(random: Random, items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the scale shows for lines of a listing: near the estimate, and some is refused."""
    return [_weighed(random, item) for item in items]


def wish(seed: int, resident: town.Townsperson, bank_id: UUID) -> Wish:
    """Whether and how a resident asks a bank for money."""
    random = Random(f"{seed}/{resident.phone}/{bank_id}")  # noqa: S311  A play.
    ends = random.choices(("paid", "rejected", "cancelled"), (88, 6, 6))[0]
    return Wish(random.random() < _WANTS_MONEY, random.random() < 0.5, ends)


def _errand(random: Random, number: int, resident: town.Townsperson, deposit: Deposit) -> Errand:
    bank_id = random.choice(_banks_that_fetch(resident))
    is_light = sum(line.grams for line in deposit) < town.MIN_PICKUP_GRAMS
    return Errand(
        number,
        resident,
        bank_id,
        deposit,
        is_brought=random.random() < _BROUGHT or is_light,
        is_released=random.random() < _RELEASED and _collectors_of(bank_id) > 1,
        has_wrong_code=random.random() < _WRONG_CODE,
    )


def _banks_that_fetch(resident: town.Townsperson) -> list[UUID]:
    return [
        bank.id
        for bank in town.BANKS
        if bank.id in resident.banks
        and metres_between(bank.position, resident.position) <= town.SERVICE_RADIUS_M
    ]


def _collectors_of(bank_id: UUID) -> int:
    """A job that is given back needs another collector, for it isn't offered to the same one."""
    return sum(bank_id in collector.banks for collector in town.with_role(Role.COLLECTOR))


def _weighed(random: Random, item: dict[str, Any]) -> dict[str, Any]:
    total = max(1, round(item["estimated_grams"] * random.uniform(0.93, 1.06) / 10)) * 10
    rejected = _rejected(random, total)
    return {
        "material": item["material"],
        "condition": item["condition"],
        "grams": total - rejected,
        "rejected_grams": rejected,
        "reason": random.choice(_WHY_REJECTED) if rejected else "",
    }


def _rejected(random: Random, total: int) -> int:
    luck = random.random()
    if luck < _ALL_REJECTED:
        return total
    return round(total * random.uniform(0.05, 0.4)) if luck < _REJECTED else 0
