"""Drawers and their counts, days that are opened again."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

revision = "0006"
down_revision = "0003"
branch_labels = None
depends_on = None

_OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    _make_drawers()


def downgrade() -> None:
    for table in ("drawer_count", "drawer"):
        op.drop_table(table)


def _make_drawers() -> None:
    op.create_table(
        "drawer",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("name <> 'main'", name=op.f("ck_drawer_not_the_safe")),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (closed_by IS NULL)", name=op.f("ck_drawer_closed_by_somebody")
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_drawer_bank_id")),
        sa.ForeignKeyConstraint(["closed_by"], ["person.id"], name=op.f("fk_drawer_closed_by")),
        sa.ForeignKeyConstraint(["officer_id"], ["person.id"], name=op.f("fk_drawer_officer_id")),
        sa.ForeignKeyConstraint(["opened_by"], ["person.id"], name=op.f("fk_drawer_opened_by")),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_drawer")),
    )
    for name, column in (("ix_drawer_open_name", "name"), ("ix_drawer_open_officer", "officer_id")):
        op.create_index(
            name,
            "drawer",
            ["bank_id", column],
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        )
    op.create_table(
        "drawer_count",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("drawer", sa.String(length=40), nullable=False),
        sa.Column("counted_idr", sa.BigInteger(), nullable=False),
        sa.Column("difference_idr", sa.BigInteger(), nullable=False),
        sa.Column("moves", sa.BigInteger(), nullable=False),
        sa.Column("memo", sa.String(length=300), nullable=False),
        sa.Column("counted_by", sa.Uuid(), nullable=False),
        sa.Column("counted_at", UTCDateTime(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("day_version", sa.Integer(), nullable=True),
        sa.CheckConstraint("counted_idr >= 0", name=op.f("ck_drawer_count_counted")),
        sa.CheckConstraint(
            "(day IS NULL) = (day_version IS NULL)", name=op.f("ck_drawer_count_of_a_close")
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_drawer_count_bank_id")),
        sa.ForeignKeyConstraint(
            ["counted_by"], ["person.id"], name=op.f("fk_drawer_count_counted_by")
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_drawer_count")),
    )
    op.create_index("ix_drawer_count_drawer", "drawer_count", ["bank_id", "drawer", "id"])
    op.create_index("ix_drawer_count_day", "drawer_count", ["bank_id", "day", "day_version"])
