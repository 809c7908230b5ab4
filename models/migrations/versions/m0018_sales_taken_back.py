"""A sale that was entered wrongly is taken back and stays on record, and so do its lots when
their weighing is taken back afterwards: they hold nothing then."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_SALES = ("sale", "lot_sale")
_AMOUNTS = "price_idr >= 0 AND grams_per_unit > 0"


def upgrade() -> None:
    for table in _SALES:
        op.add_column(table, sa.Column("taken_back_at", UTCDateTime(), nullable=True))
    _check_lots(f"grams >= 0 AND {_AMOUNTS}")


def downgrade() -> None:
    """Refused where a lot is empty: it can't be told any more that it is."""
    _check_lots(f"grams > 0 AND {_AMOUNTS}")
    for table in _SALES:
        op.drop_column(table, "taken_back_at")


def _check_lots(amounts: str) -> None:
    with op.batch_alter_table("lot") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_lot_amounts"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_lot_amounts"), amounts)
