"""Acting for residents without a phone: their cards, and how much a day may be asked for."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_IN_USE = sa.text("revoked_at IS NULL")


def upgrade() -> None:
    _make_cards()
    with op.batch_alter_table("policy") as batch_op:
        batch_op.add_column(
            sa.Column(
                "assisted_payout_limit_idr",
                sa.BigInteger(),
                nullable=False,
                server_default="500000",
            )
        )
    with op.batch_alter_table("policy") as batch_op:
        batch_op.alter_column("assisted_payout_limit_idr", server_default=None)
        batch_op.create_check_constraint(
            batch_op.f("ck_policy_assisted_payout_limit"), "assisted_payout_limit_idr >= 0"
        )


def downgrade() -> None:
    with op.batch_alter_table("policy") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_policy_assisted_payout_limit"), type_="check")
        batch_op.drop_column("assisted_payout_limit_idr")
    op.drop_table("card")


def _make_cards() -> None:
    op.create_table(
        "card",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.Column("issued_at", UTCDateTime(), nullable=False),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by IS NULL)",
            name=op.f("ck_card_revoked_by_somebody"),
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_card_bank_id")),
        *(
            sa.ForeignKeyConstraint([column], ["person.id"], name=op.f(f"fk_card_{column}"))
            for column in ("resident_id", "issued_by", "revoked_by")
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_card")),
        sa.UniqueConstraint("bank_id", "token_hash", name=op.f("uq_card_bank_id_token_hash")),
    )
    op.create_index(
        "ix_card_in_use",
        "card",
        ["bank_id", "resident_id"],
        unique=True,
        sqlite_where=_IN_USE,
        postgresql_where=_IN_USE,
    )
