"""Which open pickups are near is answered from the index alone."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_NAME = "ix_pickup_open_cell"
_FINDS = ["bank_id", "cell"]
_TELLS = ["lat", "lon", "window_start", "window_end", "created_at", "id", "status"]


def upgrade() -> None:
    _index(_FINDS + _TELLS)


def downgrade() -> None:
    _index(_FINDS)


def _index(columns: list[str]) -> None:
    is_open = sa.text("status = 'open'")
    op.drop_index(_NAME, "pickup")
    op.create_index(_NAME, "pickup", columns, sqlite_where=is_open, postgresql_where=is_open)
