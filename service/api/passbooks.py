"""What is weighed at the counter, and the passbook it goes into."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from models.bank import Settlement
from models.base import utc_now
from models.people import Role
from service import assisting, banks, ledger, lots, members, prices, statements, weighing
from service.api.assisting import HelpingPayer, HelpingReader
from service.api.city import balances_of_many, is_for_city, month_of
from service.api.dependencies import (
    CurrentPage,
    LongReadSession,
    Reader,
    ReadSession,
    Session,
    cursor_of,
)
from service.api.errors import RequestMalformed, documented
from service.api.fields import Instant, Sent, UnusualConfirmed, Weighings, WeighingView
from service.api.idempotency import ActRoute
from service.api.looks import CurrentLooks
from service.assisting import CardNotValid, Helped
from service.auth import NoValidToken
from service.errors import FieldProblem, NoSuchThing, NotAllowed, said_of
from service.ledger.chart import IDR
from service.members import Caller

router = APIRouter(prefix="/v1", tags=["passbook"], route_class=ActRoute)

_OF_PICKUPS = ("pickup", "receiving", "dispute")

ResidentQuery = Annotated[UUID | None, Query(description="For officers: whose passbook")]


class DropoffInput(Sent):
    resident_id: Annotated[UUID | None, Field(description="Else whose card is shown")] = None
    weighings: Weighings
    unusual_confirmed: UnusualConfirmed = False


class DropoffView(BaseModel):
    """What was weighed; under bagi_hasil `credited_idr` is 0 until the batch is sold."""

    id: UUID
    bank_id: UUID
    resident_id: UUID
    weighings: list[WeighingView]
    settlement: Settlement
    credited_idr: int
    expected_idr: int
    created_at: datetime


class PassbookView(BaseModel):
    """`grams_total` is what was weighed at the door and the counter, less what was taken back.

    A second weighing at the station doesn't change it, whoever was right: it changes the rupiah.
    """

    bank_id: UUID
    resident_id: UUID
    available_idr: int
    pending_idr: int
    held_idr: int
    grams_total: int
    unsold_grams: int


class LineView(BaseModel):
    """`journal_id` names the act behind a line, for whoever corrects it.

    A correction says whose journal it takes back; that line says which one took it back.
    `assisted`: somebody else listed the pickup or asked for the payout, in the part that
    `assisted_by` names, if they still play one.
    """

    id: UUID
    at: datetime
    kind: str
    description: str
    in_idr: int
    out_idr: int
    balance_idr: int
    pickup_id: UUID | None
    dropoff_id: UUID | None
    payout_id: UUID | None
    journal_id: UUID
    corrects_journal_id: UUID | None
    corrected_by_journal_id: UUID | None
    assisted: bool = False
    assisted_by: Role | None = None


class LineList(BaseModel):
    items: list[LineView]
    next_cursor: str | None


class LotView(BaseModel):
    """Grams that wait for their buyer, and what was sold of them.

    `paid_idr` is at the price of the weighing, `shared_idr` of what sales brought beyond it.
    """

    id: UUID
    material: str
    condition: str
    grams: int
    sold_grams: int
    price_idr: int
    grams_per_unit: int
    paid_idr: int
    shared_idr: int
    weighed_at: datetime
    pickup_id: UUID | None
    dropoff_id: UUID | None


class LotList(BaseModel):
    items: list[LotView]
    next_cursor: str | None


class AccountView(BaseModel):
    """An account; `name` is whose it is, for the treasurer alone."""

    account: str
    name: str
    unit: str
    debit: int
    credit: int
    balance: int


class TrialBalanceView(BaseModel):
    """Every account; `balance` is debit less credit, and `sums` are zero for each unit."""

    bank_id: UUID
    at: datetime | None
    items: list[AccountView]
    sums: dict[str, int]


@router.post(
    "/banks/{bank_id}/dropoffs",
    status_code=201,
    responses=documented(
        NoValidToken,
        NotAllowed,
        NoSuchThing,
        weighing.OwnWeighing,
        weighing.TooLittleBrought,
        weighing.UnusualWeighing,
        prices.UnknownMaterial,
        prices.MaterialNotBought,
        CardNotValid,
    ),
)
async def drop_off(
    bank_id: UUID, body: DropoffInput, caller: HelpingPayer, session: Session
) -> DropoffView:
    """Weigh what a resident brought: at drop-off prices, by the rules in force."""
    with said_of("/resident_id", NoSuchThing):
        resident = await members.resident_of(session, bank_id, _brought_by(caller, bank_id, body))
    brought, credited = await weighing.dropoff(
        session,
        bank_id,
        resident.id,
        [line.weighed() for line in body.weighings],
        operator_id=caller.person_id,
        unusual_confirmed=body.unusual_confirmed,
    )
    return DropoffView(
        **brought.model_dump(include={"id", "bank_id", "resident_id", "created_at"}),
        weighings=[WeighingView(**line) for line in credited.lines],
        settlement=credited.settlement,
        credited_idr=credited.credited_idr,
        expected_idr=credited.expected_idr,
    )


@router.get(
    "/passbooks/{bank_id}",
    responses=documented(NoValidToken, NotAllowed, NoSuchThing, CardNotValid),
)
async def passbook(
    bank_id: UUID,
    caller: HelpingReader,
    session: ReadSession,
    looks: CurrentLooks,
    resident_id: ResidentQuery = None,
) -> PassbookView:
    """What is available, pending and held, and the grams behind it."""
    whose = await members.whose(session, caller, bank_id, resident_id)
    standing = await ledger.standing(session, bank_id, whose)
    await looks.note("passbook", [(bank_id, whose)])
    return PassbookView(bank_id=bank_id, resident_id=whose, **standing._asdict())


@router.get(
    "/passbooks/{bank_id}/lines",
    responses=documented(NoValidToken, NotAllowed, NoSuchThing, CardNotValid),
)
async def lines(
    bank_id: UUID,
    caller: HelpingReader,
    session: ReadSession,
    page: CurrentPage,
    looks: CurrentLooks,
    resident_id: ResidentQuery = None,
) -> LineList:
    """The lines of the passbook, newest first."""
    whose = await members.whose(session, caller, bank_id, resident_id)
    found = await ledger.passbook_lines(
        session, bank_id, whose, before=page.before_number, limit=page.limit + 1
    )
    shown, last = page.cut(found)
    marks = await assisting.helped(session, bank_id, {line.about_id for line in shown})
    await looks.note("passbook", [(bank_id, whose)])
    return LineList(
        items=[
            _marked(line_view(line, statements.described(line, "id")), marks.get(line.about_id))
            for line in shown
        ],
        next_cursor=cursor_of(last.version) if last else None,
    )


@router.get(
    "/passbooks/{bank_id}/lots",
    responses=documented(NoValidToken, NotAllowed, NoSuchThing, CardNotValid),
)
async def lots_kept(
    bank_id: UUID,
    caller: HelpingReader,
    session: ReadSession,
    page: CurrentPage,
    looks: CurrentLooks,
    resident_id: ResidentQuery = None,
) -> LotList:
    """Under bagi hasil: what the store keeps for a resident or has sold, newest first."""
    whose = await members.whose(session, caller, bank_id, resident_id)
    found = await lots.of_resident(
        session, bank_id, whose, before=page.before_id, limit=page.limit + 1
    )
    shown, last = page.cut(found)
    view = LotList(
        items=[LotView(**lot.model_dump()) for lot in shown],
        next_cursor=cursor_of(last.id) if last else None,
    )
    await looks.note("passbook", [(bank_id, whose)])
    return view


@router.get("/banks/{bank_id}/ledger/trial-balance", responses=documented(NoValidToken, NotAllowed))
async def trial_balance(
    bank_id: UUID,
    caller: Reader,
    session: LongReadSession,
    at: Annotated[Instant | None, Query()] = None,
) -> TrialBalanceView:
    """Every account with debit, credit and balance, now or as written up to an instant.

    The treasurer also sees by name whose accounts they are. The city sees rupiah by kinds of
    accounts, as they stood when that month began: sums of what moved in whole months. What moved
    between two kinds for fewer than five people counts in the first month in which, together,
    there are five. Only what is left of both sides is told.
    """
    if is_for_city(caller, bank_id):
        bank = await banks.get(session, bank_id)
        at = month_of(bank, min(at or utc_now(), utc_now()))
        rows = await balances_of_many(session, bank, at)
        names: Mapping[UUID, str] = {}
    else:
        rows = await ledger.trial_balance(session, bank_id, at=at)
        names = await ledger.owners(session, bank_id)
    return TrialBalanceView(
        bank_id=bank_id,
        at=at,
        items=[account_view(row, _name_in(names, row.owner_id) if names else "") for row in rows],
        sums={IDR: 0} | sums_of(rows),
    )


def _brought_by(caller: Caller, bank_id: UUID, body: DropoffInput) -> UUID:
    """Whose waste it is: of whom is named, or whose card is shown."""
    if caller.shown is not None:
        return members.whose_card(caller, bank_id, body.resident_id)
    if body.resident_id is None:
        english = "Say whose waste it is, or show their card."
        indonesian = "Sebutkan pemilik sampah ini, atau tunjukkan kartunya."
        raise RequestMalformed(FieldProblem("/resident_id", english, indonesian))
    return body.resident_id


def line_view(line: ledger.PassbookLine, description: str) -> LineView:
    """A line of somebody's account as it is shown."""
    about = line.corrects_kind or line.kind
    return LineView(
        id=line.id,
        at=line.at,
        kind=line.kind,
        description=description,
        in_idr=max(line.amount_idr, 0),
        out_idr=max(-line.amount_idr, 0),
        balance_idr=line.balance_idr,
        pickup_id=line.about_id if about in _OF_PICKUPS else None,
        dropoff_id=line.about_id if about == "dropoff" else None,
        payout_id=line.about_id if about == "payout" else None,
        journal_id=line.journal_id,
        corrects_journal_id=line.corrects_id,
        corrected_by_journal_id=line.corrected_by_id,
    )


def _marked(view: LineView, helped: Helped | None) -> LineView:
    if helped is not None:
        view.assisted, view.assisted_by = True, helped.by
    return view


def _name_in(names: Mapping[UUID, str], owner_id: UUID | None) -> str:
    return names.get(owner_id, "") if owner_id else ""


def sums_of(rows: Iterable[ledger.AccountTotals]) -> dict[str, int]:
    """What a trial balance comes to in each unit: 0, or something is wrong."""
    sums: dict[str, int] = {}
    for row in rows:
        sums[row.unit] = sums.get(row.unit, 0) + row.balance
    return sums


def account_view(row: ledger.AccountTotals, name: str = "") -> AccountView:
    """A line of a trial balance as it is shown, with a name for whoever may see it."""
    return AccountView(
        account=row.code,
        name=name,
        unit=row.unit,
        debit=row.debit,
        credit=row.credit,
        balance=row.balance,
    )
