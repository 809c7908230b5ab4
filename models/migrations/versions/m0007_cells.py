"""Cells whose numbers are Z-order: any square block of them is one range."""

import math
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BATCH = 5_000
_CELLS_ROUND = 2**26
_ROUGH_DEGREES = 0.0025
_pickup = sa.table(
    "pickup",
    sa.column("bank_id", sa.Uuid()),
    sa.column("id", sa.Uuid()),
    sa.column("lat", sa.Float()),
    sa.column("lon", sa.Float()),
    sa.column("cell", sa.BigInteger()),
)


def upgrade() -> None:
    _number(_z_order)


def downgrade() -> None:
    _number(_row_by_row)


def _number(cell_of: Callable[[float, float], int]) -> None:
    """Number the cells of all pickups anew, bank by bank and a batch at a time."""
    connection = op.get_bind()
    columns = _pickup.c
    for bank_id in connection.scalars(sa.select(columns.bank_id).distinct()).all():
        places = sa.select(columns.id, columns.lat, columns.lon).where(columns.bank_id == bank_id)
        change = (
            sa.update(_pickup)
            .where(columns.bank_id == bank_id, columns.id == sa.bindparam("of"))
            .values(cell=sa.bindparam("anew"))
        )
        rows = connection.execute(places).all()
        for first in range(0, len(rows), _BATCH):
            batch = rows[first : first + _BATCH]
            connection.execute(change, [{"of": r.id, "anew": cell_of(r.lat, r.lon)} for r in batch])


def _z_order(lat: float, lon: float) -> int:
    per_degree = _CELLS_ROUND / 360.0
    row = math.floor((lat + 90.0) * per_degree)
    west = (-180.0 if lon == 180.0 else lon) + 180.0
    column = min(math.floor(west * per_degree), _CELLS_ROUND - 1)
    return _spread(row) << 1 | _spread(column)


def _spread(number: int) -> int:
    return sum((number >> bit & 1) << 2 * bit for bit in range(number.bit_length()))


def _row_by_row(lat: float, lon: float) -> int:
    west = (-180.0 if lon == 180.0 else lon) + 180.0
    return math.floor((lat + 90.0) / _ROUGH_DEGREES) * 2**20 + math.floor(west / _ROUGH_DEGREES)
