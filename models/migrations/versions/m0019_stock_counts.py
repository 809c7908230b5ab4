"""What was counted in a bank's store is kept."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

from models.ledger import triggers

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stock_count",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("material", sa.String(length=20), nullable=False),
        sa.Column("counted_grams", sa.BigInteger(), nullable=False),
        sa.Column("difference_grams", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("counted_by", sa.Uuid(), nullable=False),
        sa.Column("counted_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("counted_grams >= 0", name=op.f("ck_stock_count_counted")),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_stock_count_bank_id")),
        sa.ForeignKeyConstraint(
            ["material"], ["material.code"], name=op.f("fk_stock_count_material")
        ),
        sa.ForeignKeyConstraint(
            ["counted_by"], ["person.id"], name=op.f("fk_stock_count_counted_by")
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_stock_count")),
    )
    op.create_index("ix_stock_count_material", "stock_count", ["bank_id", "material", "id"])


def downgrade() -> None:
    """Refused where anything was counted: what was posted of it would stay, and say no count."""
    with op.batch_alter_table("stock_count") as batch_op:
        batch_op.create_check_constraint(batch_op.f("ck_stock_count_none"), "id IS NULL")
    # They name the table that goes; the rest is put in place again after the last migration.
    triggers.remove(op.get_bind())
    op.drop_table("stock_count")
