"""What moved in months is kept for a city; and codes are kept without the phone."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_OF_PHONE = "ix_sign_in_code_phone_created_at"
_USED = "ix_sign_in_code_used_at_created_at"


def upgrade() -> None:
    _keep_codes_by("phone_hash", 64, instead_of="phone")
    _keep_months()
    op.create_index(_USED, "sign_in_code", ["used_at", "created_at"])


def downgrade() -> None:
    op.drop_table("city_month")
    op.drop_index(_USED, "sign_in_code")
    _keep_codes_by("phone", 16, instead_of="phone_hash")


def _keep_months() -> None:
    op.create_table(
        "city_month",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("debit", sa.String(length=80), nullable=False),
        sa.Column("credit", sa.String(length=80), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_city_month_bank_id")),
        sa.PrimaryKeyConstraint(
            "bank_id", "ends_at", "debit", "credit", name=op.f("pk_city_month")
        ),
    )


def _keep_codes_by(column: str, length: int, *, instead_of: str) -> None:
    """The keys aren't known here, so codes are forgotten: the next ones are minutes away."""
    op.execute(sa.text("DELETE FROM sign_in_code"))
    with op.batch_alter_table("sign_in_code") as batch_op:
        batch_op.drop_index(_OF_PHONE)
        batch_op.drop_column(instead_of)
        batch_op.add_column(sa.Column(column, sa.String(length=length), nullable=False))
        batch_op.create_index(_OF_PHONE, [column, "created_at"])
