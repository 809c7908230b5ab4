"""What moved in grams on days of business, from account to account: parts of queries.

They ask for `of_bank` and the `first` and `last` day.
"""

from sqlalchemy import (
    CTE,
    ColumnElement,
    Function,
    ScalarSelect,
    Subquery,
    and_,
    bindparam,
    case,
    func,
    select,
    union_all,
)
from sqlmodel import col

from models.ledger import Account, Journal, Page, Transfer, TransferKind
from service.ledger.chart import grams_of

CUSTODY = (
    "source",
    "load",
    "stock",
    "sold",
    "missing",
    "residue",
    "weighing_difference",
    "stock_difference",
)
"""Where grams can be; whose they are is another matter and not counted here."""
PREFIX = grams_of("")
OF_PAGE = and_(col(Page.bank_id) == Journal.bank_id, col(Page.number) == Journal.page)
_POSTED = (TransferKind.POST, TransferKind.SETTLE)


def places() -> Subquery:
    """A bank's accounts in grams, with the kind of place that each is, if it is one."""
    code = col(Account.code)
    place = case(
        *((code == kind, kind) for kind in CUSTODY),
        *((code.startswith(f"{kind}:", autoescape=True), kind) for kind in CUSTODY),
    )
    return (
        select(col(Account.bank_id), col(Account.id), col(Account.unit), place.label("place"))
        .where(col(Account.bank_id) == bindparam("of_bank"), col(Account.unit).startswith(PREFIX))
        .subquery()
    )


def legs() -> CTE:
    """Both sides of what moved; what an account gets is positive."""
    sums = _sums()
    debits = select(sums.c.day, sums.c.debit_account_id.label("account_id"), sums.c.grams)
    credits_ = select(sums.c.day, sums.c.credit_account_id, -sums.c.grams)
    return union_all(debits, credits_).cte("legs")


def _sums() -> CTE:
    """Grams moved from one account to another on each day."""
    journals = _journals()
    of_journal = and_(
        col(Transfer.bank_id) == journals.c.bank_id, col(Transfer.journal_id) == journals.c.id
    )
    between = (journals.c.day, col(Transfer.debit_account_id), col(Transfer.credit_account_id))
    return (
        select(*between, func.sum(col(Transfer.amount)).label("grams"))
        .join_from(journals, Transfer, of_journal)
        .where(
            col(Transfer.kind).in_(_POSTED),
            col(Transfer.unit).startswith(PREFIX),
            # Between the pages may stand some of other days, of which one was opened again.
            journals.c.day.between(bindparam("first"), bindparam("last")),
        )
        .group_by(*between)
        .cte("sums")
        .prefix_with("MATERIALIZED")
    )


def _journals() -> CTE:
    """The acts of the days of business that are asked for, each with its day.

    Materialised, or SQLite would rather begin with all transfers there ever were.
    """
    first_page = _page(func.min(col(Page.number)), col(Page.day) >= bindparam("first"))
    last_page = _page(func.max(col(Page.number)), col(Page.day) <= bindparam("last"))
    return (
        select(col(Journal.bank_id), col(Journal.id), col(Page.day))
        .join(Page, OF_PAGE)
        .where(
            col(Journal.bank_id) == bindparam("of_bank"),
            col(Journal.page).between(first_page, last_page),
        )
        .cte("journals")
        .prefix_with("MATERIALIZED")
    )


def _page(which: Function[int], *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    of_bank = col(Page.bank_id) == bindparam("of_bank")
    return select(which).where(of_bank, *conditions).scalar_subquery()
