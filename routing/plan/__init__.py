"""A day's routes for several vehicles: the problem, the plan, and who works it out."""

from routing.plan.problem import (
    Cancelled,
    Plan,
    Planner,
    Problem,
    Stop,
    Trip,
    Unserved,
    Vehicle,
    VehiclePlan,
    Visit,
    Why,
)

__all__ = [
    "Cancelled",
    "Plan",
    "Planner",
    "Problem",
    "Stop",
    "Trip",
    "Unserved",
    "Vehicle",
    "VehiclePlan",
    "Visit",
    "Why",
]
