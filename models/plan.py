"""A day's routes for several vehicles, asked for by an operator and worked out apart."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, Index, text
from sqlmodel import Field

from models.base import Table, new_id, one_of, text_of, utc_now


class PlanStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Plan(Table, table=True):
    """What was asked, how far the work is, and what came of it.

    Who works on it holds a lease with a fence: only the last taker's outcome counts.
    """

    __table_args__ = (
        CheckConstraint(one_of("status", PlanStatus), "status"),
        CheckConstraint("budget_s > 0", "budget"),
        CheckConstraint("progress_permille BETWEEN 0 AND 1000", "progress"),
        CheckConstraint("(status = 'done') = (result IS NOT NULL)", "result_when_done"),
        CheckConstraint("applied_at IS NULL OR status = 'done'", "applied_when_done"),
        Index(
            "ix_plan_placed",
            "bank_id",
            "id",
            sqlite_where=text("place_forgotten_at IS NULL"),
            postgresql_where=text("place_forgotten_at IS NULL"),
        ),
        Index(
            "ix_plan_waiting",
            "bank_id",
            "due_at",
            sqlite_where=text("status IN ('queued', 'running')"),
            postgresql_where=text("status IN ('queued', 'running')"),
        ),
    )

    bank_id: UUID = Field(primary_key=True, foreign_key="bank.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    day: date = Field(description="The day at the bank that it is for")
    status: str = Field(default=PlanStatus.QUEUED, sa_type=text_of(PlanStatus))
    planner: str = Field(max_length=20)
    seed: int = 0
    budget_s: int = Field(description="Seconds that the planner may work")
    asked: dict[str, Any] = Field(sa_type=JSON, description="Vehicles, stops and what they cost")
    result: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    progress_permille: int = 0
    failure: str = Field(default="", max_length=300)
    cancel_asked: bool = False
    fence: int = 0
    due_at: datetime = Field(default_factory=utc_now)
    entered_by: UUID = Field(foreign_key="person.id")
    created_at: datetime = Field(default_factory=utc_now)
    started_at: datetime | None = None
    applied_at: datetime | None = None
    applied_by: UUID | None = Field(default=None, foreign_key="person.id")
    ended_at: datetime | None = None
    place_forgotten_at: datetime | None = Field(
        default=None, description="Since then the positions in `asked` are rounded"
    )
