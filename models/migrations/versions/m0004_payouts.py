"""Stand-in: the columns of payouts that go through a gateway."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TEXTS = {"gateway": (40, ""), "key": (60, ""), "gateway_id": (120, ""), "fee_by": (8, "bank")}
_INSTANTS = ("sent_at", "unknown_at", "reversed_at")


def upgrade() -> None:
    with op.batch_alter_table("payout") as batch_op:
        for name, (length, value) in _TEXTS.items():
            column = sa.Column(name, sa.String(length=length), nullable=False, server_default=value)
            batch_op.add_column(column)
        batch_op.add_column(
            sa.Column("fee_idr", sa.BigInteger(), nullable=False, server_default="0")
        )
        for name in _INSTANTS:
            batch_op.add_column(sa.Column(name, UTCDateTime(), nullable=True))
    with op.batch_alter_table("payout") as batch_op:
        for name in (*_TEXTS, "fee_idr"):
            batch_op.alter_column(name, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("payout") as batch_op:
        for name in (*_TEXTS, "fee_idr", *_INSTANTS):
            batch_op.drop_column(name)
