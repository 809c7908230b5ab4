"""What a bank had before this book: its residents, and what it owes them."""

from service.takeover.entering import enter
from service.takeover.file import MemberFileNotReadable, MemberRow, read_members
from service.takeover.planning import Step, plan

__all__ = ["MemberFileNotReadable", "MemberRow", "Step", "enter", "plan", "read_members"]
