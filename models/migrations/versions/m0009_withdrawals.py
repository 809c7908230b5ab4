"""Statements that were withdrawn: their lines count no more, and may come again."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_COUNTS = sa.text("withdrawn_at IS NULL")
_OF_LINE = ["bank_id", "source", "external_id", "line_type", "occurrence"]
_OF_FILE = ["bank_id", "source", "sha256"]
_ONCE = {
    "statement_line": _OF_LINE,
    "statement_import": _OF_FILE,
}
_ALL_OR_NONE = (
    "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)"
    " AND (withdrawn_at IS NULL OR withdrawn_reason <> '')"
)


def upgrade() -> None:
    for table, columns in _ONCE.items():
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_constraint(_unique(table), type_="unique")
            batch_op.add_column(sa.Column("withdrawn_at", UTCDateTime(), nullable=True))
        op.create_index(
            f"ix_{table}_once",
            table,
            columns,
            unique=True,
            sqlite_where=_COUNTS,
            postgresql_where=_COUNTS,
        )
    with op.batch_alter_table("statement_import") as batch_op:
        batch_op.add_column(sa.Column("withdrawn_by", sa.Uuid(), nullable=True))
        batch_op.add_column(
            sa.Column("withdrawn_reason", sa.String(length=300), nullable=False, server_default="")
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_statement_import_withdrawn_by"), "person", ["withdrawn_by"], ["id"]
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_statement_import_withdrawn_with_a_reason"), _ALL_OR_NONE
        )
    with op.batch_alter_table("statement_import") as batch_op:
        batch_op.alter_column("withdrawn_reason", server_default=None)
    with op.batch_alter_table("reconciliation_case") as batch_op:
        batch_op.add_column(sa.Column("import_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_reconciliation_case_bank_id_import_id"),
            "statement_import",
            ["bank_id", "import_id"],
            ["bank_id", "id"],
        )


def downgrade() -> None:
    with op.batch_alter_table("reconciliation_case") as batch_op:
        batch_op.drop_constraint("fk_reconciliation_case_bank_id_import_id", type_="foreignkey")
        batch_op.drop_column("import_id")
    with op.batch_alter_table("statement_import") as batch_op:
        batch_op.drop_constraint(
            batch_op.f("ck_statement_import_withdrawn_with_a_reason"), type_="check"
        )
        batch_op.drop_constraint("fk_statement_import_withdrawn_by", type_="foreignkey")
        batch_op.drop_column("withdrawn_by")
        batch_op.drop_column("withdrawn_reason")
    for table, columns in _ONCE.items():
        op.drop_index(f"ix_{table}_once", table)
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("withdrawn_at")
            batch_op.create_unique_constraint(_unique(table), columns)


def _unique(table: str) -> str:
    # Marked as made by a convention, it is cut to what PostgreSQL takes, as when it was created.
    return op.f(f"uq_{table}_{'_'.join(_ONCE[table])}")
