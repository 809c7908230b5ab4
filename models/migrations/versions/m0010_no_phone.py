"""A person may have no phone number."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_person = sa.table("person", sa.column("id", sa.Uuid()), sa.column("phone", sa.String()))


def upgrade() -> None:
    with op.batch_alter_table("person") as batch_op:
        batch_op.alter_column("phone", existing_type=sa.String(length=16), nullable=True)


def downgrade() -> None:
    """Whoever has no number gets what can't be one, and so can't sign in."""
    connection = op.get_bind()
    without = sa.select(_person.c.id).where(_person.c.phone.is_(None))
    for person_id in connection.scalars(without).all():
        stand_in = _person.update().where(_person.c.id == person_id)
        connection.execute(stand_in.values(phone=f"-{person_id.hex[-15:]}"))
    with op.batch_alter_table("person") as batch_op:
        batch_op.alter_column("phone", existing_type=sa.String(length=16), nullable=False)
