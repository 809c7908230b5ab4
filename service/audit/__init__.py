"""The audit: who did what to which thing when, from where, on whose behalf."""

from service.audit.ended import END_PART, banks_left, banks_of, ended_parts
from service.audit.reading import Told, Wanted, about_me, entries_of
from service.audit.seen import Seen, note_looks
from service.audit.words import WORDS, in_words
from service.audit.writing import Entry, by_system, for_postgresql, note_own, write

__all__ = [
    "END_PART",
    "WORDS",
    "Entry",
    "Seen",
    "Told",
    "Wanted",
    "about_me",
    "banks_left",
    "banks_of",
    "by_system",
    "ended_parts",
    "entries_of",
    "for_postgresql",
    "in_words",
    "note_looks",
    "note_own",
    "write",
]
