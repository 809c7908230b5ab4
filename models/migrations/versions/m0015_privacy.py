"""Consents, deletions and breaches; a NIK that may be given; places that are forgotten."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

from models.ledger import triggers

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_PLACED = sa.text("place_forgotten_at IS NULL")
_ENDED = sa.text("status IN ('collected', 'cancelled', 'expired') AND place_forgotten_at IS NULL")
_PLACES = {
    "pickup": ("ix_pickup_placed", "created_at", _ENDED),
    "plan": ("ix_plan_placed", "id", _PLACED),
    "route": ("ix_route_placed", "id", _PLACED),
}
_MADE = ("breach_notice", "breach_person", "breach", "deletion_trace", "deletion", "consent")
_OF_PEOPLE = ("nik_hash", "nik_sealed", "deleted_at")


def upgrade() -> None:
    _know_niks()
    for table, (index, column, where) in _PLACES.items():
        op.add_column(table, sa.Column("place_forgotten_at", UTCDateTime()))
        op.create_index(
            index, table, ["bank_id", column], sqlite_where=where, postgresql_where=where
        )
    _make_consents()
    _make_deletions()
    _make_breaches()


def downgrade() -> None:
    """Whoever was deleted stays so; that they were, and what was agreed to, is forgotten."""
    triggers.remove(op.get_bind())
    for table in _MADE:
        op.drop_table(table)
    for table, (index, _, _) in _PLACES.items():
        op.drop_index(index, table)
        op.drop_column(table, "place_forgotten_at")
    op.drop_index("ix_person_nik_hash", "person")
    with op.batch_alter_table("person") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_person_nik"), type_="check")
        for column in _OF_PEOPLE:
            batch_op.drop_column(column)


def _know_niks() -> None:
    with op.batch_alter_table("person") as batch_op:
        batch_op.add_column(sa.Column("nik_hash", sa.String(length=64)))
        batch_op.add_column(sa.Column("nik_sealed", sa.String(length=120)))
        batch_op.add_column(sa.Column("deleted_at", UTCDateTime()))
        batch_op.create_check_constraint(
            batch_op.f("ck_person_nik"), "(nik_hash IS NULL) = (nik_sealed IS NULL)"
        )
        batch_op.create_index("ix_person_nik_hash", ["nik_hash"], unique=True)


def _make_consents() -> None:
    op.create_table(
        "consent",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=8), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('service', 'notices', 'location')", name=op.f("ck_consent_purpose")
        ),
        _of("consent", "person"),
        _of("consent", "person", "entered_by"),
        sa.PrimaryKeyConstraint("person_id", "id", name=op.f("pk_consent")),
        sqlite_with_rowid=False,
    )


def _make_deletions() -> None:
    op.create_table(
        "deletion",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        _of("deletion", "person"),
        _of("deletion", "person", "entered_by"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_deletion")),
    )
    op.create_table(
        "deletion_trace",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('phone', 'number', 'name')", name=op.f("ck_deletion_trace_kind")
        ),
        sa.CheckConstraint("words > 0", name=op.f("ck_deletion_trace_words")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["deletion.person_id"], name=op.f("fk_deletion_trace_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", "hash", name=op.f("pk_deletion_trace")),
    )


def _make_breaches() -> None:
    op.create_table(
        "breach",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("known_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("whole_bank", sa.Boolean(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("what <> ''", name=op.f("ck_breach_says_what")),
        _of("breach", "bank"),
        _of("breach", "person", "entered_by"),
        sa.PrimaryKeyConstraint("bank_id", "id", name=op.f("pk_breach")),
    )
    op.create_table(
        "breach_person",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("breach_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        _of_breach("breach_person"),
        _of("breach_person", "person"),
        sa.PrimaryKeyConstraint("bank_id", "breach_id", "person_id", name=op.f("pk_breach_person")),
    )
    op.create_table(
        "breach_notice",
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("breach_id", sa.Uuid(), nullable=False),
        sa.Column("told", sa.String(length=9), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("told IN ('people', 'authority')", name=op.f("ck_breach_notice_told")),
        sa.CheckConstraint("text <> ''", name=op.f("ck_breach_notice_has_words")),
        _of_breach("breach_notice"),
        _of("breach_notice", "person", "entered_by"),
        sa.PrimaryKeyConstraint("bank_id", "breach_id", "told", name=op.f("pk_breach_notice")),
    )


def _of(table: str, other: str, column: str = "") -> sa.ForeignKeyConstraint:
    column = column or f"{other}_id"
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def _of_breach(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["bank_id", "breach_id"],
        ["breach.bank_id", "breach.id"],
        name=op.f(f"fk_{table}_bank_id_breach_id"),
    )
