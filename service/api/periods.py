"""A stretch of days in a query: from one day to another, both included."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Query

from models.bank import Bank
from service.api.errors import RequestMalformed
from service.api.fields import Day
from service.errors import FieldProblem

LONGEST_DAYS = 366
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 12, 31)


@dataclass(frozen=True, slots=True)
class Period:
    """From the beginning of one day to the end of another, at the bank."""

    first: date
    last: date

    def instants(self, bank: Bank) -> tuple[datetime, datetime]:
        """When it begins, and when it is over, in UTC."""
        zone = ZoneInfo(bank.time_zone)
        begins = datetime.combine(self.first, time(), zone)
        over = datetime.combine(self.last + timedelta(days=1), time(), zone)
        return begins.astimezone(UTC), over.astimezone(UTC)


async def period(
    first: Annotated[Day, Query(alias="from", ge=EARLIEST, le=LATEST)],
    last: Annotated[Day, Query(alias="to", ge=EARLIEST, le=LATEST)],
) -> Period:
    return checked(first, last, "/to")


def checked(first: date, last: date, pointer: str) -> Period:
    """These days, unless they are backwards or too many. Raises RequestMalformed."""
    if not first <= last < first + timedelta(days=LONGEST_DAYS):
        raise RequestMalformed(
            FieldProblem(
                pointer,
                f"The last day is not before the first one, nor {LONGEST_DAYS} days after it.",
                f"Hari terakhir tidak sebelum hari pertama, paling lama {LONGEST_DAYS} hari.",
            )
        )
    return Period(first, last)


CurrentPeriod = Annotated[Period, Depends(period)]
