"""Where sign-in codes were asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0011"
branch_labels = None
depends_on = None

_ADDRESS = "ix_sign_in_code_address_created_at"


def upgrade() -> None:
    with op.batch_alter_table("sign_in_code") as batch_op:
        batch_op.add_column(
            sa.Column("address", sa.String(length=64), nullable=False, server_default="")
        )
    with op.batch_alter_table("sign_in_code") as batch_op:
        batch_op.alter_column("address", server_default=None)
        batch_op.create_index(_ADDRESS, ["address", "created_at"])


def downgrade() -> None:
    with op.batch_alter_table("sign_in_code") as batch_op:
        batch_op.drop_index(_ADDRESS)
        batch_op.drop_column("address")
