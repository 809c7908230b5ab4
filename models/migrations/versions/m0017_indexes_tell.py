"""Which open pickups are near is answered from an index alone, and what a collector holds
without a look at what others hold; an instant of a route is kept as all others are."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_NEAR = "ix_pickup_open_cell"
_IS_OPEN = "status = 'open'"
_TOLD = ["lat", "lon", "window_start", "window_end", "created_at", "id", "status"]
_HELD = "ix_pickup_held"
_IS_HELD = "status IN ('claimed', 'arrived')"


def upgrade() -> None:
    _index(_NEAR, ["bank_id", "cell", *_TOLD], _IS_OPEN)
    _index(_HELD, ["bank_id", "collector_id", "claimed_until"], _IS_HELD)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "UPDATE route SET place_forgotten_at = replace(place_forgotten_at, '+00:00', '')"
        )


def downgrade() -> None:
    _index(_NEAR, ["bank_id", "cell"], _IS_OPEN)
    _index(_HELD, ["bank_id", "claimed_until"], _IS_HELD)


def _index(name: str, columns: list[str], only: str) -> None:
    where = sa.text(only)
    op.drop_index(name, "pickup")
    op.create_index(name, "pickup", columns, sqlite_where=where, postgresql_where=where)
