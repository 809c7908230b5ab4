"""The whole schema of the first version."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

from models.ledger import triggers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "district",
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("regency_code", sa.String(length=5), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("villages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_district")),
    )
    op.create_table(
        "material",
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("aliases", sa.String(length=300), nullable=False),
        sa.Column("group_name", sa.String(length=30), nullable=False),
        sa.Column("sipsn_class", sa.String(length=30), nullable=False),
        sa.Column("unit", sa.String(length=5), nullable=False),
        sa.Column("grams_per_unit", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.CheckConstraint("unit IN ('kg', 'pcs', 'litre')", name=op.f("ck_material_unit")),
        sa.CheckConstraint("grams_per_unit > 0", name=op.f("ck_material_grams_per_unit")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_material")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("language IN ('id', 'en')", name=op.f("ck_person_language")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("phone", name=op.f("uq_person_phone")),
    )
    op.create_table(
        "sign_in_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_sign_in_code_tries")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_code")),
    )
    with op.batch_alter_table("sign_in_code", schema=None) as batch_op:
        batch_op.create_index(
            "ix_sign_in_code_phone_created_at", ["phone", "created_at"], unique=False
        )

    op.create_table(
        "bank",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("district_code", sa.String(), nullable=True),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("time_zone", sa.String(length=40), nullable=False),
        sa.Column("hours", sa.String(length=200), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('unit', 'main')", name=op.f("ck_bank_kind")),
        sa.CheckConstraint(
            "lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name=op.f("ck_bank_position")
        ),
        sa.ForeignKeyConstraint(
            ["district_code"], ["district.code"], name=op.f("fk_bank_district_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank")),
        sa.UniqueConstraint("name", name=op.f("uq_bank_name")),
    )
    op.create_table(
        "refresh_token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_refresh_token_person_id")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_token")),
    )
    with op.batch_alter_table("refresh_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refresh_token_family_id"), ["family_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refresh_token_person_id"), ["person_id"], unique=False)

    op.create_table(
        "dropoff",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("credited_idr", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_dropoff_bank_id")),
        sa.ForeignKeyConstraint(["entered_by"], ["person.id"], name=op.f("fk_dropoff_entered_by")),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["person.id"], name=op.f("fk_dropoff_resident_id")
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_dropoff")),
    )
    with op.batch_alter_table("dropoff", schema=None) as batch_op:
        batch_op.create_index("ix_dropoff_resident", ["bank_id", "resident_id", "id"], unique=False)

    op.create_table(
        "event",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.Column("failure", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_event_bank_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_event_person_id")),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(
            "ix_event_due",
            ["bank_id", "due_at"],
            unique=False,
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )

    op.create_table(
        "idempotency",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_idempotency_bank_id")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_idempotency_person_id")
        ),
        sa.PrimaryKeyConstraint("bank_id", "person_id", "key", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index("ix_idempotency_age", ["bank_id", "created_at"], unique=False)

    op.create_table(
        "ledger_account",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("unit", sa.String(length=24), nullable=False),
        sa.Column("floor", sa.String(length=6), nullable=False),
        sa.Column("shards", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "floor IN ('none', 'credit', 'debit')", name=op.f("ck_ledger_account_floor")
        ),
        sa.CheckConstraint(
            "shards = 1 OR (shards > 1 AND floor = 'none')", name=op.f("ck_ledger_account_shards")
        ),
        sa.CheckConstraint("unit = 'IDR' OR unit LIKE 'g:%'", name=op.f("ck_ledger_account_unit")),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_ledger_account_bank_id")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["person.id"], name=op.f("fk_ledger_account_owner_id")
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_ledger_account")),
        sa.UniqueConstraint(
            "bank_id", "code", "unit", name=op.f("uq_ledger_account_bank_id_code_unit")
        ),
        sa.UniqueConstraint(
            "bank_id", "id", "unit", name=op.f("uq_ledger_account_bank_id_id_unit")
        ),
    )
    with op.batch_alter_table("ledger_account", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_account_owner", ["bank_id", "owner_id"], unique=False)

    op.create_table(
        "ledger_journal",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("memo", sa.String(length=300), nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["person.id"], name=op.f("fk_ledger_journal_actor_id")
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "reverses_id"],
            ["ledger_journal.bank_id", "ledger_journal.id"],
            name=op.f("fk_ledger_journal_bank_id_reverses_id"),
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_ledger_journal_bank_id")),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_ledger_journal")),
    )
    with op.batch_alter_table("ledger_journal", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_journal_about", ["bank_id", "about_id"], unique=False)

    op.create_table(
        "membership",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=9), nullable=False),
        sa.Column("passbook_number", sa.String(length=32), nullable=True),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "role IN ('resident', 'collector', 'operator', 'treasurer', 'city')",
            name=op.f("ck_membership_role"),
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_membership_bank_id")),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["person.id"], name=op.f("fk_membership_entered_by")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_membership_person_id")),
        sa.PrimaryKeyConstraint("person_id", "bank_id", "role", name=op.f("pk_membership")),
        sa.UniqueConstraint(
            "bank_id", "passbook_number", name=op.f("uq_membership_bank_id_passbook_number")
        ),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index("ix_membership_bank_id_role", ["bank_id", "role"], unique=False)

    op.create_table(
        "policy",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", UTCDateTime(), nullable=False),
        sa.Column("service_radius_m", sa.Integer(), nullable=False),
        sa.Column("min_pickup_grams", sa.BigInteger(), nullable=False),
        sa.Column("min_dropoff_grams", sa.BigInteger(), nullable=False),
        sa.Column("min_payout_idr", sa.BigInteger(), nullable=False),
        sa.Column("age_floor_m", sa.Float(), nullable=False),
        sa.Column("age_tau_s", sa.Float(), nullable=False),
        sa.Column("max_held_jobs", sa.Integer(), nullable=False),
        sa.Column("lease_s", sa.Integer(), nullable=False),
        sa.Column("fee_per_stop_idr", sa.BigInteger(), nullable=False),
        sa.Column("fee_per_kg_idr", sa.BigInteger(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("age_floor_m > 0 AND age_tau_s >= 0", name=op.f("ck_policy_ageing")),
        sa.CheckConstraint(
            "fee_per_stop_idr >= 0 AND fee_per_kg_idr >= 0", name=op.f("ck_policy_fees")
        ),
        sa.CheckConstraint("max_held_jobs > 0 AND lease_s > 0", name=op.f("ck_policy_claims")),
        sa.CheckConstraint("min_payout_idr > 0", name=op.f("ck_policy_minimum_payout")),
        sa.CheckConstraint(
            "min_pickup_grams >= 0 AND min_dropoff_grams >= 0",
            name=op.f("ck_policy_minimum_weights"),
        ),
        sa.CheckConstraint("service_radius_m > 0", name=op.f("ck_policy_service_radius")),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_policy_bank_id")),
        sa.ForeignKeyConstraint(["entered_by"], ["person.id"], name=op.f("fk_policy_entered_by")),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_policy")),
        sa.UniqueConstraint("bank_id", "valid_from", name=op.f("uq_policy_bank_id_valid_from")),
    )
    op.create_table(
        "price",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("material", sa.String(length=20), nullable=False),
        sa.Column("condition", sa.String(length=5), nullable=False),
        sa.Column("channel", sa.String(length=7), nullable=False),
        sa.Column("price_idr", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", UTCDateTime(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("channel IN ('pickup', 'dropoff')", name=op.f("ck_price_channel")),
        sa.CheckConstraint("condition IN ('clean', 'dirty')", name=op.f("ck_price_condition")),
        sa.CheckConstraint("price_idr >= 0", name=op.f("ck_price_price")),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_price_bank_id")),
        sa.ForeignKeyConstraint(["entered_by"], ["person.id"], name=op.f("fk_price_entered_by")),
        sa.ForeignKeyConstraint(["material"], ["material.code"], name=op.f("fk_price_material")),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_price")),
        sa.UniqueConstraint(
            "bank_id",
            "channel",
            "material",
            "condition",
            "valid_from",
            name=op.f("uq_price_bank_id_channel_material_condition_valid_from"),
        ),
    )
    op.create_table(
        "route",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("collector_id", sa.Uuid(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("total_m", sa.Integer(), nullable=False),
        sa.Column("total_s", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_route_bank_id")),
        sa.ForeignKeyConstraint(
            ["collector_id"], ["person.id"], name=op.f("fk_route_collector_id")
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_route")),
    )
    op.create_table(
        "ledger_balance",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("floor", sa.String(length=6), nullable=False),
        sa.Column("debits_posted", sa.BigInteger(), nullable=False),
        sa.Column("credits_posted", sa.BigInteger(), nullable=False),
        sa.Column("debits_pending", sa.BigInteger(), nullable=False),
        sa.Column("credits_pending", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "floor <> 'credit' OR debits_posted + debits_pending <= credits_posted",
            name=op.f("ck_ledger_balance_never_overdrawn"),
        ),
        sa.CheckConstraint(
            "floor <> 'debit' OR credits_posted + credits_pending <= debits_posted",
            name=op.f("ck_ledger_balance_never_below_nothing"),
        ),
        sa.CheckConstraint(
            "debits_posted >= 0 AND credits_posted >= 0 AND debits_pending >= 0 AND credits_pending >= 0 AND version >= 0",
            name=op.f("ck_ledger_balance_counters"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "account_id"],
            ["ledger_account.bank_id", "ledger_account.id"],
            name=op.f("fk_ledger_balance_bank_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("bank_id", "account_id", "shard", name=op.f("pk_ledger_balance")),
        postgresql_with={"fillfactor": "60"},
    )
    op.create_table(
        "ledger_transfer",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("pending_id", sa.Uuid(), nullable=True),
        sa.Column("journal_id", sa.Uuid(), nullable=False),
        sa.Column("debit_account_id", sa.Uuid(), nullable=False),
        sa.Column("debit_shard", sa.Integer(), nullable=False),
        sa.Column("credit_account_id", sa.Uuid(), nullable=False),
        sa.Column("credit_shard", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=24), nullable=False),
        sa.Column("event_at", UTCDateTime(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "(kind IN ('settle', 'void')) = (pending_id IS NOT NULL)",
            name=op.f("ck_ledger_transfer_resolves"),
        ),
        sa.CheckConstraint(
            "kind IN ('post', 'hold', 'settle', 'void')", name=op.f("ck_ledger_transfer_kind")
        ),
        sa.CheckConstraint(
            "amount > 0 AND amount <= 1000000000000000", name=op.f("ck_ledger_transfer_amount")
        ),
        sa.CheckConstraint(
            "debit_account_id <> credit_account_id", name=op.f("ck_ledger_transfer_two_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "credit_account_id", "unit"],
            ["ledger_account.bank_id", "ledger_account.id", "ledger_account.unit"],
            name=op.f("fk_ledger_transfer_bank_id_credit_account_id_unit"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "debit_account_id", "unit"],
            ["ledger_account.bank_id", "ledger_account.id", "ledger_account.unit"],
            name=op.f("fk_ledger_transfer_bank_id_debit_account_id_unit"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "journal_id"],
            ["ledger_journal.bank_id", "ledger_journal.id"],
            name=op.f("fk_ledger_transfer_bank_id_journal_id"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "pending_id"],
            ["ledger_transfer.bank_id", "ledger_transfer.id"],
            name=op.f("fk_ledger_transfer_bank_id_pending_id"),
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_ledger_transfer")),
        sa.UniqueConstraint("bank_id", "key", name=op.f("uq_ledger_transfer_bank_id_key")),
    )
    with op.batch_alter_table("ledger_transfer", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_transfer_journal", ["bank_id", "journal_id"], unique=False)
        batch_op.create_index(
            "ix_ledger_transfer_resolves_once",
            ["bank_id", "pending_id"],
            unique=True,
            sqlite_where=sa.text("pending_id IS NOT NULL"),
            postgresql_where=sa.text("pending_id IS NOT NULL"),
        )

    op.create_table(
        "pickup",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("cell", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("area", sa.String(length=80), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("window_start", UTCDateTime(), nullable=False),
        sa.Column("window_end", UTCDateTime(), nullable=False),
        sa.Column("estimated_grams", sa.BigInteger(), nullable=False),
        sa.Column("estimate_idr", sa.BigInteger(), nullable=False),
        sa.Column("collector_id", sa.Uuid(), nullable=True),
        sa.Column("claim_number", sa.Integer(), nullable=False),
        sa.Column("claimed_at", UTCDateTime(), nullable=True),
        sa.Column("claimed_until", UTCDateTime(), nullable=True),
        sa.Column("route_id", sa.Uuid(), nullable=True),
        sa.Column("route_sequence", sa.Integer(), nullable=True),
        sa.Column("arrived_at", UTCDateTime(), nullable=True),
        sa.Column("arrived_off_m", sa.Integer(), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("collected_at", UTCDateTime(), nullable=True),
        sa.Column("credited_idr", sa.BigInteger(), nullable=True),
        sa.Column("ended_reason", sa.String(length=300), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "status IN ('open', 'claimed', 'arrived', 'collected', 'cancelled', 'expired')",
            name=op.f("ck_pickup_status"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('claimed', 'arrived') OR (collector_id IS NOT NULL AND claimed_until IS NOT NULL)",
            name=op.f("ck_pickup_held_by_one"),
        ),
        sa.CheckConstraint(
            "estimated_grams > 0 AND estimate_idr >= 0", name=op.f("ck_pickup_estimate")
        ),
        sa.CheckConstraint(
            "lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name=op.f("ck_pickup_position")
        ),
        sa.CheckConstraint("window_start < window_end", name=op.f("ck_pickup_window_forwards")),
        sa.ForeignKeyConstraint(
            ["bank_id", "policy_id"],
            ["policy.bank_id", "policy.id"],
            name=op.f("fk_pickup_bank_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "route_id"],
            ["route.bank_id", "route.id"],
            name=op.f("fk_pickup_bank_id_route_id"),
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_pickup_bank_id")),
        sa.ForeignKeyConstraint(
            ["collector_id"], ["person.id"], name=op.f("fk_pickup_collector_id")
        ),
        sa.ForeignKeyConstraint(["entered_by"], ["person.id"], name=op.f("fk_pickup_entered_by")),
        sa.ForeignKeyConstraint(["resident_id"], ["person.id"], name=op.f("fk_pickup_resident_id")),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_pickup")),
    )
    with op.batch_alter_table("pickup", schema=None) as batch_op:
        batch_op.create_index(
            "ix_pickup_collector", ["bank_id", "collector_id", "id"], unique=False
        )
        batch_op.create_index(
            "ix_pickup_held",
            ["bank_id", "claimed_until"],
            unique=False,
            sqlite_where=sa.text("status IN ('claimed', 'arrived')"),
            postgresql_where=sa.text("status IN ('claimed', 'arrived')"),
        )
        batch_op.create_index(
            "ix_pickup_open_cell",
            ["bank_id", "cell"],
            unique=False,
            sqlite_where=sa.text("status = 'open'"),
            postgresql_where=sa.text("status = 'open'"),
        )
        batch_op.create_index(
            "ix_pickup_open_created_at",
            ["bank_id", "created_at"],
            unique=False,
            sqlite_where=sa.text("status = 'open'"),
            postgresql_where=sa.text("status = 'open'"),
        )
        batch_op.create_index("ix_pickup_resident", ["bank_id", "resident_id", "id"], unique=False)

    op.create_table(
        "handover_attempt",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pickup_id", sa.Uuid(), nullable=False),
        sa.Column("collector_id", sa.Uuid(), nullable=False),
        sa.Column("claim_number", sa.Integer(), nullable=False),
        sa.Column("weighings", sa.String(), nullable=False),
        sa.Column("collected_at", UTCDateTime(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bank_id", "pickup_id"],
            ["pickup.bank_id", "pickup.id"],
            name=op.f("fk_handover_attempt_bank_id_pickup_id"),
        ),
        sa.ForeignKeyConstraint(
            ["collector_id"], ["person.id"], name=op.f("fk_handover_attempt_collector_id")
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_handover_attempt")),
    )
    with op.batch_alter_table("handover_attempt", schema=None) as batch_op:
        batch_op.create_index(
            "ix_handover_attempt_pickup", ["bank_id", "pickup_id", "id"], unique=False
        )

    op.create_table(
        "ledger_entry",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("balance_after", sa.BigInteger(), nullable=False),
        sa.Column("pending_after", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bank_id", "transfer_id"],
            ["ledger_transfer.bank_id", "ledger_transfer.id"],
            name=op.f("fk_ledger_entry_bank_id_transfer_id"),
        ),
        sa.PrimaryKeyConstraint(
            "bank_id", "account_id", "shard", "version", name=op.f("pk_ledger_entry")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "payout",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("amount_idr", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(length=7), nullable=False),
        sa.Column("channel_code", sa.String(length=40), nullable=False),
        sa.Column("account_number", sa.String(length=40), nullable=False),
        sa.Column("account_holder_name", sa.String(length=120), nullable=False),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", UTCDateTime(), nullable=True),
        sa.Column("paid_by", sa.Uuid(), nullable=True),
        sa.Column("paid_at", UTCDateTime(), nullable=True),
        sa.Column("proof", sa.String(length=300), nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("method IN ('cash', 'bank', 'ewallet')", name=op.f("ck_payout_method")),
        sa.CheckConstraint(
            "status IN ('requested', 'approved', 'sending', 'sent', 'unknown', 'paid', 'rejected', 'cancelled', 'failed', 'reversed')",
            name=op.f("ck_payout_status"),
        ),
        sa.CheckConstraint("amount_idr > 0", name=op.f("ck_payout_amount")),
        sa.CheckConstraint(
            "approved_by <> resident_id AND approved_by <> entered_by",
            name=op.f("ck_payout_two_people"),
        ),
        sa.CheckConstraint(
            "paid_by <> resident_id AND paid_by <> entered_by",
            name=op.f("ck_payout_paid_by_another"),
        ),
        sa.ForeignKeyConstraint(["approved_by"], ["person.id"], name=op.f("fk_payout_approved_by")),
        sa.ForeignKeyConstraint(
            ["bank_id", "hold_id"],
            ["ledger_transfer.bank_id", "ledger_transfer.id"],
            name=op.f("fk_payout_bank_id_hold_id"),
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_payout_bank_id")),
        sa.ForeignKeyConstraint(["ended_by"], ["person.id"], name=op.f("fk_payout_ended_by")),
        sa.ForeignKeyConstraint(["entered_by"], ["person.id"], name=op.f("fk_payout_entered_by")),
        sa.ForeignKeyConstraint(["paid_by"], ["person.id"], name=op.f("fk_payout_paid_by")),
        sa.ForeignKeyConstraint(["resident_id"], ["person.id"], name=op.f("fk_payout_resident_id")),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_payout")),
    )
    with op.batch_alter_table("payout", schema=None) as batch_op:
        batch_op.create_index("ix_payout_resident", ["bank_id", "resident_id", "id"], unique=False)
        batch_op.create_index("ix_payout_status", ["bank_id", "status", "id"], unique=False)

    op.create_table(
        "pickup_item",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("pickup_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("material", sa.String(length=20), nullable=False),
        sa.Column("condition", sa.String(length=5), nullable=False),
        sa.Column("estimated_grams", sa.BigInteger(), nullable=False),
        sa.Column("price_idr", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "condition IN ('clean', 'dirty')", name=op.f("ck_pickup_item_condition")
        ),
        sa.CheckConstraint(
            "estimated_grams > 0 AND price_idr >= 0", name=op.f("ck_pickup_item_amounts")
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "pickup_id"],
            ["pickup.bank_id", "pickup.id"],
            name=op.f("fk_pickup_item_bank_id_pickup_id"),
        ),
        sa.ForeignKeyConstraint(
            ["material"], ["material.code"], name=op.f("fk_pickup_item_material")
        ),
        sa.PrimaryKeyConstraint("bank_id", "pickup_id", "line", name=op.f("pk_pickup_item")),
    )
    op.create_table(
        "refusal",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pickup_id", sa.Uuid(), nullable=False),
        sa.Column("collector_id", sa.Uuid(), nullable=False),
        sa.Column("refused_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bank_id", "pickup_id"],
            ["pickup.bank_id", "pickup.id"],
            name=op.f("fk_refusal_bank_id_pickup_id"),
        ),
        sa.ForeignKeyConstraint(
            ["collector_id"], ["person.id"], name=op.f("fk_refusal_collector_id")
        ),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_refusal")),
    )
    with op.batch_alter_table("refusal", schema=None) as batch_op:
        batch_op.create_index(
            "ix_refusal_collector", ["bank_id", "collector_id", "refused_on"], unique=False
        )

    op.create_table(
        "weighing",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pickup_id", sa.Uuid(), nullable=True),
        sa.Column("dropoff_id", sa.Uuid(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("material", sa.String(length=20), nullable=False),
        sa.Column("condition", sa.String(length=5), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("rejected_grams", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("price_idr", sa.BigInteger(), nullable=False),
        sa.Column("amount_idr", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("condition IN ('clean', 'dirty')", name=op.f("ck_weighing_condition")),
        sa.CheckConstraint(
            "rejected_grams = 0 OR reason <> ''", name=op.f("ck_weighing_rejection_has_a_reason")
        ),
        sa.CheckConstraint(
            "(pickup_id IS NULL) <> (dropoff_id IS NULL)", name=op.f("ck_weighing_one_origin")
        ),
        sa.CheckConstraint(
            "grams + rejected_grams > 0", name=op.f("ck_weighing_something_weighed")
        ),
        sa.CheckConstraint(
            "grams >= 0 AND rejected_grams >= 0", name=op.f("ck_weighing_not_negative")
        ),
        sa.CheckConstraint("price_idr >= 0 AND amount_idr >= 0", name=op.f("ck_weighing_amounts")),
        sa.ForeignKeyConstraint(
            ["bank_id", "dropoff_id"],
            ["dropoff.bank_id", "dropoff.id"],
            name=op.f("fk_weighing_bank_id_dropoff_id"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_id", "pickup_id"],
            ["pickup.bank_id", "pickup.id"],
            name=op.f("fk_weighing_bank_id_pickup_id"),
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_weighing_bank_id")),
        sa.ForeignKeyConstraint(["material"], ["material.code"], name=op.f("fk_weighing_material")),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_weighing")),
    )
    with op.batch_alter_table("weighing", schema=None) as batch_op:
        batch_op.create_index("ix_weighing_dropoff", ["bank_id", "dropoff_id", "line"], unique=True)
        batch_op.create_index("ix_weighing_pickup", ["bank_id", "pickup_id", "line"], unique=True)


def downgrade() -> None:
    triggers.remove(op.get_bind())
    with op.batch_alter_table("weighing", schema=None) as batch_op:
        batch_op.drop_index("ix_weighing_pickup")
        batch_op.drop_index("ix_weighing_dropoff")

    op.drop_table("weighing")
    with op.batch_alter_table("refusal", schema=None) as batch_op:
        batch_op.drop_index("ix_refusal_collector")

    op.drop_table("refusal")
    op.drop_table("pickup_item")
    with op.batch_alter_table("payout", schema=None) as batch_op:
        batch_op.drop_index("ix_payout_status")
        batch_op.drop_index("ix_payout_resident")

    op.drop_table("payout")
    op.drop_table("ledger_entry")
    with op.batch_alter_table("handover_attempt", schema=None) as batch_op:
        batch_op.drop_index("ix_handover_attempt_pickup")

    op.drop_table("handover_attempt")
    with op.batch_alter_table("pickup", schema=None) as batch_op:
        batch_op.drop_index("ix_pickup_resident")
        batch_op.drop_index(
            "ix_pickup_open_created_at",
            sqlite_where=sa.text("status = 'open'"),
            postgresql_where=sa.text("status = 'open'"),
        )
        batch_op.drop_index(
            "ix_pickup_open_cell",
            sqlite_where=sa.text("status = 'open'"),
            postgresql_where=sa.text("status = 'open'"),
        )
        batch_op.drop_index(
            "ix_pickup_held",
            sqlite_where=sa.text("status IN ('claimed', 'arrived')"),
            postgresql_where=sa.text("status IN ('claimed', 'arrived')"),
        )
        batch_op.drop_index("ix_pickup_collector")

    op.drop_table("pickup")
    with op.batch_alter_table("ledger_transfer", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_ledger_transfer_resolves_once",
            sqlite_where=sa.text("pending_id IS NOT NULL"),
            postgresql_where=sa.text("pending_id IS NOT NULL"),
        )
        batch_op.drop_index("ix_ledger_transfer_journal")

    op.drop_table("ledger_transfer")
    op.drop_table("ledger_balance")
    op.drop_table("route")
    op.drop_table("price")
    op.drop_table("policy")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index("ix_membership_bank_id_role")

    op.drop_table("membership")
    with op.batch_alter_table("ledger_journal", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_journal_about")

    op.drop_table("ledger_journal")
    with op.batch_alter_table("ledger_account", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_account_owner")

    op.drop_table("ledger_account")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index("ix_idempotency_age")

    op.drop_table("idempotency")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_event_due",
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )

    op.drop_table("event")
    with op.batch_alter_table("dropoff", schema=None) as batch_op:
        batch_op.drop_index("ix_dropoff_resident")

    op.drop_table("dropoff")
    with op.batch_alter_table("refresh_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refresh_token_person_id"))
        batch_op.drop_index(batch_op.f("ix_refresh_token_family_id"))

    op.drop_table("refresh_token")
    op.drop_table("bank")
    with op.batch_alter_table("sign_in_code", schema=None) as batch_op:
        batch_op.drop_index("ix_sign_in_code_phone_created_at")

    op.drop_table("sign_in_code")
    op.drop_table("person")
    op.drop_table("material")
    op.drop_table("district")
