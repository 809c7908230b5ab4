"""Every kind of act that is posted has a name in both languages, and nothing else has one."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import service
from service.ledger.acts import ACTS

_FOLDER = Path(service.__file__).parent
_GIVEN = {
    "service.drawers.moving": {"float_in", "float_out", "cash_put_in", "cash_taken_out"},
    "service.station.settling": {"receiving", "dispute"},
}
"""Where the kind comes from who posts: there is one function, and these are its callers' kinds."""


def _posted() -> Iterator[str]:
    """The kind of every Draft that is made in the program."""
    for path in _FOLDER.rglob("*.py"):
        source = path.read_text()
        if "Draft(" not in source:
            continue
        name = ".".join(path.relative_to(_FOLDER.parent).with_suffix("").parts)
        for call in ast.walk(ast.parse(source)):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Draft":
                yield from _kinds(name, call.args[0])


def _kinds(name: str, kind: ast.expr) -> set[str]:
    if isinstance(kind, ast.Constant):
        return {str(kind.value)}
    known = getattr(import_module(name), ast.unparse(kind), None)
    if isinstance(known, str):
        return {known}
    assert all(f'"{each}"' in _sources(name) for each in _GIVEN[name]), "nobody posts this"
    return _GIVEN[name]


def _sources(name: str) -> str:
    """Everything that is written in a module's package."""
    folder = _FOLDER.parent.joinpath(*name.split(".")[:-1])
    return "".join(path.read_text() for path in folder.glob("*.py"))


def test_what_is_posted_has_a_name_in_both_languages() -> None:
    assert set(_posted()) == ACTS.keys()
    assert all(words.english and words.indonesian for words in ACTS.values())
    assert all(words.english != words.indonesian for words in ACTS.values())


def test_a_line_begins_with_a_capital() -> None:
    assert ACTS["sale"].title("id") == "Penjualan"
    assert ACTS["sale"].title("en") == "Sale"
