"""Who fetches what: the board, claims with a lease, and giving back."""

from service.claims.board import Job, nearest
from service.claims.leases import (
    ClaimExpired,
    NoOpenPickup,
    PickupAlreadyClaimed,
    PickupNotOpen,
    TooManyGramsHeld,
    TooManyJobsHeld,
    arrive,
    claim,
    come_closer,
    release,
    sweep,
)
from service.claims.routes import Drive, Stop, Wish, claim_nearest

__all__ = [
    "ClaimExpired",
    "Drive",
    "Job",
    "NoOpenPickup",
    "PickupAlreadyClaimed",
    "PickupNotOpen",
    "Stop",
    "TooManyGramsHeld",
    "TooManyJobsHeld",
    "Wish",
    "arrive",
    "claim",
    "claim_nearest",
    "come_closer",
    "nearest",
    "release",
    "sweep",
]
