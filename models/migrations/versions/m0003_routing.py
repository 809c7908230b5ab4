"""Plans of a day, the estimate of roads by bank, and how near a claim's holder has come."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WAITING = sa.text("status IN ('queued', 'running')")


def upgrade() -> None:
    op.create_table(
        "plan",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("planner", sa.String(length=20), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("budget_s", sa.Integer(), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("progress_permille", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(length=300), nullable=False),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=True),
        sa.Column("applied_at", UTCDateTime(), nullable=True),
        sa.Column("applied_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("budget_s > 0", name=op.f("ck_plan_budget")),
        sa.CheckConstraint("progress_permille BETWEEN 0 AND 1000", name=op.f("ck_plan_progress")),
        sa.CheckConstraint(
            "applied_at IS NULL OR status = 'done'", name=op.f("ck_plan_applied_when_done")
        ),
        sa.CheckConstraint(
            "(status = 'done') = (result IS NOT NULL)", name=op.f("ck_plan_result_when_done")
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'done', 'failed', 'cancelled')",
            name=op.f("ck_plan_status"),
        ),
        sa.ForeignKeyConstraint(["applied_by"], ["person.id"], name=op.f("fk_plan_applied_by")),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_plan_bank_id")),
        sa.ForeignKeyConstraint(["entered_by"], ["person.id"], name=op.f("fk_plan_entered_by")),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_plan")),
    )
    with op.batch_alter_table("plan") as batch_op:
        batch_op.create_index(
            "ix_plan_waiting",
            ["bank_id", "due_at"],
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        )
    with op.batch_alter_table("pickup") as batch_op:
        batch_op.add_column(sa.Column("closest_m", sa.Integer(), nullable=True))
    # The rows that are there get the values of new ones; then the database gives none.
    with op.batch_alter_table("policy") as batch_op:
        batch_op.add_column(
            sa.Column("max_held_grams", sa.BigInteger(), nullable=False, server_default="400000")
        )
        batch_op.add_column(
            sa.Column("road_factor", sa.Float(), nullable=False, server_default="1.45")
        )
        batch_op.add_column(
            sa.Column("road_extra_m", sa.Float(), nullable=False, server_default="250")
        )
        batch_op.add_column(
            sa.Column("road_speed_kmh", sa.Float(), nullable=False, server_default="20")
        )
    with op.batch_alter_table("policy") as batch_op:
        batch_op.alter_column("max_held_grams", server_default=None)
        batch_op.alter_column("road_factor", server_default=None)
        batch_op.alter_column("road_extra_m", server_default=None)
        batch_op.alter_column("road_speed_kmh", server_default=None)
        batch_op.create_check_constraint(batch_op.f("ck_policy_held_grams"), "max_held_grams > 0")
        batch_op.create_check_constraint(
            batch_op.f("ck_policy_road_estimate"),
            "road_factor >= 1 AND road_extra_m >= 0 AND road_speed_kmh > 0",
        )


def downgrade() -> None:
    with op.batch_alter_table("policy") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_policy_road_estimate"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_policy_held_grams"), type_="check")
        batch_op.drop_column("road_speed_kmh")
        batch_op.drop_column("road_extra_m")
        batch_op.drop_column("road_factor")
        batch_op.drop_column("max_held_grams")
    with op.batch_alter_table("pickup") as batch_op:
        batch_op.drop_column("closest_m")
    with op.batch_alter_table("plan") as batch_op:
        batch_op.drop_index("ix_plan_waiting", sqlite_where=_WAITING, postgresql_where=_WAITING)
    op.drop_table("plan")
