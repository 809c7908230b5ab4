"""The terms of an installation's sign-ins."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """How long tokens live and how often codes may be asked for."""

    access_s: int
    refresh_days: int
    resend_s: int
    codes_per_hour: int
    codes_per_address_hour: int
