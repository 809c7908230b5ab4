"""Lists that commands read from files."""

from pathlib import Path

from service.cli.refusals import Refused
from service.errors import Problem
from service.sheets import MOST_BYTES


def text_of(path: Path) -> str:
    """What stands in a file. Raises Refused if it is too large or no UTF-8."""
    if path.stat().st_size > MOST_BYTES:
        raise Refused(f"{path} is larger than 1 MB, too large for a list.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(f"{path} is not in UTF-8; save it as “CSV UTF-8”.") from None


def in_lines(error: Problem) -> str:
    """What is wrong with a list, and below it each cell at fault."""
    places = (_place(field.pointer, field.english) for field in error.fields)
    return "\n".join([str(error), *places])


def _place(pointer: str, sentence: str) -> str:
    _, line, *column = pointer.split("/")
    return f"  line {line}{', ' + column[0] if column else ''}: {sentence}"
