"""Of which gateways and bank accounts a bank can bring statements in."""

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.drawer import MAIN
from models.ledger import Account
from service.errors import FieldProblem, Malformed
from service.ledger.chart import IDR

_KINDS = ("float", "bank_account")


class UnknownSource(Malformed):
    english = "This waste bank has no gateway or bank account of this name."
    indonesian = "Bank sampah ini tidak memiliki gerbang bayar atau rekening dengan nama ini."


async def check_known(
    session: AsyncSession, bank_id: UUID, source: str, others: Iterable[str]
) -> None:
    """See that there is such a gateway or bank account; `others` are known besides our book's.

    A name that is mistyped would make a second account of which nobody knows. Raises
    UnknownSource.
    """
    known = {MAIN, *others, *await _in_book(session, bank_id)}
    if source in known:
        return
    names = ", ".join(sorted(known))
    raise UnknownSource(
        FieldProblem(
            "/gateway",
            f"“{source}” is none. Known are {names}; declare a column map of a new one's name.",
            f"“{source}” tidak ada. Yang dikenal: {names}; daftarkan peta kolom untuk yang baru.",
        )
    )


async def _in_book(session: AsyncSession, bank_id: UUID) -> set[str]:
    """Where our book has or had money."""
    query = select(Account.code).where(
        Account.bank_id == bank_id,
        Account.unit == IDR,
        or_(*(col(Account.code).startswith(f"{kind}:") for kind in _KINDS)),
    )
    return {code.partition(":")[2] for code in await session.exec(query)}
