"""Payouts through gateways: how far each is, where it goes, what gateways say."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

from models.ledger import triggers

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_OPEN = sa.text("ended_at IS NULL")
_UNCHECKED = sa.text("name_check = 'not_yet'")
_UNHANDLED = sa.text("handled_at IS NULL")
_DUE = sa.text("due_at IS NOT NULL")
_NAMED = sa.text("gateway_id <> ''")
_RETRY = sa.text("retry_of IS NOT NULL")
_PAYOUT_CHECKS = {
    "fee_by": "fee_by IN ('bank', 'resident')",
    "fee_below_amount": "fee_idr >= 0 AND (fee_by = 'bank' OR fee_idr < amount_idr)",
    "cash_needs_no_gateway": "(method = 'cash') = (gateway = '')",
    "code_tries": "code_tries >= 0",
}
_POLICY_CHECKS = {
    "payout_fee_by": "payout_fee_by IN ('bank', 'resident')",
    "payout_fee": "payout_fee_permille BETWEEN 0 AND 1000",
    "payout_weekday": "payout_weekday BETWEEN 0 AND 7",
    "destination_waits": "destination_waits_h >= 0",
}


def upgrade() -> None:
    _make_gateway_tables()
    _make_destinations()
    _widen_payouts()
    _make_moves()
    _widen_policies()


def downgrade() -> None:
    triggers.remove(op.get_bind())
    with op.batch_alter_table("policy") as batch_op:
        for name in _POLICY_CHECKS:
            batch_op.drop_constraint(batch_op.f(f"ck_policy_{name}"), type_="check")
        for column in _new_of_policies():
            batch_op.drop_column(column.name)
    op.drop_table("payout_move")
    with op.batch_alter_table("payout") as batch_op:
        for name in ("moved_by", "bank_id_retry_of", "bank_id_destination_id"):
            batch_op.drop_constraint(batch_op.f(f"fk_payout_{name}"), type_="foreignkey")
        for name in _PAYOUT_CHECKS:
            batch_op.drop_constraint(batch_op.f(f"ck_payout_{name}"), type_="check")
        for name in ("retry_of", "gateway_id", "due"):
            batch_op.drop_index(f"ix_payout_{name}")
        batch_op.drop_column("moved_at")
        for column in _new_of_payouts():
            batch_op.drop_column(column.name)
    for table in ("destination", "gateway_callback", "gateway_float", "payout_channel"):
        op.drop_table(table)


def _new_of_payouts() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("destination_id", sa.Uuid(), nullable=True),
        sa.Column("gateway", sa.String(length=40), nullable=False, server_default=""),
        sa.Column("fee_idr", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("fee_by", sa.String(length=8), nullable=False, server_default="bank"),
        sa.Column("moves", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("cause", sa.String(length=10), nullable=False, server_default="migration"),
        sa.Column("cause_detail", sa.String(length=300), nullable=False, server_default=""),
        sa.Column("moved_by", sa.Uuid(), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("code_given", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("key", sa.String(length=64), nullable=False, server_default=""),
        sa.Column("gateway_id", sa.String(length=100), nullable=False, server_default=""),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("asked_at", UTCDateTime(), nullable=True),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.Column("unknown_at", UTCDateTime(), nullable=True),
        sa.Column("reversed_at", UTCDateTime(), nullable=True),
        sa.Column("failure", sa.String(length=80), nullable=False, server_default=""),
        sa.Column("retry_of", sa.Uuid(), nullable=True),
    )


def _new_of_policies() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("payout_fee_by", sa.String(length=8), nullable=False, server_default="bank"),
        sa.Column("payout_fee_permille", sa.Integer(), nullable=False, server_default="100"),
        sa.Column("payout_weekday", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("destination_waits_h", sa.Integer(), nullable=False, server_default="24"),
        sa.Column("cash_needs_code", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def _make_gateway_tables() -> None:
    op.create_table(
        "gateway_callback",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("gateway", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("headers", sa.String(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("handled_at", UTCDateTime(), nullable=True),
        sa.Column("outcome", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_callback")),
        sa.UniqueConstraint("gateway", "digest", name=op.f("uq_gateway_callback_gateway_digest")),
    )
    op.create_index(
        "ix_gateway_callback_waiting",
        "gateway_callback",
        ["due_at"],
        sqlite_where=_UNHANDLED,
        postgresql_where=_UNHANDLED,
    )
    op.create_table(
        "gateway_float",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("gateway", sa.String(length=40), nullable=False),
        sa.Column("balance_idr", sa.BigInteger(), nullable=True),
        sa.Column("balance_at", UTCDateTime(), nullable=True),
        sa.Column("stopped_at", UTCDateTime(), nullable=True),
        sa.Column("stopped_why", sa.String(length=120), nullable=False),
        sa.Column("resumed_at", UTCDateTime(), nullable=True),
        sa.Column("resumed_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_gateway_float_bank_id")),
        sa.ForeignKeyConstraint(
            ["resumed_by"], ["person.id"], name=op.f("fk_gateway_float_resumed_by")
        ),
        sa.PrimaryKeyConstraint("bank_id", "gateway", name=op.f("pk_gateway_float")),
    )
    op.create_table(
        "payout_channel",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("gateway", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("is_wallet", sa.Boolean(), nullable=False),
        sa.Column("minimum_idr", sa.BigInteger(), nullable=False),
        sa.Column("maximum_idr", sa.BigInteger(), nullable=False),
        sa.Column("fee_idr", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("fee_idr >= 0", name=op.f("ck_payout_channel_fee")),
        sa.CheckConstraint(
            "minimum_idr > 0 AND maximum_idr >= minimum_idr",
            name=op.f("ck_payout_channel_limits"),
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_payout_channel_bank_id")),
        sa.PrimaryKeyConstraint("bank_id", "gateway", "code", name=op.f("pk_payout_channel")),
    )


def _make_destinations() -> None:
    op.create_table(
        "destination",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("channel_code", sa.String(length=40), nullable=False),
        sa.Column("account_number", sa.String(length=40), nullable=False),
        sa.Column("account_holder_name", sa.String(length=120), nullable=False),
        sa.Column("usable_from", UTCDateTime(), nullable=False),
        sa.Column("shared_with", sa.Integer(), nullable=False),
        sa.Column("name_check", sa.String(length=10), nullable=False),
        sa.Column("name_found", sa.String(length=120), nullable=False),
        sa.Column("check_due_at", UTCDateTime(), nullable=False),
        sa.Column("check_tries", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "name_check IN ('not_yet', 'not_told', 'same', 'other', 'no_account')",
            name=op.f("ck_destination_name_check"),
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_destination_bank_id")),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["person.id"], name=op.f("fk_destination_entered_by")
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["person.id"], name=op.f("fk_destination_resident_id")
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_destination")),
    )
    op.create_index(
        "ix_destination_account", "destination", ["bank_id", "channel_code", "account_number"]
    )
    op.create_index(
        "ix_destination_current",
        "destination",
        ["bank_id", "resident_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index(
        "ix_destination_unchecked",
        "destination",
        ["bank_id", "check_due_at"],
        sqlite_where=_UNCHECKED,
        postgresql_where=_UNCHECKED,
    )


def _widen_payouts() -> None:
    # The rows that are there get the values of new ones; then the database gives none.
    with op.batch_alter_table("payout") as batch_op:
        for column in _new_of_payouts():
            batch_op.add_column(column)
        batch_op.add_column(sa.Column("moved_at", UTCDateTime(), nullable=True))
    op.execute("UPDATE payout SET moved_at = created_at")  # a payout of every bank
    with op.batch_alter_table("payout") as batch_op:
        batch_op.alter_column("moved_at", nullable=False)
        for column in _new_of_payouts():
            if column.server_default is not None:
                batch_op.alter_column(column.name, server_default=None)
        for name, rule in _PAYOUT_CHECKS.items():
            batch_op.create_check_constraint(batch_op.f(f"ck_payout_{name}"), rule)
        batch_op.create_index(
            "ix_payout_due", ["bank_id", "due_at"], sqlite_where=_DUE, postgresql_where=_DUE
        )
        batch_op.create_index(
            "ix_payout_gateway_id",
            ["bank_id", "gateway", "gateway_id"],
            unique=True,
            sqlite_where=_NAMED,
            postgresql_where=_NAMED,
        )
        batch_op.create_index(
            "ix_payout_retry_of",
            ["bank_id", "retry_of"],
            unique=True,
            sqlite_where=_RETRY,
            postgresql_where=_RETRY,
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_payout_bank_id_destination_id"),
            "destination",
            ["bank_id", "destination_id"],
            ["bank_id", "id"],
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_payout_bank_id_retry_of"),
            "payout",
            ["bank_id", "retry_of"],
            ["bank_id", "id"],
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_payout_moved_by"), "person", ["moved_by"], ["id"]
        )


def _make_moves() -> None:
    op.create_table(
        "payout_move",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("from_status", sa.String(length=9), nullable=True),
        sa.Column("to_status", sa.String(length=9), nullable=False),
        sa.Column("cause", sa.String(length=10), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_payout_move_actor_id")),
        sa.ForeignKeyConstraint(
            ["bank_id", "payout_id"],
            ["payout.bank_id", "payout.id"],
            name=op.f("fk_payout_move_bank_id_payout_id"),
        ),
        sa.PrimaryKeyConstraint("bank_id", "payout_id", "number", name=op.f("pk_payout_move")),
    )
    # How they came to be where they are was not written down before.
    op.execute(
        "INSERT INTO payout_move (bank_id, payout_id, number, to_status, cause, detail, at)"
        " SELECT bank_id, id, 1, status, 'migration', '', created_at FROM payout"
    )


def _widen_policies() -> None:
    with op.batch_alter_table("policy") as batch_op:
        for column in _new_of_policies():
            batch_op.add_column(column)
    with op.batch_alter_table("policy") as batch_op:
        for column in _new_of_policies():
            batch_op.alter_column(column.name, server_default=None)
        for name, rule in _POLICY_CHECKS.items():
            batch_op.create_check_constraint(batch_op.f(f"ck_policy_{name}"), rule)
