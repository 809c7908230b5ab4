"""Every column of every table was looked at: does it say something of a person?"""

import pytest

from models.belonging import NOBODYS, OWNERS, THROUGH
from models.personal import COLUMNS, Fate, having
from models.registry import METADATA

_OF_NOBODY = {Fate.PLAIN, Fate.PSEUDONYM}


@pytest.mark.parametrize("table", sorted(METADATA.tables))
def test_somebody_decided_about_every_column(table: str) -> None:
    known = set(COLUMNS.get(table, {}))
    there = {column.name for column in METADATA.tables[table].columns}
    hint = "decide in models/personal.py whether it says something of a person"
    assert there - known == set(), hint
    assert known - there == set(), "columns that are gone"


def test_no_table_is_decided_about_that_is_gone() -> None:
    assert COLUMNS.keys() == METADATA.tables.keys()


def test_every_table_with_something_personal_says_whose_it_is() -> None:
    personal = {table for table, columns in COLUMNS.items() if {*columns.values()} - _OF_NOBODY}
    assert personal - OWNERS.keys() - THROUGH.keys() - NOBODYS == set()
    assert personal >= NOBODYS


def test_owners_and_links_name_columns_that_are_there() -> None:
    for table, column in OWNERS.items():
        assert COLUMNS[table][column] is Fate.PSEUDONYM
    for table, links in THROUGH.items():
        for parent, pairs in links:
            assert parent in OWNERS or parent in THROUGH
            assert pairs.keys() <= COLUMNS[table].keys()
            assert set(pairs.values()) <= COLUMNS[parent].keys()


def test_what_could_be_told_apart_by_reading_is_not_called_plain() -> None:
    telling = {"phone", "name", "address", "note", "account_number", "raw", "body", "lat", "lon"}
    plain = set(having(Fate.PLAIN))
    things = {"bank", "column_map", "district", "drawer", "material", "payout_channel"}
    assert {
        (table, name) for table, name in plain if name in telling and table not in things
    } == set()
