"""Fields that several inputs and views share. Numbers are strict: true is no 1."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from models.bank import Bank
from models.material import Condition
from models.pickup import Pickup
from routing.geo import Point
from service.weighing import Weighed

HEAVIEST_LINE_GRAMS = 5_000_000
LARGEST_AMOUNT_IDR = 1_000_000_000_000
LARGEST_PRICE_IDR = 10_000_000
MOST_LINES = 100
_LONGEST_INSTANT = 40
# Those of a terminal, and those that turn around what follows them.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_UNSEEN = re.compile(r"[\s\u00ad\u115f\u1160\u200b-\u200f\u2060-\u2064\u3164\ufeff]+")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DAY_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")


def _no_control_characters(text: str) -> str:
    if _CONTROL.search(text):
        raise PydanticCustomError("control_characters", "Control characters are not allowed.")
    # What joins letters is needed in some scripts, but says nothing by itself.
    if _UNSEEN.fullmatch(text) and not text.isspace():
        raise PydanticCustomError("nothing_seen", "Nothing can be seen of this text.")
    return text


def _instant_text(value: object) -> object:
    """Instants come as RFC 3339 text only: a number, even in text, would be taken for seconds."""
    if not isinstance(value, str) or not _is_instant(value):
        raise _no_instant()
    return value


def _is_instant(text: str) -> bool:
    return len(text) <= _LONGEST_INSTANT and _DAY_AND_TIME.match(text) is not None


def _day_text(value: object) -> object:
    """Days come as 2026-11-22 only: a number, even in text, would be taken for seconds."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise PydanticCustomError("day", "A day is text, like 2026-11-22.")
    return value


def _in_utc(instant: datetime) -> datetime:
    try:
        found = instant.astimezone(UTC)
    except OverflowError:
        raise _no_instant() from None
    # A day of the calendar's first year may begin before it, elsewhere.
    if found.year == 1:
        raise _no_instant()
    return found


def _no_instant() -> PydanticCustomError:
    return PydanticCustomError("instant", "An instant is text, like 2026-11-22T08:00:00Z.")


Grams = Annotated[int, Field(strict=True, gt=0, le=HEAVIEST_LINE_GRAMS)]
GramsOrNone = Annotated[int, Field(strict=True, ge=0, le=HEAVIEST_LINE_GRAMS)]
Amount = Annotated[int, Field(strict=True, gt=0, le=LARGEST_AMOUNT_IDR)]
# After the length in each Annotated, or pydantic counts the letters as items of a list.
PLAIN = AfterValidator(_no_control_characters)
# A field that may be left out may be null as well: many clients send it so.
OR_NOTHING = BeforeValidator(lambda value: "" if value is None else value)
OR_ZERO = BeforeValidator(lambda value: 0 if value is None else value)
Line = Annotated[str, Field(max_length=300), PLAIN, OR_NOTHING]
Reason = Annotated[str, Field(min_length=1, max_length=300, pattern=r"\S"), PLAIN]
Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"\S"), PLAIN]
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_instant_text),
    AfterValidator(_in_utc),
    Field(json_schema_extra={"maxLength": _LONGEST_INSTANT}),
]
Day = Annotated[date, BeforeValidator(_day_text)]
MaterialCode = Annotated[str, Field(min_length=1, max_length=20), PLAIN]


class Sent(BaseModel):
    """What a caller sends. A field that isn't known is refused: it may be a mistyped one."""

    model_config = ConfigDict(extra="forbid")


class Position(Sent):
    """A place on the globe, latitude first."""

    lat: Annotated[float, Field(strict=True, ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False)]

    def point(self) -> Point:
        return Point(self.lat, self.lon)


class Window(Sent):
    """From when until when somebody is there."""

    start: Instant
    end: Instant


def position_of(thing: Pickup | Bank) -> Position:
    return Position(lat=thing.lat, lon=thing.lon)


class WeighingInput(Sent):
    """One line on the scale. `grams` are taken and paid; `rejected_grams` are not."""

    material: MaterialCode
    condition: Condition = Condition.CLEAN
    grams: GramsOrNone
    rejected_grams: Annotated[GramsOrNone, OR_ZERO] = 0
    reason: Annotated[Line, Field(validate_default=True)] = ""

    @field_validator("reason")
    @classmethod
    def _says_why(cls, reason: str, info: ValidationInfo) -> str:
        if info.data.get("rejected_grams") and not reason.strip():
            raise PydanticCustomError("reason_missing", "Say why grams were rejected.")
        return reason

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.grams + self.rejected_grams == 0:
            raise PydanticCustomError("nothing_weighed", "Nothing was weighed on this line.")
        return self

    def weighed(self) -> Weighed:
        return Weighed(**self.model_dump())


Weighings = Annotated[list[WeighingInput], Field(min_length=1, max_length=MOST_LINES)]
UnusualConfirmed = Annotated[
    bool, Field(strict=True, description="After a refusal as unusual: somebody looked again")
]


class WeighingView(BaseModel):
    line: int
    material: str
    condition: str
    grams: int
    rejected_grams: int
    reason: str
    price_idr: int
    amount_idr: int
