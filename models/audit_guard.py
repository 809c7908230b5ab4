"""The guard on the audit, and on what is kept like it, on both engines: what is written stays.

An entry stands on the open page of its bank's book, as a journal does: once the page is
turned, nothing can be added to what is sealed.
"""

_TABLES = {
    "audit_entry": ("bank_id", "id"),
    "audit_own": ("person_id", "id"),
    "breach": ("bank_id", "id"),
    "breach_notice": ("bank_id", "breach_id", "told"),
    "breach_person": ("bank_id", "breach_id", "person_id"),
    "consent": ("person_id", "id"),
}
"""With their keys."""
_OPEN_PAGE = "(SELECT max(p.number) FROM ledger_page p WHERE p.bank_id = NEW.bank_id)"


def _never(table: str, event: str) -> str:
    return (
        f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table}"
        " BEGIN SELECT RAISE(ABORT, 'audit: what is written stays'); END"
    )


def _once(table: str, key: tuple[str, ...]) -> str:
    # INSERT OR REPLACE removes the row in its way without a word to DELETE triggers.
    same = " AND ".join(f"t.{column} = NEW.{column}" for column in key)
    return f"""CREATE TRIGGER {table}_once BEFORE INSERT ON {table} BEGIN
  SELECT RAISE(ABORT, 'audit: already there') WHERE EXISTS (
    SELECT 1 FROM {table} t WHERE {same});
END"""


SQLITE: dict[str, str] = {
    "audit_entry_page": f"""CREATE TRIGGER audit_entry_page BEFORE INSERT ON audit_entry BEGIN
  SELECT RAISE(ABORT, 'audit: that page is not open') WHERE NEW.page IS NOT {_OPEN_PAGE};
END""",
}
RUNS: dict[str, tuple[str, str, str]] = {
    "audit_entry_page": ("BEFORE INSERT", "audit_entry", "ledger_on_page"),
}
"""PostgreSQL's triggers: when, on which table, which function of the ledger's."""
for _table, _key in _TABLES.items():
    SQLITE[f"{_table}_once"] = _once(_table, _key)
    for _event in ("UPDATE", "DELETE"):
        SQLITE[f"{_table}_{_event.lower()}"] = _never(_table, _event)
    for _event in ("UPDATE", "DELETE", "TRUNCATE"):
        _name = f"{_table}_{_event.lower()}"
        RUNS[_name] = (f"BEFORE {_event}", _table, "ledger_refuse")
