"""Drives along real roads, from the table service of an OSRM server."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from routing.geo import Point
from routing.roads.matrix import Drive, RoadsFailed, RoadsUnreachable, Table

_NOTHING_HERE = {"NoSegment", "NoTable"}


@dataclass(frozen=True, slots=True)
class _Block:
    """Part of a table, as row and column numbers."""

    rows: Sequence[int]
    columns: Sequence[int]

    def halves(self) -> "tuple[_Block, _Block]":
        rows, columns = self.rows, self.columns
        if len(rows) >= len(columns):
            middle = len(rows) // 2
            return _Block(rows[:middle], columns), _Block(rows[middle:], columns)
        middle = len(columns) // 2
        return _Block(rows, columns[:middle]), _Block(rows, columns[middle:])


@dataclass(frozen=True, slots=True)
class Osrm:
    """Asks one OSRM server, `block` coordinates at a time (its own default limit is 100).

    OSRM takes any point to the nearest road, however far: cells of a point that would be
    moved more than `max_snap_m` metres stay empty. It is not asked to refuse such points
    (`radiuses`), for then one of them would spoil the whole table.

    The address comes from the operator's settings, never from a request.
    """

    base_url: str
    client: httpx.AsyncClient
    max_snap_m: float = 500.0
    block: int = 100
    timeout_s: float = 1.0
    profile: str = "driving"

    def __post_init__(self) -> None:
        if self.block < 2:
            raise ValueError("A block needs two coordinates: where from, and where to.")

    async def fill(self, table: Table) -> None:
        """Measure the cells, block by block; those that OSRM doesn't know stay None.

        Raises RoadsUnreachable if nobody answers, RoadsFailed if what comes is no table.
        """
        for block in _blocks(len(table.sources), len(table.targets), self.block):
            await self._fill_block(table, block)

    async def _fill_block(self, table: Table, block: _Block) -> None:
        if _is_one_point(table, block):
            # OSRM refuses a table of one coordinate.
            table.cells[block.rows[0]][block.columns[0]] = Drive(0, 0)
            return
        answer = await self._ask(*_question(table, block))
        code = answer.get("code")
        if code == "Ok":
            self._enter(table, block, answer)
        elif code == "TooBig" and len(block.rows) + len(block.columns) > 2:
            for half in block.halves():
                await self._fill_block(table, half)
        elif code not in _NOTHING_HERE:
            raise RoadsFailed(f"OSRM answered {code!r}.")

    async def _ask(self, coordinates: str, query: str) -> dict[str, Any]:
        url = f"{self.base_url.rstrip('/')}/table/v1/{self.profile}/{coordinates}?{query}"
        try:
            response = await self.client.get(url, timeout=self.timeout_s)
        except httpx.TransportError as error:
            raise RoadsUnreachable(f"OSRM can't be reached: {error!r}.") from error
        except httpx.HTTPError as error:
            raise RoadsFailed(f"OSRM's answer can't be read: {error!r}.") from error
        return _body(response)

    def _enter(self, table: Table, block: _Block, answer: dict[str, Any]) -> None:
        try:
            is_near_from = [self._is_near(place) for place in answer["sources"]]
            is_near_to = [self._is_near(place) for place in answer["destinations"]]
            cells = [
                [_drive(metres, seconds) for metres, seconds in zip(*both, strict=True)]
                for both in zip(answer["distances"], answer["durations"], strict=True)
            ]
            rows = list(zip(block.rows, cells, is_near_from, strict=True))
            filled = [
                (row, list(zip(block.columns, drives, is_near_to, strict=True)) if near else [])
                for row, drives, near in rows
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise RoadsFailed(f"OSRM's table is malformed: {error!r}.") from error
        for row, columns in filled:
            for column, drive, fits in columns:
                table.cells[row][column] = drive if fits else None

    def _is_near(self, place: dict[str, Any]) -> bool:
        moved_m = place["distance"]
        return isinstance(moved_m, int | float) and 0 <= moved_m <= self.max_snap_m


def _blocks(rows: int, columns: int, most: int) -> Iterator[_Block]:
    """Cut a table so that each part names at most so many coordinates, in few parts."""
    high = min(rows, most // 2)
    wide = min(columns, most - high)
    high = min(rows, most - wide)
    for top in range(0, rows, high):
        for left in range(0, columns, wide):
            yield _Block(range(top, min(top + high, rows)), range(left, min(left + wide, columns)))


def _is_one_point(table: Table, block: _Block) -> bool:
    ends = {table.sources[row] for row in block.rows} | {table.targets[c] for c in block.columns}
    return len(ends) == 1


def _question(table: Table, block: _Block) -> tuple[str, str]:
    """Each point once, in the order of first use: coordinates and the rest of the query."""
    froms = [table.sources[row] for row in block.rows]
    tos = [table.targets[column] for column in block.columns]
    place = {index: number for number, index in enumerate(dict.fromkeys([*froms, *tos]))}
    coordinates = ";".join(_lon_lat(table.points[index]) for index in place)
    sources = ";".join(str(place[index]) for index in froms)
    targets = ";".join(str(place[index]) for index in tos)
    wanted = "annotations=duration,distance&generate_hints=false"
    return coordinates, f"{wanted}&sources={sources}&destinations={targets}"


def _lon_lat(point: Point) -> str:
    # The other way round than everywhere else, and never as 1e-05.
    return f"{point.lon:.6f},{point.lat:.6f}"


def _body(response: httpx.Response) -> dict[str, Any]:
    if response.status_code not in (200, 400):
        raise RoadsFailed(f"OSRM answered with status {response.status_code}.")
    try:
        body = response.json()
    except ValueError as error:
        raise RoadsFailed("OSRM's answer is no JSON.") from error
    if not isinstance(body, dict):
        raise RoadsFailed("OSRM's answer is no object.")
    return body


def _drive(metres: object, seconds: object) -> Drive | None:
    if not (_is_length(metres) and _is_length(seconds)):
        return None
    return Drive(round(metres), round(seconds))  # type: ignore[call-overload]  # checked above


def _is_length(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value < math.inf  # type: ignore[operator]  # checked before
