"""Counts of drawers are neither changed nor removed; collectors are paid what they earned."""

import sqlalchemy as sa
from alembic import op

from models.ledger import triggers

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The triggers, those of counts among them, are put in place after the last migration."""
    triggers.remove(op.get_bind())
    passbook = sa.Column("source", sa.String(length=8), nullable=False, server_default="passbook")
    # The rows that are there get the value of new ones; then the database gives none.
    with op.batch_alter_table("payout") as batch_op:
        batch_op.add_column(passbook)
    with op.batch_alter_table("payout") as batch_op:
        batch_op.alter_column("source", server_default=None)
        batch_op.create_check_constraint(
            batch_op.f("ck_payout_source"), "source IN ('passbook', 'earnings')"
        )


def downgrade() -> None:
    """Payouts of earnings can't be told any more from those of passbooks."""
    triggers.remove(op.get_bind())
    with op.batch_alter_table("payout") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_payout_source"), type_="check")
        batch_op.drop_column("source")
