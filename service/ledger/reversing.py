"""Reversing: an act is taken back by another one, and both stay in the book."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, and_, bindparam, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.base import table_of, utc_now
from models.ledger import Account, Floor, Journal, Transfer, TransferKind
from service.errors import Conflict, NoSuchThing
from service.ledger.chart import IDR, KINDS, Place, chart
from service.ledger.posting import AlreadyPosted, AlreadyReversed, Draft, Movement, post

CORRECTION = "correction"
"""The kind of an act that takes another one back."""
REVERSAL = "reversal:"
"""How the key of a transfer begins that takes another one back, whose id follows."""

_journal, _transfer = table_of(Journal), table_of(Transfer)
_sides = {"debit": table_of(Account).alias(), "credit": table_of(Account).alias()}


def _is_side(side: str) -> ColumnElement[bool]:
    account = _sides[side]
    return and_(
        account.c.bank_id == _transfer.c.bank_id,
        account.c.id == _transfer.c[f"{side}_account_id"],
    )


_STEPS: Select[Any] = (
    select(
        _journal.c.id.label("journal_id"),
        _journal.c.kind.label("journal_kind"),
        _journal.c.about_id,
        _journal.c.reverses_id,
        _transfer.c.id,
        _transfer.c.kind,
        _transfer.c.amount,
        *(
            account.c[name].label(f"{side}_{name}")
            for side, account in _sides.items()
            for name in ("code", "unit", "floor", "owner_id", "shards")
        ),
    )
    .select_from(_journal)
    .outerjoin(
        _transfer,
        and_(_transfer.c.bank_id == _journal.c.bank_id, _transfer.c.journal_id == _journal.c.id),
    )
    .outerjoin(_sides["debit"], _is_side("debit"))
    .outerjoin(_sides["credit"], _is_side("credit"))
    .order_by(_journal.c.id, _transfer.c.id)
)
_REVERSAL = select(col(Journal.id)).where(
    col(Journal.bank_id) == bindparam("of_bank"), col(Journal.reverses_id) == bindparam("of_act")
)


class NotReversible(Conflict):
    english = "This can't be taken back: it only held an amount, gave one back, or is a correction."
    indonesian = (
        "Ini tidak dapat dikoreksi: hanya penahanan, pengembalian dana, atau sudah berupa koreksi."
    )


class Step(NamedTuple):
    """One transfer of an act."""

    id: UUID
    kind: str
    debit: Place
    credit: Place
    amount: int

    @property
    def is_posted(self) -> bool:
        return self.kind in (TransferKind.POST, TransferKind.SETTLE)


class Act(NamedTuple):
    """One act of business as it stands in the book."""

    journal_id: UUID
    kind: str
    about_id: UUID | None
    reverses_id: UUID | None
    steps: Sequence[Step]

    @property
    def is_reversible(self) -> bool:
        """Whether it moved something for good, and is no reversal itself."""
        posted = all(step.is_posted for step in self.steps)
        return bool(self.steps) and posted and self.reverses_id is None

    @property
    def moved_idr(self) -> int:
        """The rupiah that it moved; what only passed through an account counts once."""
        return sum(self._put_in())

    @property
    def most_idr(self) -> int:
        """The most that it moved into any one account."""
        return max(self._put_in(), default=0)

    def _put_in(self) -> list[int]:
        """The rupiah that each account got, of those that got any."""
        changes: Counter[str] = Counter()
        for step in self.steps:
            if step.debit.unit == IDR:
                changes[step.debit.code] += step.amount
                changes[step.credit.code] -= step.amount
        return [change for change in changes.values() if change > 0]

    def given_idr(self, resident_id: UUID) -> int:
        """What it put into a resident's passbook, pending or not; negative if it took."""
        theirs = {chart.available(resident_id).code, chart.pending(resident_id).code}
        return sum(
            step.amount * ((step.credit.code in theirs) - (step.debit.code in theirs))
            for step in self.steps
        )

    def gave_up(self) -> set[UUID]:
        """Out of whose accounts it took money or goods, which they get back if it is reversed."""
        sides = [(step.debit, Floor.CREDIT) for step in self.steps]
        sides += [(step.credit, Floor.DEBIT) for step in self.steps]
        return {place.owner_id for place, out in sides if place.floor == out and place.owner_id}

    def owners(self, per: str = "") -> set[UUID]:
        """Whose accounts it moved: everybody's, or those of each resident or collector."""
        places = [place for step in self.steps for place in (step.debit, step.credit)]
        return {
            place.owner_id
            for place in places
            if place.owner_id and (not per or KINDS[place.kind].per == per)
        }


async def act_of(session: AsyncSession, bank_id: UUID, journal_id: UUID) -> Act:
    """The act of a journal. Raises NoSuchThing."""
    return await _first_act(session, col(Journal.bank_id) == bank_id, col(Journal.id) == journal_id)


async def act_about(
    session: AsyncSession, bank_id: UUID, about_id: UUID, kinds: Iterable[str] | None = None
) -> Act:
    """The first act about a pickup, drop-off or payout, of any kind or of one of these.

    Raises NoSuchThing.
    """
    about = [col(Journal.bank_id) == bank_id, col(Journal.about_id) == about_id]
    if kinds is not None:
        about.append(col(Journal.kind).in_(kinds))
    return await _first_act(session, *about)


async def reverse(session: AsyncSession, bank_id: UUID, act: Act, *, by: UUID, reason: str) -> UUID:
    """Take an act back, all units of it; the journal that does so.

    Of a hold that was settled in part, what was settled comes back. Raises NotReversible,
    AlreadyReversed, or BalanceTooLow if what it gave isn't there any more.
    """
    if not act.is_reversible:
        raise NotReversible
    back = [
        Movement(f"{REVERSAL}{step.id}", debit=step.credit, credit=step.debit, amount=step.amount)
        for step in reversed(act.steps)
    ]
    draft = Draft(
        CORRECTION,
        back,
        event_at=utc_now(),
        about_id=act.about_id,
        actor_id=by,
        memo=reason,
        reverses_id=act.journal_id,
    )
    try:
        await post(session, bank_id, draft)
    except AlreadyPosted as error:
        # Journal and transfers are one statement, and either may be found to be there.
        raise AlreadyReversed from error
    reversal_id = await reversal_of(session, bank_id, act.journal_id)
    if reversal_id is None:
        raise LookupError("A reversal that was just written can't be read.")
    return reversal_id


async def reversal_of(session: AsyncSession, bank_id: UUID, journal_id: UUID) -> UUID | None:
    """The act that took this one back, if it was."""
    connection = await session.connection()
    asked = {"of_bank": bank_id, "of_act": journal_id}
    reversal_id: UUID | None = (await connection.execute(_REVERSAL, asked)).scalar()
    return reversal_id


async def _first_act(session: AsyncSession, *conditions: ColumnElement[bool]) -> Act:
    connection = await session.connection()
    rows = (await connection.execute(_STEPS.where(*conditions))).mappings().all()
    if not rows:
        raise NoSuchThing(thing="entry")
    first = rows[0]
    return Act(
        first["journal_id"],
        first["journal_kind"],
        first["about_id"],
        first["reverses_id"],
        [_step(row) for row in rows if row["journal_id"] == first["journal_id"] and row["id"]],
    )


def _step(row: RowMapping) -> Step:
    return Step(row["id"], row["kind"], _place(row, "debit"), _place(row, "credit"), row["amount"])


def _place(row: RowMapping, side: str) -> Place:
    return Place(
        row[f"{side}_code"],
        unit=row[f"{side}_unit"],
        floor=Floor(row[f"{side}_floor"]),
        owner_id=row[f"{side}_owner_id"],
        hot=row[f"{side}_shards"] > 1,
    )
