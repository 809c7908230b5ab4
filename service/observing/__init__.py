"""What the people who run the product see of it: lines of a log, and traces."""

from service.observing.logs import configure, request_id
from service.observing.masking import without_people

__all__ = ["configure", "request_id", "without_people"]
