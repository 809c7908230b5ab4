"""What leaving a stop out of a plan costs."""

_NEW = 7_200
"""Seconds of driving that a stop listed just now is worth: hardly any detour is longer."""
_DOUBLES_IN_S = 86_400


def prize_of(age_s: float) -> int:
    """Return the prize, in seconds of driving, of a stop that has waited so long.

    It grows by as much again every day, so that the far ones, which are the first to be
    left out, are not the ones left out every day. A negative age counts as zero.
    """
    return round(_NEW * (1 + max(age_s, 0.0) / _DOUBLES_IN_S))
