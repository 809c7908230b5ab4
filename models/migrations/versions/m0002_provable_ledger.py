"""Pages, seals, days, shared sales, second weighings, corrections."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op
from alembic.operations.base import BatchOperations
from sqlmodel import UTCDateTime

from models.ledger import triggers

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # They name tables that are made anew; they are put in place after the last migration.
    triggers.remove(op.get_bind())
    op.create_table(
        "buyer",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_buyer_bank_id")),
        sa.ForeignKeyConstraint(["entered_by"], ["person.id"], name=op.f("fk_buyer_entered_by")),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_buyer")),
        sa.UniqueConstraint("bank_id", "name", name=op.f("uq_buyer_bank_id_name")),
    )
    op.create_table(
        "ledger_page",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_ledger_page_number")),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_ledger_page_bank_id")),
        sa.PrimaryKeyConstraint("bank_id", "number", name=op.f("pk_ledger_page")),
    )
    op.create_table(
        "receiving",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("collector_id", sa.Uuid(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("weighed", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("decision", sa.String(length=7), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "(status = 'decided') = (decision IS NOT NULL)", name=op.f("ck_receiving_decided")
        ),
        sa.CheckConstraint("decision IN ('door', 'station')", name=op.f("ck_receiving_decision")),
        sa.CheckConstraint(
            "decision IS NULL OR reason <> ''", name=op.f("ck_receiving_decision_has_a_reason")
        ),
        sa.CheckConstraint(
            "status IN ('settled', 'disputed', 'decided')", name=op.f("ck_receiving_status")
        ),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_by IS NULL)",
            name=op.f("ck_receiving_decided_by_somebody"),
        ),
        sa.CheckConstraint(
            "entered_by <> collector_id AND decided_by <> collector_id",
            name=op.f("ck_receiving_not_by_the_collector"),
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_receiving_bank_id")),
        sa.ForeignKeyConstraint(
            ["collector_id"], ["person.id"], name=op.f("fk_receiving_collector_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name=op.f("fk_receiving_decided_by")
        ),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["person.id"], name=op.f("fk_receiving_entered_by")
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_receiving")),
    )
    with op.batch_alter_table("receiving") as batch_op:
        batch_op.create_index("ix_receiving_status", ["bank_id", "status", "id"], unique=False)

    op.create_table(
        "ledger_day",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last_page", sa.Integer(), nullable=False),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("counted_cash_idr", sa.BigInteger(), nullable=True),
        sa.Column("cash_difference_idr", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "(counted_cash_idr IS NULL) = (cash_difference_idr IS NULL)",
            name=op.f("ck_ledger_day_difference_of_a_count"),
        ),
        sa.CheckConstraint("counted_cash_idr >= 0", name=op.f("ck_ledger_day_counted_cash")),
        sa.ForeignKeyConstraint(
            ["bank_id", "last_page"],
            ["ledger_page.bank_id", "ledger_page.number"],
            name=op.f("fk_ledger_day_bank_id_last_page"),
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_ledger_day_bank_id")),
        sa.ForeignKeyConstraint(["closed_by"], ["person.id"], name=op.f("fk_ledger_day_closed_by")),
        sa.PrimaryKeyConstraint("bank_id", "day", name=op.f("pk_ledger_day")),
    )
    op.create_table(
        "ledger_seal",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("form", sa.Integer(), nullable=False),
        sa.Column("transfers", sa.Integer(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "length(head) = 32 AND length(signature) = 64", name=op.f("ck_ledger_seal_signed")
        ),
        sa.CheckConstraint(
            "length(root) = 32 AND length(previous) = 32", name=op.f("ck_ledger_seal_hashes")
        ),
        sa.CheckConstraint(
            "transfers >= 0 AND length(leaves) = transfers * 48", name=op.f("ck_ledger_seal_leaves")
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "page"],
            ["ledger_page.bank_id", "ledger_page.number"],
            name=op.f("fk_ledger_seal_bank_id_page"),
        ),
        sa.PrimaryKeyConstraint("bank_id", "page", name=op.f("pk_ledger_seal")),
    )
    op.create_table(
        "receiving_line",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("receiving_id", sa.Uuid(), nullable=False),
        sa.Column("material", sa.String(length=20), nullable=False),
        sa.Column("condition", sa.String(length=5), nullable=False),
        sa.Column("door_grams", sa.BigInteger(), nullable=False),
        sa.Column("station_grams", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "condition IN ('clean', 'dirty')", name=op.f("ck_receiving_line_condition")
        ),
        sa.CheckConstraint(
            "door_grams >= 0 AND station_grams >= 0", name=op.f("ck_receiving_line_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "receiving_id"],
            ["receiving.bank_id", "receiving.id"],
            name=op.f("fk_receiving_line_bank_id_receiving_id"),
        ),
        sa.ForeignKeyConstraint(
            ["material"], ["material.code"], name=op.f("fk_receiving_line_material")
        ),
        sa.PrimaryKeyConstraint(
            "bank_id", "receiving_id", "material", "condition", name=op.f("pk_receiving_line")
        ),
    )
    op.create_table(
        "sale",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("buyer_id", sa.Uuid(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("material", sa.String(length=20), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("amount_idr", sa.BigInteger(), nullable=False),
        sa.Column("lot_grams", sa.BigInteger(), nullable=False),
        sa.Column("lots_idr", sa.BigInteger(), nullable=False),
        sa.Column("residents_idr", sa.BigInteger(), nullable=False),
        sa.Column("collectors_idr", sa.BigInteger(), nullable=False),
        sa.Column("kept_idr", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("sold_by", sa.Uuid(), nullable=False),
        sa.Column("sold_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("grams > 0 AND amount_idr >= 0", name=op.f("ck_sale_sold_something")),
        sa.CheckConstraint("lot_grams >= 0 AND lot_grams <= grams", name=op.f("ck_sale_lots")),
        sa.CheckConstraint(
            "lots_idr >= 0 AND residents_idr >= 0 AND collectors_idr >= 0 AND kept_idr >= 0 AND amount_idr = lots_idr + residents_idr + collectors_idr + kept_idr",
            name=op.f("ck_sale_nothing_left_over"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "buyer_id"],
            ["buyer.bank_id", "buyer.id"],
            name=op.f("fk_sale_bank_id_buyer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "policy_id"],
            ["policy.bank_id", "policy.id"],
            name=op.f("fk_sale_bank_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_sale_bank_id")),
        sa.ForeignKeyConstraint(["material"], ["material.code"], name=op.f("fk_sale_material")),
        sa.ForeignKeyConstraint(["sold_by"], ["person.id"], name=op.f("fk_sale_sold_by")),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_sale")),
    )
    with op.batch_alter_table("sale") as batch_op:
        batch_op.create_index("ix_sale_buyer", ["bank_id", "buyer_id", "id"], unique=False)

    op.create_table(
        "correction",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("journal_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("amount_idr", sa.BigInteger(), nullable=False),
        sa.Column("needs_two", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=7), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("decision_reason", sa.String(length=300), nullable=False),
        sa.Column("reversal_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(status = 'made') = (reversal_id IS NOT NULL)", name=op.f("ck_correction_made")
        ),
        sa.CheckConstraint(
            "NOT needs_two OR status = 'asked' OR decided_by IS NOT NULL",
            name=op.f("ck_correction_needs_a_second"),
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_correction_has_a_reason")),
        sa.CheckConstraint(
            "status IN ('asked', 'made', 'refused')", name=op.f("ck_correction_status")
        ),
        sa.CheckConstraint("decided_by <> asked_by", name=op.f("ck_correction_two_people")),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name=op.f("fk_correction_asked_by")),
        sa.ForeignKeyConstraint(
            ["bank_id", "journal_id"],
            ["ledger_journal.bank_id", "ledger_journal.id"],
            name=op.f("fk_correction_bank_id_journal_id"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "reversal_id"],
            ["ledger_journal.bank_id", "ledger_journal.id"],
            name=op.f("fk_correction_bank_id_reversal_id"),
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_correction_bank_id")),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name=op.f("fk_correction_decided_by")
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_correction")),
    )
    with op.batch_alter_table("correction") as batch_op:
        batch_op.create_index(
            "ix_correction_once",
            ["bank_id", "journal_id"],
            unique=True,
            sqlite_where=sa.text("status <> 'refused'"),
            postgresql_where=sa.text("status <> 'refused'"),
        )
        batch_op.create_index("ix_correction_status", ["bank_id", "status", "id"], unique=False)

    op.create_table(
        "ledger_day_seal",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("transfers", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("balances", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "length(head) = 32 AND length(signature) = 64", name=op.f("ck_ledger_day_seal_signed")
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "day"],
            ["ledger_day.bank_id", "ledger_day.day"],
            name=op.f("fk_ledger_day_seal_bank_id_day"),
        ),
        sa.PrimaryKeyConstraint("bank_id", "day", name=op.f("pk_ledger_day_seal")),
    )
    op.create_table(
        "lot",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("collector_id", sa.Uuid(), nullable=True),
        sa.Column("pickup_id", sa.Uuid(), nullable=True),
        sa.Column("dropoff_id", sa.Uuid(), nullable=True),
        sa.Column("material", sa.String(length=20), nullable=False),
        sa.Column("condition", sa.String(length=5), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("price_idr", sa.BigInteger(), nullable=False),
        sa.Column("grams_per_unit", sa.Integer(), nullable=False),
        sa.Column("weighed_at", UTCDateTime(), nullable=False),
        sa.Column("sold_grams", sa.BigInteger(), nullable=False),
        sa.Column("paid_idr", sa.BigInteger(), nullable=False),
        sa.Column("shared_idr", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("condition IN ('clean', 'dirty')", name=op.f("ck_lot_condition")),
        sa.CheckConstraint(
            "(pickup_id IS NULL) <> (dropoff_id IS NULL)", name=op.f("ck_lot_one_origin")
        ),
        sa.CheckConstraint(
            "grams > 0 AND price_idr >= 0 AND grams_per_unit > 0", name=op.f("ck_lot_amounts")
        ),
        sa.CheckConstraint("paid_idr >= 0 AND shared_idr >= 0", name=op.f("ck_lot_paid")),
        sa.CheckConstraint(
            "sold_grams >= 0 AND sold_grams <= grams", name=op.f("ck_lot_sold_once")
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "dropoff_id"],
            ["dropoff.bank_id", "dropoff.id"],
            name=op.f("fk_lot_bank_id_dropoff_id"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "pickup_id"],
            ["pickup.bank_id", "pickup.id"],
            name=op.f("fk_lot_bank_id_pickup_id"),
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_lot_bank_id")),
        sa.ForeignKeyConstraint(["collector_id"], ["person.id"], name=op.f("fk_lot_collector_id")),
        sa.ForeignKeyConstraint(["material"], ["material.code"], name=op.f("fk_lot_material")),
        sa.ForeignKeyConstraint(["resident_id"], ["person.id"], name=op.f("fk_lot_resident_id")),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_lot")),
    )
    with op.batch_alter_table("lot") as batch_op:
        batch_op.create_index("ix_lot_resident", ["bank_id", "resident_id", "id"], unique=False)
        batch_op.create_index(
            "ix_lot_unsold",
            ["bank_id", "material", "weighed_at", "id"],
            unique=False,
            sqlite_where=sa.text("sold_grams < grams"),
            postgresql_where=sa.text("sold_grams < grams"),
        )

    op.create_table(
        "lot_sale",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("amount_idr", sa.BigInteger(), nullable=False),
        sa.Column("share_idr", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "grams > 0 AND amount_idr >= 0 AND share_idr >= 0", name=op.f("ck_lot_sale_amounts")
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "lot_id"],
            ["lot.bank_id", "lot.id"],
            name=op.f("fk_lot_sale_bank_id_lot_id"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "sale_id"],
            ["sale.bank_id", "sale.id"],
            name=op.f("fk_lot_sale_bank_id_sale_id"),
        ),
        sa.PrimaryKeyConstraint("bank_id", "sale_id", "lot_id", name=op.f("pk_lot_sale")),
    )
    with op.batch_alter_table("lot_sale") as batch_op:
        batch_op.create_index("ix_lot_sale_lot", ["bank_id", "lot_id"], unique=False)

    _open_first_pages()
    with op.batch_alter_table("ledger_journal") as batch_op:
        batch_op.add_column(sa.Column("page", sa.Integer(), nullable=False, server_default="1"))
        batch_op.create_index("ix_ledger_journal_page", ["bank_id", "page", "id"], unique=False)
        batch_op.create_index(
            "ix_ledger_journal_reversed_once",
            ["bank_id", "reverses_id"],
            unique=True,
            sqlite_where=sa.text("reverses_id IS NOT NULL"),
            postgresql_where=sa.text("reverses_id IS NOT NULL"),
        )
        batch_op.drop_constraint(batch_op.f("fk_ledger_journal_bank_id"), type_="foreignkey")

    with op.batch_alter_table("ledger_journal") as batch_op:
        batch_op.alter_column("page", server_default=None)

    with _entries_altered() as batch_op:
        batch_op.drop_constraint(
            batch_op.f("fk_ledger_entry_bank_id_transfer_id"), type_="foreignkey"
        )

    with op.batch_alter_table("payout") as batch_op:
        batch_op.add_column(sa.Column("expires_at", UTCDateTime(), nullable=True))
        batch_op.create_index(
            "ix_payout_expires",
            ["bank_id", "expires_at"],
            unique=False,
            sqlite_where=sa.text("status = 'requested'"),
            postgresql_where=sa.text("status = 'requested'"),
        )

    with op.batch_alter_table("pickup") as batch_op:
        batch_op.add_column(sa.Column("leg_m", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("receiving_id", sa.Uuid(), nullable=True))
        batch_op.create_index(
            "ix_pickup_on_load",
            ["bank_id", "collector_id", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'collected' AND receiving_id IS NULL"),
            postgresql_where=sa.text("status = 'collected' AND receiving_id IS NULL"),
        )
        batch_op.create_index("ix_pickup_receiving", ["bank_id", "receiving_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_pickup_bank_id_receiving_id"),
            "receiving",
            ["bank_id", "receiving_id"],
            ["bank_id", "id"],
        )

    with op.batch_alter_table("policy") as batch_op:
        batch_op.add_column(
            sa.Column("fee_per_km_idr", sa.BigInteger(), nullable=False, server_default="0")
        )
        batch_op.add_column(
            sa.Column("fee_free_m", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(
            sa.Column("fee_floor_idr", sa.BigInteger(), nullable=False, server_default="0")
        )
        batch_op.add_column(
            sa.Column(
                "settlement", sa.String(length=10), nullable=False, server_default="beli_putus"
            )
        )
        batch_op.add_column(
            sa.Column("credit_when", sa.String(length=7), nullable=False, server_default="door")
        )
        batch_op.add_column(
            sa.Column("tolerance_permille", sa.Integer(), nullable=False, server_default="30")
        )
        batch_op.add_column(
            sa.Column("tolerance_grams", sa.BigInteger(), nullable=False, server_default="200")
        )
        batch_op.add_column(
            sa.Column("residents_permille", sa.Integer(), nullable=False, server_default="700")
        )
        batch_op.add_column(
            sa.Column("collectors_permille", sa.Integer(), nullable=False, server_default="100")
        )
        batch_op.add_column(
            sa.Column(
                "correction_limit_idr", sa.BigInteger(), nullable=False, server_default="50000"
            )
        )
        batch_op.add_column(
            sa.Column("payout_expires_h", sa.Integer(), nullable=False, server_default="720")
        )
    with op.batch_alter_table("policy") as batch_op:
        batch_op.alter_column("fee_per_km_idr", server_default=None)
        batch_op.alter_column("fee_free_m", server_default=None)
        batch_op.alter_column("fee_floor_idr", server_default=None)
        batch_op.alter_column("settlement", server_default=None)
        batch_op.alter_column("credit_when", server_default=None)
        batch_op.alter_column("tolerance_permille", server_default=None)
        batch_op.alter_column("tolerance_grams", server_default=None)
        batch_op.alter_column("residents_permille", server_default=None)
        batch_op.alter_column("collectors_permille", server_default=None)
        batch_op.alter_column("correction_limit_idr", server_default=None)
        batch_op.alter_column("payout_expires_h", server_default=None)
        batch_op.create_check_constraint(
            batch_op.f("ck_policy_fees_by_distance"),
            "fee_per_km_idr >= 0 AND fee_free_m >= 0 AND fee_floor_idr >= 0",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_policy_settlement"), "settlement IN ('beli_putus', 'bagi_hasil')"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_policy_credit_when"), "credit_when IN ('door', 'station')"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_policy_tolerance"),
            "tolerance_permille BETWEEN 0 AND 1000 AND tolerance_grams >= 0",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_policy_parts"),
            "residents_permille >= 0 AND collectors_permille >= 0 AND residents_permille + collectors_permille <= 1000",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_policy_correction_limit"), "correction_limit_idr >= 0"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_policy_payout_expires"), "payout_expires_h > 0"
        )


def _entries_altered() -> AbstractContextManager[BatchOperations]:
    """SQLite makes the table anew, and would forget that it has no row ids."""
    return op.batch_alter_table("ledger_entry", table_kwargs={"sqlite_with_rowid": False})


def _open_first_pages() -> None:
    """Everything written so far stands on the first page of its bank's book."""
    page = sa.table(
        "ledger_page",
        sa.column("bank_id", sa.Uuid()),
        sa.column("number", sa.Integer()),
        sa.column("day", sa.Date()),
        sa.column("opened_at", UTCDateTime()),
    )
    bank = sa.table("bank", sa.column("id", sa.Uuid()), sa.column("time_zone", sa.String()))
    now = datetime.now(UTC)
    rows = [
        {
            "bank_id": row.id,
            "number": 1,
            "day": now.astimezone(ZoneInfo(row.time_zone)).date(),
            "opened_at": now,
        }
        for row in op.get_bind().execute(sa.select(bank.c.id, bank.c.time_zone))
    ]
    op.bulk_insert(page, rows)


def downgrade() -> None:
    triggers.remove(op.get_bind())
    with op.batch_alter_table("policy") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_policy_fees_by_distance"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_policy_settlement"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_policy_credit_when"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_policy_tolerance"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_policy_parts"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_policy_correction_limit"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_policy_payout_expires"), type_="check")
        batch_op.drop_column("payout_expires_h")
        batch_op.drop_column("correction_limit_idr")
        batch_op.drop_column("collectors_permille")
        batch_op.drop_column("residents_permille")
        batch_op.drop_column("tolerance_grams")
        batch_op.drop_column("tolerance_permille")
        batch_op.drop_column("credit_when")
        batch_op.drop_column("settlement")
        batch_op.drop_column("fee_floor_idr")
        batch_op.drop_column("fee_free_m")
        batch_op.drop_column("fee_per_km_idr")

    with op.batch_alter_table("pickup") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_pickup_bank_id_receiving_id"), type_="foreignkey")
        batch_op.drop_index("ix_pickup_receiving")
        batch_op.drop_index(
            "ix_pickup_on_load",
            sqlite_where=sa.text("status = 'collected' AND receiving_id IS NULL"),
            postgresql_where=sa.text("status = 'collected' AND receiving_id IS NULL"),
        )
        batch_op.drop_column("receiving_id")
        batch_op.drop_column("leg_m")

    with op.batch_alter_table("payout") as batch_op:
        batch_op.drop_index(
            "ix_payout_expires",
            sqlite_where=sa.text("status = 'requested'"),
            postgresql_where=sa.text("status = 'requested'"),
        )
        batch_op.drop_column("expires_at")

    with _entries_altered() as batch_op:
        batch_op.create_foreign_key(
            batch_op.f("fk_ledger_entry_bank_id_transfer_id"),
            "ledger_transfer",
            ["bank_id", "transfer_id"],
            ["bank_id", "id"],
        )

    with op.batch_alter_table("ledger_journal") as batch_op:
        batch_op.create_foreign_key(
            batch_op.f("fk_ledger_journal_bank_id"), "bank", ["bank_id"], ["id"]
        )
        batch_op.drop_index(
            "ix_ledger_journal_reversed_once",
            sqlite_where=sa.text("reverses_id IS NOT NULL"),
            postgresql_where=sa.text("reverses_id IS NOT NULL"),
        )
        batch_op.drop_index("ix_ledger_journal_page")
        batch_op.drop_column("page")

    with op.batch_alter_table("lot_sale") as batch_op:
        batch_op.drop_index("ix_lot_sale_lot")

    op.drop_table("lot_sale")
    with op.batch_alter_table("lot") as batch_op:
        batch_op.drop_index(
            "ix_lot_unsold",
            sqlite_where=sa.text("sold_grams < grams"),
            postgresql_where=sa.text("sold_grams < grams"),
        )
        batch_op.drop_index("ix_lot_resident")

    op.drop_table("lot")
    op.drop_table("ledger_day_seal")
    with op.batch_alter_table("correction") as batch_op:
        batch_op.drop_index("ix_correction_status")
        batch_op.drop_index(
            "ix_correction_once",
            sqlite_where=sa.text("status <> 'refused'"),
            postgresql_where=sa.text("status <> 'refused'"),
        )

    op.drop_table("correction")
    with op.batch_alter_table("sale") as batch_op:
        batch_op.drop_index("ix_sale_buyer")

    op.drop_table("sale")
    op.drop_table("receiving_line")
    op.drop_table("ledger_seal")
    op.drop_table("ledger_day")
    with op.batch_alter_table("receiving") as batch_op:
        batch_op.drop_index("ix_receiving_status")

    op.drop_table("receiving")
    op.drop_table("ledger_page")
    op.drop_table("buyer")
