"""The audit: entries on the pages of the book, and seals that speak of them."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

from models.ledger import triggers

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_WITH_PERSON = sa.text("person_id IS NOT NULL")


def upgrade() -> None:
    _make_entries()
    _make_own_entries()
    # Columns that may be empty are added in place; seals of pages before speak of no audit.
    op.add_column("ledger_seal", sa.Column("audit_entries", sa.Integer()))
    op.add_column("ledger_seal", sa.Column("audit_leaves", sa.LargeBinary()))
    op.add_column("ledger_seal", sa.Column("audit_root", sa.LargeBinary()))


def downgrade() -> None:
    """Pages that were sealed with their audit can't be checked without it."""
    triggers.remove(op.get_bind())
    for table in ("audit_entry", "audit_own"):
        op.drop_table(table)
    with op.batch_alter_table("ledger_seal") as batch_op:
        for column in ("audit_entries", "audit_leaves", "audit_root"):
            batch_op.drop_column(column)


def _make_entries() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("act", sa.String(length=60), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("card_id", sa.Uuid(), nullable=True),
        sa.Column("about_kind", sa.String(length=30), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_audit_entry")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_audit_entry_page", "audit_entry", ["bank_id", "page", "id"])
    op.create_index("ix_audit_entry_about", "audit_entry", ["bank_id", "about", "id"])
    op.create_index(
        "ix_audit_entry_person",
        "audit_entry",
        ["bank_id", "person_id", "id"],
        sqlite_where=_WITH_PERSON,
        postgresql_where=_WITH_PERSON,
    )


def _make_own_entries() -> None:
    op.create_table(
        "audit_own",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("act", sa.String(length=60), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("person_id", "id", name=op.f("pk_audit_own")),
        sqlite_with_rowid=False,
    )
