"""Finds people in text: phones and numbers however they are written, names in any case.

It knows only digests of what it looks for. While somebody is being deleted these are the
things themselves; afterwards keyed hashes are all that is left.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from models.privacy import TraceKind
from service.keys import Keys

Digest = Callable[[TraceKind, str], Iterable[str]]
SHORTEST_NUMBER = 8
"""Shorter ones, such as amounts and dates, are too often something else."""
_LONGEST_NUMBER = 24
_CHUNK = re.compile(r"\d+")
SEPARATORS = " .-()/"
"""What people put between the digits of a number, one or two at a time."""
_BETWEEN = re.compile(rf"[{re.escape(SEPARATORS)}]{{1,2}}")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_COUNTRY = "62"
_TAKEN_OUT = "…"


class Wanted(NamedTuple):
    """Something a person is known by, in its normal form."""

    kind: TraceKind
    value: str
    words: int = 1


class Found(NamedTuple):
    """Where something of a person stands in a text."""

    start: int
    end: int
    kind: TraceKind
    person_id: UUID


def phone(text: str) -> Wanted:
    return Wanted(TraceKind.PHONE, _national(_digits(text)))


def number(text: str) -> Wanted | None:
    """Of an account, or a NIK; None if it is too short to be told from others."""
    digits = _digits(text)
    if len(digits) < SHORTEST_NUMBER:
        return None
    return phone(text) if text.startswith("+") else Wanted(TraceKind.NUMBER, digits)


def name(text: str) -> Wanted | None:
    """None for a single word: there are too many who are called so."""
    words = [_folded(word) for word in _WORD.findall(text)]
    return Wanted(TraceKind.NAME, " ".join(words), len(words)) if len(words) > 1 else None


def as_it_is(kind: TraceKind, value: str) -> Iterable[str]:
    """The digest of who is still there."""
    return (f"{kind}:{value}",)


def by_key(keys: Keys) -> Digest:
    """Keyed hashes, by every pepper that there was."""

    @lru_cache(maxsize=200_000)
    def hashes(kind: TraceKind, value: str) -> tuple[str, ...]:
        return tuple(keys.hashes_of("trace", kind, value))

    return hashes


@dataclass(frozen=True, slots=True)
class Finder:
    """What is looked for: whose, by digest; and how many words the names among it have."""

    whose: Mapping[str, UUID]
    lengths: frozenset[int]
    digest: Digest
    words: tuple[str, ...] = ()
    """Taken out as they stand, such as an address: not found, for others may live there."""

    def find(self, text: str) -> Iterator[Found]:
        """Everything of these people in a text; some of it may overlap."""
        yield from self._numbers(text)
        yield from self._names(text)

    def without(self, text: str) -> str:
        """The text with all of that taken out."""
        for words in self.words:
            text = text.replace(words, _TAKEN_OUT)
        end = len(text)
        for found in sorted(self.find(text), key=lambda one: (-one.end, one.start)):
            if found.end <= end:
                text = text[: found.start] + _TAKEN_OUT + text[found.end :]
                end = found.start
        return text

    def without_in(self, thing: Any) -> Any:
        """The same for every text in a thing of JSON."""
        if isinstance(thing, str):
            return self.without(thing)
        if isinstance(thing, list):
            return [self.without_in(one) for one in thing]
        if isinstance(thing, dict):
            return {key: self.without_in(one) for key, one in thing.items()}
        return thing

    def _numbers(self, text: str) -> Iterator[Found]:
        for run in _runs(text):
            for first in range(len(run)):
                digits = ""
                for last in run[first:]:
                    digits += last.group()
                    if len(digits) > _LONGEST_NUMBER:
                        break
                    if len(digits) >= SHORTEST_NUMBER:
                        yield from self._number(digits, run[first].start(), last.end())

    def _number(self, digits: str, start: int, end: int) -> Iterator[Found]:
        yield from self._look(TraceKind.NUMBER, digits, start, end)
        yield from self._look(TraceKind.PHONE, _national(digits), start, end)

    def _names(self, text: str) -> Iterator[Found]:
        if not self.lengths:
            return
        words = list(_WORD.finditer(text))
        folded = [_folded(word.group()) for word in words]
        for length in self.lengths:
            for first in range(len(words) - length + 1):
                said = " ".join(folded[first : first + length])
                start, end = words[first].start(), words[first + length - 1].end()
                yield from self._look(TraceKind.NAME, said, start, end)

    def _look(self, kind: TraceKind, value: str, start: int, end: int) -> Iterator[Found]:
        for digest in self.digest(kind, value):
            if person_id := self.whose.get(digest):
                yield Found(start, end, kind, person_id)


def unescaped(text: str) -> str:
    """Text as it is read, where JSON wrote what isn't ASCII by numbers."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "\\u" in text else text


def finder_of(person_id: UUID, wanted: Iterable[Wanted], words: Iterable[str] = ()) -> Finder:
    """Looks for somebody who is still there."""
    things = list(wanted)
    whose = {digest: person_id for one in things for digest in as_it_is(one.kind, one.value)}
    return Finder(whose, lengths_in(things), as_it_is, tuple(words))


def lengths_in(things: Iterable[Wanted]) -> frozenset[int]:
    return frozenset(one.words for one in things if one.kind == TraceKind.NAME)


def _runs(text: str) -> Iterator[list[re.Match[str]]]:
    """Digits that may belong together, since little stands between them."""
    run: list[re.Match[str]] = []
    for chunk in _CHUNK.finditer(text):
        if run and not _BETWEEN.fullmatch(text, run[-1].end(), chunk.start()):
            yield run
            run = []
        run.append(chunk)
    if run:
        yield run


def _digits(text: str) -> str:
    return "".join(_CHUNK.findall(text))


def _national(digits: str) -> str:
    """A number as it is dialled at home, without 0: 62812…, 0812… and 812… are the same."""
    return digits.removeprefix(_COUNTRY).lstrip("0")


def _folded(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()
