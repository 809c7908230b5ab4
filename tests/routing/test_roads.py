"""Road distances without roads."""

import pytest

from routing.geo import Point, metres_between
from routing.roads import DistanceProvider, Estimate
from tests.routing.places import MEDAN, beyond

AWAY = beyond(MEDAN, 1.0, 2_000.0)


async def test_a_road_is_estimated_from_the_straight_line() -> None:
    provider: DistanceProvider = Estimate(factor=1.5, extra_m=100.0, speed_kmh=36.0)
    matrix = await provider.matrix([MEDAN, AWAY])
    assert metres_between(MEDAN, AWAY) == pytest.approx(2_000.0)
    assert matrix.metres == [[0, 3_100], [3_100, 0]]
    assert matrix.seconds == [[0, 310], [310, 0]]


async def test_every_cell_but_the_diagonal_is_marked_as_estimated() -> None:
    matrix = await Estimate().matrix([MEDAN, AWAY, MEDAN])
    assert matrix.estimated == [[a != b for b in range(3)] for a in range(3)]
    assert matrix.source == "estimate"


async def test_the_same_place_is_no_drive() -> None:
    matrix = await Estimate().matrix([MEDAN, MEDAN])
    assert matrix.metres == matrix.seconds == [[0, 0], [0, 0]]


async def test_no_points_make_an_empty_matrix() -> None:
    assert (await Estimate().matrix([])).metres == []


async def test_both_sides_of_the_antimeridian_are_neighbours() -> None:
    matrix = await Estimate(factor=1.0, extra_m=0.0).matrix([Point(0, 179.99), Point(0, -179.99)])
    assert matrix.metres[0][1] == 2_224


@pytest.mark.parametrize(
    "figures", [{"factor": 0.9}, {"extra_m": -1.0}, {"speed_kmh": 0.0}, {"factor": float("nan")}]
)
def test_an_estimate_that_makes_no_sense_is_refused(figures: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="An estimate needs"):
        Estimate(**figures)
