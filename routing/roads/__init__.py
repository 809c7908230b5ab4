"""How far and how long it is by road: measured where a router answers, else estimated.

`routing.roads.osrm` is imported by whoever uses it: its HTTP client is slow to load.
"""

from routing.roads.estimate import Estimate
from routing.roads.fallback import Breaker, Router, WithFallback
from routing.roads.matrix import (
    DistanceProvider,
    Drive,
    Matrix,
    Measuring,
    Prefetched,
    RoadsFailed,
    RoadsUnreachable,
    Table,
)

__all__ = [
    "Breaker",
    "DistanceProvider",
    "Drive",
    "Estimate",
    "Matrix",
    "Measuring",
    "Prefetched",
    "RoadsFailed",
    "RoadsUnreachable",
    "Router",
    "Table",
    "WithFallback",
]
