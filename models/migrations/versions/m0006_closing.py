"""Drawers and their counts, days that are opened again."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

from models.ledger import triggers

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    # They name tables that are made anew; they are put in place after the last migration.
    triggers.remove(op.get_bind())
    _make_drawers()
    _give_days_versions()
    _make_reopenings()


def downgrade() -> None:
    """Days that were opened again can't be told without their versions: their first one stays."""
    triggers.remove(op.get_bind())
    op.drop_table("ledger_reopening")
    op.drop_index("ix_ledger_page_day", "ledger_page")
    _take_versions_away()
    for table in ("drawer_count", "drawer"):
        op.drop_table(table)


def _give_days_versions() -> None:
    """Every closed day was closed once by now, and sealed in the first form."""
    with op.batch_alter_table("ledger_day_seal") as batch_op:
        batch_op.drop_constraint("fk_ledger_day_seal_bank_id_day", type_="foreignkey")
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("form", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("ledger_day") as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(
            sa.Column("despite_unknown", sa.String(length=300), nullable=False, server_default="")
        )
    with op.batch_alter_table("ledger_day") as batch_op:
        batch_op.alter_column("version", server_default=None)
        batch_op.alter_column("despite_unknown", server_default=None)
        batch_op.drop_constraint("pk_ledger_day", type_="primary")
        batch_op.create_primary_key("pk_ledger_day", ["bank_id", "day", "version"])
        batch_op.create_check_constraint(batch_op.f("ck_ledger_day_version"), "version > 0")
    with op.batch_alter_table("ledger_day_seal") as batch_op:
        batch_op.alter_column("version", server_default=None)
        batch_op.alter_column("form", server_default=None)
        batch_op.drop_constraint("pk_ledger_day_seal", type_="primary")
        batch_op.create_primary_key("pk_ledger_day_seal", ["bank_id", "day", "version"])
        batch_op.create_foreign_key(
            batch_op.f("fk_ledger_day_seal_bank_id_day_version"),
            "ledger_day",
            ["bank_id", "day", "version"],
            ["bank_id", "day", "version"],
        )


def _take_versions_away() -> None:
    for table in ("ledger_day_seal", "ledger_day"):
        op.execute(f"DELETE FROM {table} WHERE version > 1")  # noqa: S608
    with op.batch_alter_table("ledger_day_seal") as batch_op:
        batch_op.drop_constraint("fk_ledger_day_seal_bank_id_day_version", type_="foreignkey")
        batch_op.drop_constraint("pk_ledger_day_seal", type_="primary")
        batch_op.create_primary_key("pk_ledger_day_seal", ["bank_id", "day"])
        batch_op.drop_column("form")
        batch_op.drop_column("version")
    with op.batch_alter_table("ledger_day") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_ledger_day_version"), type_="check")
        batch_op.drop_constraint("pk_ledger_day", type_="primary")
        batch_op.create_primary_key("pk_ledger_day", ["bank_id", "day"])
        batch_op.drop_column("despite_unknown")
        batch_op.drop_column("version")
    with op.batch_alter_table("ledger_day_seal") as batch_op:
        batch_op.create_foreign_key(
            batch_op.f("fk_ledger_day_seal_bank_id_day"),
            "ledger_day",
            ["bank_id", "day"],
            ["bank_id", "day"],
        )


def _make_reopenings() -> None:
    op.create_index("ix_ledger_page_day", "ledger_page", ["bank_id", "day", "number"])
    op.create_table(
        "ledger_reopening",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_page", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("reopened_by", sa.Uuid(), nullable=False),
        sa.Column("reopened_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_ledger_reopening_has_a_reason")),
        sa.ForeignKeyConstraint(
            ["bank_id", "day", "version"],
            ["ledger_day.bank_id", "ledger_day.day", "ledger_day.version"],
            name=op.f("fk_ledger_reopening_bank_id_day_version"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "first_page"],
            ["ledger_page.bank_id", "ledger_page.number"],
            name=op.f("fk_ledger_reopening_bank_id_first_page"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.ForeignKeyConstraint(
            ["reopened_by"], ["person.id"], name=op.f("fk_ledger_reopening_reopened_by")
        ),
        sa.PrimaryKeyConstraint("bank_id", "day", "version", name=op.f("pk_ledger_reopening")),
    )


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
