"""What a city is told of months that are over, kept so that it isn't added up each time."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text
from sqlmodel import Field

from models.base import Table, whole


class CityMonth(Table, table=True):
    """What moved between two lines in one month, in rupiah; derived, and made anew without it.

    Each month that is kept has a row without lines, so that one in which nothing moved is known.
    """

    __tablename__ = "city_month"

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    ends_at: datetime = Field(primary_key=True, description="When the next month begins there")
    debit: str = Field(primary_key=True, max_length=80)
    credit: str = Field(primary_key=True, max_length=80)
    amount: int = whole()
    people: str = Field(sa_type=Text, description="Ids of some of those behind it")
