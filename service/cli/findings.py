"""What a look at an installation finds."""

from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(NamedTuple):
    """What was looked at, how it is, and what to do about it."""

    level: Level
    what: str
    how_it_is: str
    advice: str = ""
