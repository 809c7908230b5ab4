"""The demo town in Deli Serdang: four waste banks and the people around them, always the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice, product
from random import Random
from uuid import UUID

from models.bank import BankKind
from models.people import Role
from routing.geo import Point, metres_between

SERVICE_RADIUS_M = 15_000
MIN_PICKUP_GRAMS = 1_000
MIN_PAYOUT_IDR = 1_000
HOURS = "Mo-Sa 08:00-16:00"

TREASURER = "+6281100000001"
OPERATOR = "+6281100000002"
CITY = "+6281100000003"
FIRST_COLLECTOR = 6281100000101
FIRST_RESIDENT = 6281100001001


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Where people of one bank live: a spot, and the district it lies in."""

    district: str
    centre: Point


@dataclass(frozen=True, slots=True)
class TownBank:
    id: UUID
    name: str
    kind: BankKind
    position: Point
    address: str
    district_code: str
    neighbourhoods: tuple[Neighbourhood, ...]


@dataclass(frozen=True, slots=True)
class Townsperson:
    """Somebody in the demo; `banks` has the nearest one first."""

    phone: str
    name: str
    role: Role
    banks: tuple[UUID, ...]
    position: Point
    address: str


def _bank_id(number: int) -> UUID:
    # The shape of a UUIDv7, but a number that a guide can print.
    return UUID(f"01900000-0000-7000-8000-{number:012x}")


BANKS = (
    TownBank(
        _bank_id(1),
        "BSI BERSERI Lubuk Pakam",
        BankKind.MAIN,
        Point(3.56, 98.87),
        "Jl. Diponegoro No. 1, Lubuk Pakam",
        "12.07.28",
        (
            Neighbourhood("Lubuk Pakam", Point(3.558, 98.874)),
            Neighbourhood("Lubuk Pakam", Point(3.548, 98.861)),
            Neighbourhood("Pagar Merbau", Point(3.541, 98.894)),
            Neighbourhood("Beringin", Point(3.592, 98.881)),
        ),
    ),
    TownBank(
        _bank_id(2),
        "Bank Sampah Percut Sei Tuan",
        BankKind.UNIT,
        Point(3.65, 98.76),
        "Jl. Nelayan No. 8, Percut Sei Tuan",
        "12.07.26",
        (
            Neighbourhood("Percut Sei Tuan", Point(3.655, 98.753)),
            Neighbourhood("Batang Kuis", Point(3.623, 98.789)),
        ),
    ),
    TownBank(
        _bank_id(3),
        "Bank Sampah Tanjung Morawa",
        BankKind.UNIT,
        Point(3.52, 98.79),
        "Jl. Pahlawan No. 15, Tanjung Morawa",
        "12.07.02",
        (
            Neighbourhood("Tanjung Morawa", Point(3.524, 98.785)),
            Neighbourhood("Patumbak", Point(3.511, 98.757)),
        ),
    ),
    TownBank(
        _bank_id(4),
        "Bank Sampah Deli Tua",
        BankKind.UNIT,
        Point(3.50, 98.68),
        "Jl. Kartini No. 4, Deli Tua",
        "12.07.22",
        (
            Neighbourhood("Deli Tua", Point(3.503, 98.685)),
            Neighbourhood("Namo Rambe", Point(3.478, 98.665)),
        ),
    ),
)

_GIVEN_NAMES = (
    "Ahmad Aisyah Andi Astri Bonar Budi Debora Dewi Dian Erwin Fitri Halimah Hasan Hotma Indra"
    " Joko Juliana Lamhot Lestari Mariana Melati Nurhayati Parlin Poltak Putri Rahmat Rizky Rosmala"
    " Rudi Sahat Sari Siti Sondang Suryani Tiurma Togar Wahyu Yanti Yusuf Zulkifli"
)
_FAMILY_NAMES = (
    "Barus Daulay Ginting Harahap Hasibuan Hutabarat Lubis Manurung Nasution Pane Pasaribu"
    " Pohan Purba Rangkuti Saragih Sembiring Siahaan Simanjuntak Sinaga Siregar Sitepu Tarigan"
)
_STREETS = (
    "Anggrek Cempaka Dahlia Flamboyan Gelatik Kamboja Kenanga Kutilang Mangga Mawar Melur"
    " Merpati Nangka Rambutan Seroja Tanjung Teratai"
)

_SPREAD_DEGREES = 0.004
"""About 440 m: how far from the centre of a neighbourhood two thirds live."""


@cache
def people() -> tuple[Townsperson, ...]:
    """Everybody: three officers, ten collectors, two hundred residents."""
    random = Random(1207)  # noqa: S311  A play, the same every time.
    names = _names(random)
    officers = [
        _officer(random, phone, next(names), role)
        for phone, role in (
            (TREASURER, Role.TREASURER),
            (OPERATOR, Role.OPERATOR),
            (CITY, Role.CITY),
        )
    ]
    collectors = _households(random, names, Role.COLLECTOR, FIRST_COLLECTOR, count=10)
    residents = _households(random, names, Role.RESIDENT, FIRST_RESIDENT, count=200)
    return (*officers, *collectors, *residents)


def with_role(role: Role) -> list[Townsperson]:
    """Everybody who plays this part, by phone."""
    return [person for person in people() if person.role == role]


def by_distance(position: Point) -> list[TownBank]:
    """The four banks, nearest first."""
    return sorted(BANKS, key=lambda bank: metres_between(position, bank.position))


def _names(random: Random) -> Iterator[str]:
    names = [
        f"{given} {family}"
        for given, family in product(_GIVEN_NAMES.split(), _FAMILY_NAMES.split())
    ]
    random.shuffle(names)
    return iter(names)


def _officer(random: Random, phone: str, name: str, role: Role) -> Townsperson:
    banks = tuple(bank.id for bank in BANKS)
    home = BANKS[0].neighbourhoods[0]
    return Townsperson(phone, name, role, banks, home.centre, _address(random, home))


def _households(
    random: Random, names: Iterator[str], role: Role, first_phone: int, *, count: int
) -> list[Townsperson]:
    """The first half around the main bank, the others around the three units in turn."""
    main, units = list(BANKS[0].neighbourhoods), [bank.neighbourhoods for bank in BANKS[1:]]
    in_turn = [spots[index] for index in range(2) for spots in units]
    homes = [main[index % len(main)] for index in range(count // 2)]
    homes += [in_turn[index % len(in_turn)] for index in range(count - count // 2)]
    return [
        _person(random, f"+{first_phone + index}", name, role, home)
        for index, (home, name) in enumerate(zip(homes, islice(names, count), strict=True))
    ]


def _person(random: Random, phone: str, name: str, role: Role, home: Neighbourhood) -> Townsperson:
    position = Point(_near(random, home.centre.lat), _near(random, home.centre.lon))
    nearest, second, *_ = by_distance(position)
    is_in_two = role == Role.RESIDENT and random.random() < 0.1
    banks = (nearest.id, second.id) if is_in_two else (nearest.id,)
    return Townsperson(phone, name, role, banks, position, _address(random, home))


def _near(random: Random, degrees: float) -> float:
    limit = 2.5 * _SPREAD_DEGREES
    off = max(-limit, min(limit, random.gauss(0, _SPREAD_DEGREES)))
    return round(degrees + off, 5)


def _address(random: Random, home: Neighbourhood) -> str:
    return f"Jl. {random.choice(_STREETS.split())} No. {random.randint(1, 120)}, {home.district}"
