"""A sale says of how many residents' goods it was."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_COUNT = sa.text("""
UPDATE sale SET resident_count = (
  SELECT count(DISTINCT l.resident_id) FROM lot_sale p
    JOIN lot l ON l.bank_id = p.bank_id AND l.id = p.lot_id
   WHERE p.bank_id = sale.bank_id AND p.sale_id = sale.id)
""")


def upgrade() -> None:
    op.add_column("sale", sa.Column("resident_count", sa.Integer(), nullable=True))
    op.execute(_COUNT)
    with op.batch_alter_table("sale") as batch_op:
        batch_op.alter_column("resident_count", existing_type=sa.Integer(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("sale") as batch_op:
        batch_op.drop_column("resident_count")
