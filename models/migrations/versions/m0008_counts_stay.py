"""Counts of drawers are neither changed nor removed."""

from alembic import op

from models.ledger import triggers

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Triggers are put in place after the last migration; an older database lacks those of counts."""


def downgrade() -> None:
    triggers.remove(op.get_bind())
