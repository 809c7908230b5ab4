"""Who fetches what: the board, claims with a lease, and giving back."""

from service.claims.board import Job, nearest
from service.claims.byroad import SHORTLIST, JobByRoad, by_road, known_drives
from service.claims.drawing import WORDS, feature, geojson_of, km_of, label_of, picture_of
from service.claims.history import finished_trips
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
from service.claims.running import Running, add, find_route, of_collector, one_more, running

__all__ = [
    "SHORTLIST",
    "WORDS",
    "ClaimExpired",
    "Drive",
    "Job",
    "JobByRoad",
    "NoOpenPickup",
    "PickupAlreadyClaimed",
    "PickupNotOpen",
    "Running",
    "Stop",
    "TooManyGramsHeld",
    "TooManyJobsHeld",
    "Wish",
    "add",
    "arrive",
    "by_road",
    "claim",
    "claim_nearest",
    "come_closer",
    "feature",
    "find_route",
    "finished_trips",
    "geojson_of",
    "km_of",
    "known_drives",
    "label_of",
    "nearest",
    "of_collector",
    "one_more",
    "picture_of",
    "release",
    "running",
    "sweep",
]
