"""The words of a pack: none is missing, and none is said twice."""

from datetime import date
from enum import StrEnum

import pytest

from models.payout import FeeBy, PayoutMethod, PayoutSource, PayoutStatus
from models.reconciliation import Action, CaseKind, CaseStatus
from service.bookkeeping import Pack, Part, Table
from service.bookkeeping.words import in_language, title_of


def told(part: Part, column: str, code: str) -> str:
    pack = Pack("Melati", date(2026, 11, 1), date(2026, 11, 2), [Table(part, [column], [[code]])])
    (table,) = in_language(pack, "id").tables
    return str(table.rows[0][0])


@pytest.mark.parametrize(
    ("part", "column", "codes"),
    [
        (Part.PAYOUTS, "source", PayoutSource),
        (Part.PAYOUTS, "method", PayoutMethod),
        (Part.PAYOUTS, "fee_by", FeeBy),
        (Part.PAYOUTS, "status", PayoutStatus),
        (Part.EXCEPTIONS, "kind", CaseKind),
        (Part.EXCEPTIONS, "status", CaseStatus),
        (Part.EXCEPTIONS, "action", Action),
    ],
)
def test_every_code_has_a_word_of_its_own(part: Part, column: str, codes: type[StrEnum]) -> None:
    words = {told(part, column, code) for code in codes}
    assert len(words) == len(codes)
    assert words.isdisjoint(codes)


def test_what_is_no_code_stays_as_it_is() -> None:
    assert told(Part.PAYOUTS, "reason", "paid") == "paid"
    assert told(Part.JOURNAL, "memo", "pickup") == "pickup"
    assert title_of(Part.JOURNAL, "en") == "journal"
    assert len({title_of(part, "id") for part in Part}) == len(Part)
