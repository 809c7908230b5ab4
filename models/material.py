"""Materials that waste banks buy, the same everywhere."""

from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from models.base import Table, one_of, text_of


class Unit(StrEnum):
    """What a price is for."""

    KG = "kg"
    PIECE = "pcs"
    LITRE = "litre"


class Condition(StrEnum):
    CLEAN = "clean"
    DIRTY = "dirty"


class Material(Table, table=True):
    """One sort of waste, with the names people use for it."""

    __table_args__ = (
        CheckConstraint(one_of("unit", Unit), "unit"),
        CheckConstraint("grams_per_unit > 0", "grams_per_unit"),
    )

    code: str = Field(primary_key=True, max_length=20)
    name: str = Field(max_length=120, description="In Indonesian")
    aliases: str = Field(default="", max_length=300, description="Separated by semicolons")
    group_name: str = Field(max_length=30)
    sipsn_class: str = Field(max_length=30, description="Class of the national waste register")
    unit: str = Field(sa_type=text_of(Unit))
    grams_per_unit: int = Field(description="How many grams one unit of the price weighs")
    note: str = Field(default="", max_length=300)
