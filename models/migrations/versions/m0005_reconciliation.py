"""Reconciliation: statements, what they were matched with, and what waits for somebody."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OF_A_LINE = sa.text("status IN ('open', 'waiting') AND line_id IS NOT NULL")
_OF_A_PAYOUT = sa.text("status IN ('open', 'waiting') AND line_id IS NULL")
_WAITS = sa.text("status IN ('open', 'waiting')")
_HOLDS = sa.text("undone_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "column_map",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_column_map_has_a_name")),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_column_map_bank_id")),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["person.id"], name=op.f("fk_column_map_entered_by")
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_column_map")),
    )
    with op.batch_alter_table("column_map") as batch_op:
        batch_op.create_index("ix_column_map_name", ["bank_id", "name", "id"])
    op.create_table(
        "statement_import",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("holding", sa.String(length=12), nullable=False),
        sa.Column("profile", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("first_at", UTCDateTime(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.Column("opening_idr", sa.BigInteger(), nullable=True),
        sa.Column("closing_idr", sa.BigInteger(), nullable=True),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("new_count", sa.Integer(), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=False),
        sa.Column("imported_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "holding IN ('float', 'bank_account')", name=op.f("ck_statement_import_holding")
        ),
        sa.CheckConstraint(
            "line_count >= new_count AND new_count >= 0", name=op.f("ck_statement_import_counts")
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_statement_import_bank_id")),
        sa.ForeignKeyConstraint(
            ["imported_by"], ["person.id"], name=op.f("fk_statement_import_imported_by")
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_statement_import")),
        sa.UniqueConstraint(
            "bank_id", "source", "sha256", name=op.f("uq_statement_import_bank_id_source_sha256")
        ),
    )
    op.create_table(
        "statement_line",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=False),
        sa.Column("line_type", sa.String(length=8), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("gateway_id", sa.String(length=120), nullable=False),
        sa.Column("reference", sa.String(length=300), nullable=False),
        sa.Column("account_number", sa.String(length=40), nullable=False),
        sa.Column("amount_idr", sa.BigInteger(), nullable=False),
        sa.Column("balance_idr", sa.BigInteger(), nullable=True),
        sa.Column("booked_at", UTCDateTime(), nullable=False),
        sa.Column("booked_until", UTCDateTime(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "line_type IN ('out', 'in', 'fee', 'vat', 'out_back', 'fee_back', 'vat_back')",
            name=op.f("ck_statement_line_line_type"),
        ),
        sa.CheckConstraint("occurrence > 0", name=op.f("ck_statement_line_occurrence")),
        sa.ForeignKeyConstraint(
            ["bank_id", "import_id"],
            ["statement_import.bank_id", "statement_import.id"],
            name=op.f("fk_statement_line_bank_id_import_id"),
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_statement_line")),
        sa.UniqueConstraint(
            "bank_id",
            "source",
            "external_id",
            "line_type",
            "occurrence",
            name=op.f("uq_statement_line_bank_id_source_external_id_line_type_occurrence"),
        ),
    )
    with op.batch_alter_table("statement_line") as batch_op:
        batch_op.create_index("ix_statement_line_booked", ["bank_id", "source", "booked_at"])
    op.create_table(
        "reconciliation_case",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("holding", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=18), nullable=False),
        sa.Column("why", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=True),
        sa.Column("payout_id", sa.Uuid(), nullable=True),
        sa.Column("expected_idr", sa.BigInteger(), nullable=False),
        sa.Column("found_idr", sa.BigInteger(), nullable=False),
        sa.Column("proposed_action", sa.String(length=9), nullable=False),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(length=9), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("transfer_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(status = 'resolved') = (resolved_by IS NOT NULL) AND (status <> 'resolved' OR (action IS NOT NULL AND reason <> ''))",
            name=op.f("ck_reconciliation_case_resolved_with_a_reason"),
        ),
        sa.CheckConstraint(
            "action IN ('match', 'accept', 'wait', 'fee', 'suspense', 'top_up', 'write_off', 'reverse')",
            name=op.f("ck_reconciliation_case_action"),
        ),
        sa.CheckConstraint(
            "holding IN ('float', 'bank_account')", name=op.f("ck_reconciliation_case_holding")
        ),
        sa.CheckConstraint(
            "kind IN ('amount_differs', 'fee_differs', 'missing_at_gateway', 'missing_here', 'duplicate', 'late', 'reversed', 'unknown')",
            name=op.f("ck_reconciliation_case_kind"),
        ),
        sa.CheckConstraint(
            "proposed_action IN ('match', 'accept', 'wait', 'fee', 'suspense', 'top_up', 'write_off', 'reverse')",
            name=op.f("ck_reconciliation_case_proposed_action"),
        ),
        sa.CheckConstraint(
            "status IN ('open', 'waiting', 'resolved', 'cleared')",
            name=op.f("ck_reconciliation_case_status"),
        ),
        sa.CheckConstraint(
            "transfer_id IS NULL OR status = 'resolved'",
            name=op.f("ck_reconciliation_case_moves_when_resolved"),
        ),
        sa.CheckConstraint(
            "line_id IS NOT NULL OR payout_id IS NOT NULL",
            name=op.f("ck_reconciliation_case_about_something"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "line_id"],
            ["statement_line.bank_id", "statement_line.id"],
            name=op.f("fk_reconciliation_case_bank_id_line_id"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "payout_id"],
            ["payout.bank_id", "payout.id"],
            name=op.f("fk_reconciliation_case_bank_id_payout_id"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "transfer_id"],
            ["ledger_transfer.bank_id", "ledger_transfer.id"],
            name=op.f("fk_reconciliation_case_bank_id_transfer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id"], ["bank.id"], name=op.f("fk_reconciliation_case_bank_id")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["person.id"], name=op.f("fk_reconciliation_case_owner_id")
        ),
        sa.ForeignKeyConstraint(
            ["resolved_by"], ["person.id"], name=op.f("fk_reconciliation_case_resolved_by")
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_reconciliation_case")),
    )
    with op.batch_alter_table("reconciliation_case") as batch_op:
        batch_op.create_index(
            "ix_reconciliation_case_line",
            ["bank_id", "line_id"],
            unique=True,
            sqlite_where=_OF_A_LINE,
            postgresql_where=_OF_A_LINE,
        )
        batch_op.create_index(
            "ix_reconciliation_case_payout",
            ["bank_id", "payout_id"],
            unique=True,
            sqlite_where=_OF_A_PAYOUT,
            postgresql_where=_OF_A_PAYOUT,
        )
        batch_op.create_index("ix_reconciliation_case_since", ["bank_id", "since", "id"])
        batch_op.create_index(
            "ix_reconciliation_case_waits",
            ["bank_id", "source", "id"],
            sqlite_where=_WAITS,
            postgresql_where=_WAITS,
        )
    op.create_table(
        "statement_match",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("leg", sa.String(length=20), nullable=False),
        sa.Column("rule", sa.String(length=20), nullable=False),
        sa.Column("matched_by", sa.Uuid(), nullable=True),
        sa.Column("matched_at", UTCDateTime(), nullable=False),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("undone_at", UTCDateTime(), nullable=True),
        sa.Column("undone_reason", sa.String(length=300), nullable=False),
        sa.CheckConstraint(
            "undone_at IS NULL OR undone_reason <> ''",
            name=op.f("ck_statement_match_undone_with_a_reason"),
        ),
        sa.CheckConstraint(
            "(undone_at IS NULL) = (undone_by IS NULL)", name=op.f("ck_statement_match_undone")
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "line_id"],
            ["statement_line.bank_id", "statement_line.id"],
            name=op.f("fk_statement_match_bank_id_line_id"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "payout_id"],
            ["payout.bank_id", "payout.id"],
            name=op.f("fk_statement_match_bank_id_payout_id"),
        ),
        sa.ForeignKeyConstraint(
            ["matched_by"], ["person.id"], name=op.f("fk_statement_match_matched_by")
        ),
        sa.ForeignKeyConstraint(
            ["undone_by"], ["person.id"], name=op.f("fk_statement_match_undone_by")
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_statement_match")),
    )
    with op.batch_alter_table("statement_match") as batch_op:
        batch_op.create_index(
            "ix_statement_match_leg",
            ["bank_id", "payout_id", "leg"],
            unique=True,
            sqlite_where=_HOLDS,
            postgresql_where=_HOLDS,
        )
        batch_op.create_index(
            "ix_statement_match_line",
            ["bank_id", "line_id", "part"],
            unique=True,
            sqlite_where=_HOLDS,
            postgresql_where=_HOLDS,
        )
    with op.batch_alter_table("payout") as batch_op:
        batch_op.create_index("ix_payout_gateway_sent", ["bank_id", "gateway", "sent_at"])


def downgrade() -> None:
    op.drop_index("ix_payout_gateway_sent", "payout")
    for table in (
        "statement_match",
        "reconciliation_case",
        "statement_line",
        "statement_import",
        "column_map",
    ):
        op.drop_table(table)
