"""The trial balance as it was when a page was turned."""

from uuid import UUID

from sqlalchemy import Connection

from service.sealing import book
from service.sealing.heads import Total

_NOW = """
SELECT a.code, a.unit, sum(b.debits_posted) AS debit, sum(b.credits_posted) AS credit
  FROM ledger_account a JOIN ledger_balance b ON b.bank_id = a.bank_id AND b.account_id = a.id
 WHERE a.bank_id = :bank_id GROUP BY a.code, a.unit"""
_SINCE = """
SELECT a.code, a.unit, sum(m.debit) AS debit, sum(m.credit) AS credit
  FROM (SELECT t.debit_account_id AS account_id, t.amount AS debit, 0 AS credit
          FROM ledger_journal j JOIN ledger_transfer t
            ON t.bank_id = j.bank_id AND t.journal_id = j.id AND t.kind IN ('post', 'settle')
         WHERE j.bank_id = :bank_id AND j.page > :page
        UNION ALL
        SELECT t.credit_account_id, 0, t.amount
          FROM ledger_journal j JOIN ledger_transfer t
            ON t.bank_id = j.bank_id AND t.journal_id = j.id AND t.kind IN ('post', 'settle')
         WHERE j.bank_id = :bank_id AND j.page > :page) m
  JOIN ledger_account a ON a.bank_id = :bank_id AND a.id = m.account_id
 GROUP BY a.code, a.unit"""


def totals_after(connection: Connection, bank_id: UUID, page: int) -> list[Total]:
    """What had been posted to each account when this page was turned.

    Worked out backwards, from the counters of now: a day is sealed soon after its end, so
    there is little to take off again. The connection must see one moment.
    """
    since = {
        (row["code"], row["unit"]): (int(row["debit"]), int(row["credit"]))
        for row in book.rows(connection, _SINCE, bank_id, page=page)
    }
    totals = []
    for row in book.rows(connection, _NOW, bank_id):
        debit, credit = since.get((row["code"], row["unit"]), (0, 0))
        totals.append(
            Total(row["code"], row["unit"], int(row["debit"]) - debit, int(row["credit"]) - credit)
        )
    return totals
