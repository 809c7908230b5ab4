"""Who may do what: one row a route, which the server keeps to and the API reference shows.

A route is served to nobody whom its row doesn't name: its caller comes with only those parts
that the row names, so no rule further in can allow another. Where the path names the bank,
one of these parts has to be played there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from starlette.routing import BaseRoute, Route

from models.people import Role
from service.errors import Forbidden, NotAllowed
from service.members import Caller, SecondFactorNotGiven

_UUID = TypeAdapter(UUID)


class CitySeesSums(Forbidden):
    english = (
        "A city sees sales as sums of whole months, in the mass balance and the trial balance,"
        " and no single one: that would show what few residents brought."
    )
    indonesian = (
        "Kota melihat penjualan sebagai jumlah per bulan penuh, di neraca massa dan neraca saldo,"
        " bukan satu per satu: dari satu penjualan terlihat setoran beberapa warga."
    )


class Needs(StrEnum):
    """What a caller must have before anything else is looked at."""

    NOTHING = "nothing"
    TOKEN = "token"  # noqa: S105  No secret.
    PART = "part"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may: `bank` with all that their bank has, `own` with what is theirs alone.

    Where a token is enough, the parts say whose eyes a list is seen with. Of what a city sees
    `in_sums` elsewhere it is told so.
    """

    needs: Needs
    bank: tuple[Role, ...] = ()
    own: tuple[Role, ...] = ()
    note: str = ""
    in_sums: bool = False

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset((*self.bank, *self.own))

    def who(self) -> list[str]:
        """Who may, in words for the reference."""
        named = [str(role) for role in self.bank] + [f"{role} (own)" for role in self.own]
        if self.needs is Needs.NOTHING:
            return ["anyone"]
        return named if self.needs is Needs.PART else ["signed in", *named]


def anyone(note: str = "") -> Access:
    return Access(Needs.NOTHING, note=note)


def signed_in(*bank: Role, own: tuple[Role, ...] = (), note: str = "") -> Access:
    return Access(Needs.TOKEN, bank, own, note)


def part(*bank: Role, own: tuple[Role, ...] = (), note: str = "") -> Access:
    return Access(Needs.PART, bank, own, note)


def single(*bank: Role) -> Access:
    return Access(Needs.PART, bank, note="a city sees sums of months", in_sums=True)


_RESIDENT, _COLLECTOR = (Role.RESIDENT,), (Role.COLLECTOR,)
_HELPED = _PAYEES = (*_RESIDENT, *_COLLECTOR)
_CARD = "a collector with the resident's card"
_OPERATOR, _TREASURER = Role.OPERATOR, Role.TREASURER
_OFFICERS = (_OPERATOR, _TREASURER)
_PICKUP, _PAYOUT = "/v1/pickups/{pickup_id}", "/v1/payouts/{payout_id}"
_CARDS = "/v1/banks/{bank_id}/members/{person_id}/cards"
_BANK, _PASSBOOK = "/v1/banks/{bank_id}", "/v1/passbooks/{bank_id}"
_MEMBER = f"{_BANK}/members/{{person_id}}"
_PLAN, _DRAWER = f"{_BANK}/plans/{{plan_id}}", f"{_BANK}/drawers/{{name}}"

TABLE: dict[str, Access] = {
    # The server itself
    "GET /": anyone(),
    "GET /docs": anyone(),
    "GET /openapi.json": anyone(),
    "GET /healthz": anyone(),
    "GET /readyz": anyone(),
    "GET /metrics": anyone("to be kept inside by the proxy"),
    "GET /problems": anyone(),
    "GET /problems/{slug}": anyone(),
    # Signing in, and me
    "POST /v1/auth/codes": anyone(),
    "POST /v1/auth/tokens": anyone("with a code, or a refresh token"),
    "GET /v1/me": signed_in(own=tuple(Role)),
    "PATCH /v1/me": signed_in(own=tuple(Role)),
    "POST /v1/me/phone": signed_in(own=tuple(Role)),
    "GET /v1/me/audit": signed_in(own=tuple(Role)),
    "GET /v1/me/devices": signed_in(),
    "DELETE /v1/me/devices/{device_id}": signed_in(),
    "POST /v1/me/sign-out": signed_in(),
    "GET /v1/me/second-factor": signed_in(own=tuple(Role)),
    "POST /v1/me/second-factor": signed_in(own=tuple(Role)),
    "POST /v1/me/second-factor/confirm": signed_in(own=tuple(Role)),
    "DELETE /v1/me/second-factor": signed_in(own=tuple(Role)),
    "POST /v1/me/second-factor/recovery-codes": signed_in(own=tuple(Role)),
    "GET /v1/me/consents": signed_in(),
    "POST /v1/me/consents": signed_in(),
    "GET /v1/me/export": signed_in(),
    "POST /v1/me/deletion": signed_in(),
    "GET /v1/events": signed_in(*_OFFICERS, own=(*_RESIDENT, *_COLLECTOR)),
    # Banks, their people, prices and rules
    "GET /v1/banks": anyone(),
    "GET /v1/materials": anyone(),
    f"GET {_BANK}/prices": anyone(),
    f"POST {_BANK}/prices": part(*_OFFICERS),
    f"POST {_BANK}/join": signed_in(note="becomes a resident there"),
    f"GET {_BANK}/members": part(*_OFFICERS),
    f"GET {_CARDS}": part(*_OFFICERS, own=_RESIDENT),
    f"POST {_CARDS}": part(*_OFFICERS),
    f"DELETE {_CARDS}/{{card_id}}": part(*_OFFICERS, own=_RESIDENT),
    f"POST {_BANK}/members": part(*_OFFICERS),
    f"GET {_MEMBER}/consents": part(*_OFFICERS),
    f"POST {_MEMBER}/consents": part(*_OFFICERS),
    f"POST {_MEMBER}/deletion": part(*_OFFICERS, note="of a resident without a phone"),
    f"DELETE {_MEMBER}/parts/{{role}}": part(_TREASURER, note="never their own"),
    f"GET {_BANK}/breaches": part(_TREASURER),
    f"POST {_BANK}/breaches": part(_TREASURER),
    f"POST {_BANK}/breaches/{{breach_id}}/notices": part(_TREASURER),
    f"GET {_BANK}/policies": part(*_OFFICERS, Role.CITY),
    f"POST {_BANK}/policies": part(_TREASURER),
    # Pickups
    "GET /v1/pickups": signed_in(*_OFFICERS, own=(*_RESIDENT, *_COLLECTOR)),
    "POST /v1/pickups": part(*_OFFICERS, own=_HELPED, note=_CARD),
    f"GET {_PICKUP}": part(*_OFFICERS, own=(*_RESIDENT, *_COLLECTOR)),
    f"POST {_PICKUP}/cancel": part(*_OFFICERS, own=_RESIDENT),
    f"POST {_PICKUP}/claim": part(*_COLLECTOR),
    f"POST {_PICKUP}/release": part(*_COLLECTOR, note="who holds the claim"),
    f"POST {_PICKUP}/progress": part(*_COLLECTOR, note="who holds the claim"),
    f"POST {_PICKUP}/arrive": part(*_COLLECTOR, note="who holds the claim"),
    f"POST {_PICKUP}/collect": part(*_COLLECTOR, note="who holds the claim"),
    f"POST {_PICKUP}/decide": part(*_OFFICERS, note="neither its collector nor its resident"),
    f"GET {_PICKUP}/attempts": part(*_OFFICERS),
    "GET /v1/jobs/nearest": part(*_COLLECTOR),
    "POST /v1/jobs/claim": part(*_COLLECTOR),
    # Routes and plans
    "GET /v1/routes": signed_in(*_OFFICERS, own=_COLLECTOR),
    "GET /v1/routes/{route_id}": part(*_OFFICERS, own=_COLLECTOR),
    "GET /v1/routes/{route_id}.geojson": part(*_OFFICERS, own=_COLLECTOR),
    "GET /v1/routes/{route_id}.svg": part(*_OFFICERS, own=_COLLECTOR),
    "GET /v1/routes/{route_id}/insertion": part(*_OFFICERS, own=_COLLECTOR),
    "POST /v1/routes/{route_id}/stops": part(own=_COLLECTOR),
    f"GET {_BANK}/plans": part(*_OFFICERS),
    f"POST {_BANK}/plans": part(*_OFFICERS),
    f"GET {_PLAN}": part(*_OFFICERS),
    f"GET {_PLAN}.geojson": part(*_OFFICERS),
    f"GET {_PLAN}.svg": part(*_OFFICERS),
    f"POST {_PLAN}/cancel": part(*_OFFICERS),
    f"POST {_PLAN}/apply": part(*_OFFICERS),
    # The station
    f"GET {_BANK}/loads": part(*_OFFICERS, own=_COLLECTOR),
    f"GET {_BANK}/loads/bias": part(*_OFFICERS),
    f"POST {_BANK}/loads/{{collector_id}}/receive": part(_OPERATOR),
    f"POST {_BANK}/dropoffs": part(_OPERATOR),
    "GET /v1/disputes": signed_in(*_OFFICERS, own=(*_RESIDENT, *_COLLECTOR)),
    "GET /v1/disputes/{receiving_id}": part(*_OFFICERS, own=(*_RESIDENT, *_COLLECTOR)),
    "POST /v1/disputes/{receiving_id}/decide": part(*_OFFICERS, note="none of those concerned"),
    # Passbooks, earnings and payouts
    f"GET {_PASSBOOK}": part(*_OFFICERS, own=_HELPED, note=_CARD),
    f"GET {_PASSBOOK}/lines": part(*_OFFICERS, own=_HELPED, note=_CARD),
    f"GET {_PASSBOOK}/lots": part(*_OFFICERS, own=_HELPED, note=_CARD),
    f"GET {_PASSBOOK}/statement": part(*_OFFICERS, own=_HELPED, note=_CARD),
    f"GET {_PASSBOOK}/destination": part(*_OFFICERS, own=_RESIDENT),
    "GET /v1/earnings/{bank_id}": part(*_OFFICERS, own=_COLLECTOR),
    "GET /v1/earnings/{bank_id}/lines": part(*_OFFICERS, own=_COLLECTOR),
    "GET /v1/receipts/{bank_id}/{act_id}": part(*_OFFICERS, own=_RESIDENT),
    f"GET {_BANK}/payout-channels": signed_in(),
    "GET /v1/payouts": signed_in(*_OFFICERS, own=_PAYEES),
    "POST /v1/payouts": part(*_OFFICERS, own=_PAYEES, note=f"also {_CARD}"),
    f"GET {_PAYOUT}": part(*_OFFICERS, own=_PAYEES),
    f"GET {_PAYOUT}/moves": part(*_OFFICERS, own=_PAYEES),
    f"POST {_PAYOUT}/cancel": part(*_OFFICERS, own=_PAYEES),
    f"POST {_PAYOUT}/approve": part(_TREASURER, note="who neither gets nor entered it"),
    "POST /v1/payouts/approvals": part(_TREASURER, note="who neither gets nor entered them"),
    f"POST {_PAYOUT}/reject": part(_TREASURER),
    f"POST {_PAYOUT}/pay-cash": part(
        _TREASURER, own=(_OPERATOR,), note="an operator out of a drawer of their own"
    ),
    f"POST {_PAYOUT}/decide": part(_TREASURER, note="another than who approved it"),
    f"POST {_PAYOUT}/retry": part(_TREASURER),
    # Gateways
    "POST /v1/gateways/{gateway}/callbacks": anyone("with the gateway's signature or token"),
    f"GET {_BANK}/floats": part(*_OFFICERS),
    f"POST {_BANK}/floats/{{gateway}}/top-ups": part(_TREASURER),
    f"POST {_BANK}/floats/{{gateway}}/resume": part(_TREASURER),
    # Sales
    f"GET {_BANK}/buyers": part(*_OFFICERS),
    f"POST {_BANK}/buyers": part(*_OFFICERS),
    f"POST {_BANK}/buyers/{{buyer_id}}/payments": part(*_OFFICERS),
    f"GET {_BANK}/sales": single(*_OFFICERS),
    f"POST {_BANK}/sales": part(*_OFFICERS),
    f"GET {_BANK}/sales/{{sale_id}}": single(*_OFFICERS),
    f"GET {_BANK}/sales/{{sale_id}}/lots": single(*_OFFICERS),
    f"POST {_BANK}/residue": part(*_OFFICERS),
    f"GET {_BANK}/stock": part(*_OFFICERS),
    f"POST {_BANK}/stock/counts": part(_TREASURER),
    # Cash
    f"GET {_BANK}/drawers": part(*_OFFICERS),
    f"POST {_BANK}/drawers": part(_TREASURER),
    f"GET {_DRAWER}/lines": part(*_OFFICERS),
    f"POST {_DRAWER}/float-in": part(_TREASURER),
    f"POST {_DRAWER}/float-out": part(_TREASURER, own=(_OPERATOR,)),
    f"POST {_DRAWER}/count": part(_TREASURER, own=(_OPERATOR,)),
    f"POST {_DRAWER}/close": part(_TREASURER),
    f"POST {_BANK}/safe/put-in": part(_TREASURER),
    f"POST {_BANK}/safe/take-out": part(_TREASURER),
    # Books
    f"GET {_BANK}/mass-balance": part(*_OFFICERS, Role.CITY),
    f"GET {_BANK}/ledger/trial-balance": part(_TREASURER, Role.CITY),
    f"GET {_BANK}/books/{{day}}.{{file_format}}": part(_TREASURER),
    f"GET {_BANK}/books/{{first}}/{{last}}.{{file_format}}": part(_TREASURER),
    f"GET {_BANK}/corrections": part(*_OFFICERS),
    f"POST {_BANK}/corrections": part(*_OFFICERS),
    f"POST {_BANK}/corrections/{{correction_id}}/agree": part(
        *_OFFICERS, note="another than who asked"
    ),
    f"POST {_BANK}/corrections/{{correction_id}}/refuse": part(
        *_OFFICERS, note="another than who asked"
    ),
    f"GET {_BANK}/days": part(*_OFFICERS, Role.CITY),
    f"POST {_BANK}/days/{{day}}/close": part(_TREASURER),
    f"POST {_BANK}/days/{{day}}/reopen": part(_TREASURER, note="another than who closed it"),
    f"GET {_BANK}/audit": part(_TREASURER),
    f"GET {_BANK}/seals": anyone(),
    f"GET {_BANK}/seals/pages/{{page}}": anyone(),
    "GET /v1/keys": anyone(),
    # Reconciliation
    f"GET {_BANK}/statements": part(_TREASURER),
    f"POST {_BANK}/statements": part(_TREASURER),
    f"POST {_BANK}/statements/{{import_id}}/withdraw": part(_TREASURER),
    f"GET {_BANK}/column-maps": part(_TREASURER),
    f"POST {_BANK}/column-maps": part(_TREASURER),
    f"GET {_BANK}/statement-lines": part(_TREASURER),
    f"POST {_BANK}/statement-matches/{{match_id}}/undo": part(_TREASURER),
    f"GET {_BANK}/reconciliation": part(_TREASURER),
    "POST /v1/reconciliation/{exception_id}/resolve": part(_TREASURER),
    "POST /v1/reconciliation/{exception_id}/assign": part(_TREASURER),
}
"""By method and path, as the route has it."""


class RouteWithoutRow(Exception):
    """Somebody added a route and didn't say who may use it, or left a row behind."""


def act_of(route: Route) -> str:
    """The key of a route's row."""
    (method,) = (route.methods or set()) - {"HEAD"}
    return f"{method} {route.path}"


def check(routes: Iterable[BaseRoute]) -> None:
    """Hold routes and rows against each other. Raises RouteWithoutRow."""
    # What is mounted serves files to anyone.
    acts = {act_of(route) for route in routes if isinstance(route, Route)}
    if odd := sorted(acts ^ TABLE.keys()):
        raise RouteWithoutRow(f"Only among the routes, or only in service/api/access.py: {odd}")


def access_to(request: Request) -> Access:
    """The row of the route that serves this request."""
    return TABLE[f"{request.scope['method']} {request.scope['route'].path}"]


def admit(request: Request, caller: Caller) -> Caller:
    """The caller with the parts that the route's row names. Raises NotAllowed,
    SecondFactorNotGiven to an officer whom only that lacks, or CitySeesSums.

    Where the path names the bank, the caller has one of these parts there.
    """
    access = access_to(request)
    is_told_sums = access.in_sums and _bank_in(request) in caller.banks(Role.CITY)
    try:
        return _admitted(request, caller, access)
    except NotAllowed:
        if is_told_sums:
            raise CitySeesSums from None
        raise


def _admitted(request: Request, caller: Caller, access: Access) -> Caller:
    caller.play_only(access.roles)
    if access.needs is Needs.PART:
        if not caller.roles:
            raise SecondFactorNotGiven if caller.withheld else NotAllowed
        if bank_id := _bank_in(request):
            caller.act_in(bank_id)
    return caller


def _bank_in(request: Request) -> UUID | None:
    """The bank that the path names, if any; with what is no id no endpoint is called."""
    if "bank_id" not in request.path_params:
        return None
    try:
        return _UUID.validate_python(request.path_params["bank_id"])
    except ValidationError:
        return None
