"""Where sign-in codes were asked for, devices, second factors, and people of directories."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

_ADDRESS = "ix_sign_in_code_address_created_at"
# Who is signed in stays so: a family of tokens becomes a device of the same id.
_FAMILIES_BECOME_DEVICES = """
INSERT INTO device (id, person_id, name, created_at, last_used_at, ended_at)
SELECT family_id, person_id, '', min(created_at), max(coalesce(used_at, created_at)), max(ended_at)
FROM refresh_token GROUP BY family_id, person_id
"""
_DEVICES_BECOME_FAMILIES = """
UPDATE refresh_token SET
    person_id = (SELECT person_id FROM device WHERE device.id = refresh_token.family_id),
    ended_at = (SELECT ended_at FROM device WHERE device.id = refresh_token.family_id)
"""


def upgrade() -> None:
    _note_addresses()
    _make_devices()
    op.execute(_FAMILIES_BECOME_DEVICES)
    _give_tokens_devices()
    _make_second_factors()
    _make_outside_identities()


def downgrade() -> None:
    for table in ("outside_identity", "recovery_code", "second_factor"):
        op.drop_table(table)
    _give_tokens_families()
    op.drop_table("device")
    with op.batch_alter_table("sign_in_code") as batch_op:
        batch_op.drop_index(_ADDRESS)
        batch_op.drop_column("address")


def _note_addresses() -> None:
    with op.batch_alter_table("sign_in_code") as batch_op:
        batch_op.add_column(
            sa.Column("address", sa.String(length=64), nullable=False, server_default="")
        )
    with op.batch_alter_table("sign_in_code") as batch_op:
        batch_op.alter_column("address", server_default=None)
        batch_op.create_index(_ADDRESS, ["address", "created_at"])


def _make_devices() -> None:
    op.create_table(
        "device",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("last_used_at", UTCDateTime(), nullable=False),
        sa.Column("proved_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_device_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
    )
    op.create_index("ix_device_person_id", "device", ["person_id"])


def _give_tokens_devices() -> None:
    for column in ("family_id", "person_id"):
        op.drop_index(f"ix_refresh_token_{column}", "refresh_token")
    with op.batch_alter_table("refresh_token") as batch_op:
        batch_op.drop_constraint("fk_refresh_token_person_id", type_="foreignkey")
        batch_op.drop_column("person_id")
        batch_op.drop_column("ended_at")
        batch_op.alter_column("family_id", new_column_name="device_id")
    with op.batch_alter_table("refresh_token") as batch_op:
        batch_op.create_foreign_key(
            batch_op.f("fk_refresh_token_device_id"), "device", ["device_id"], ["id"]
        )
        batch_op.create_index("ix_refresh_token_device_id", ["device_id"])


def _make_second_factors() -> None:
    op.create_table(
        "second_factor",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("confirmed_at", UTCDateTime(), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tries_since", UTCDateTime(), nullable=False),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_second_factor_tries")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_second_factor_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_recovery_code_person_id")
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_index("ix_recovery_code_person_id", "recovery_code", ["person_id"])


def _make_outside_identities() -> None:
    op.create_table(
        "outside_identity",
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_outside_identity_person_id")
        ),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_outside_identity")),
    )
    op.create_index("ix_outside_identity_person_id", "outside_identity", ["person_id"])


def _give_tokens_families() -> None:
    op.drop_index("ix_refresh_token_device_id", "refresh_token")
    with op.batch_alter_table("refresh_token") as batch_op:
        batch_op.drop_constraint("fk_refresh_token_device_id", type_="foreignkey")
        batch_op.alter_column("device_id", new_column_name="family_id")
        batch_op.add_column(sa.Column("person_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("ended_at", UTCDateTime(), nullable=True))
    op.execute(_DEVICES_BECOME_FAMILIES)
    with op.batch_alter_table("refresh_token") as batch_op:
        batch_op.alter_column("person_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_refresh_token_person_id"), "person", ["person_id"], ["id"]
        )
        for column in ("family_id", "person_id"):
            batch_op.create_index(f"ix_refresh_token_{column}", [column])
