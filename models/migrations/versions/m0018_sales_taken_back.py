"""A sale that was entered wrongly is taken back and stays on record, and so do its lots when
their weighing is taken back afterwards: they hold nothing then. A sale says what of its grams
the buyer's scale did not find."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_SALES = ("sale", "lot_sale")
_AMOUNTS = "price_idr >= 0 AND grams_per_unit > 0"
_MISSING = "missing_grams >= 0 AND missing_grams <= grams"


def upgrade() -> None:
    for table in _SALES:
        op.add_column(table, sa.Column("taken_back_at", UTCDateTime(), nullable=True))
    missing = sa.Column("missing_grams", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("sale", missing)
    with op.batch_alter_table("sale") as batch_op:
        batch_op.alter_column("missing_grams", server_default=None)
        batch_op.create_check_constraint(batch_op.f("ck_sale_missing"), _MISSING)
    _check("sale", "lots", "lot_grams >= 0 AND lot_grams <= grams + missing_grams")
    _check("lot", "amounts", f"grams >= 0 AND {_AMOUNTS}")


def downgrade() -> None:
    """Refused where a lot is empty, a sale was taken back, or grams were missing: none says so then.

    A sale that was taken back would look as if it stood.
    """
    # A check that goes again with its column, three lines on: it finds what must not be lost.
    _check("sale", "missing", "missing_grams = 0 AND taken_back_at IS NULL")
    _check("lot", "amounts", f"grams > 0 AND {_AMOUNTS}")
    _check("sale", "lots", "lot_grams >= 0 AND lot_grams <= grams")
    with op.batch_alter_table("sale") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_sale_missing"), type_="check")
        batch_op.drop_column("missing_grams")
    for table in _SALES:
        op.drop_column(table, "taken_back_at")


def _check(table: str, name: str, condition: str) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(batch_op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(batch_op.f(f"ck_{table}_{name}"), condition)
