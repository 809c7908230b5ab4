"""Distances, cells, and discs made of cells."""

import math
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routing.geo import (
    ABOUT_M,
    EARTH_RADIUS_M,
    HALF_GLOBE_M,
    Point,
    about,
    cell_of,
    cell_ranges,
    degrees_a_metre,
    metres_between,
    metres_inside,
    shown_metres,
)
from tests.routing.places import MEDAN, anywhere, bearings, beyond, centres

RADII_M = st.one_of(
    st.floats(0, 3_000), st.floats(0, 300_000), st.floats(0, HALF_GLOBE_M), st.just(0.0)
)


def is_covered(point: Point, ranges: list[tuple[int, int]]) -> bool:
    cell = cell_of(point)
    return any(first <= cell <= last for first, last in ranges)


@pytest.mark.parametrize(
    ("a", "b", "metres"),
    [
        (MEDAN, MEDAN, 0.0),
        (Point(0, 0), Point(0, 90), HALF_GLOBE_M / 2),
        (Point(90, 0), Point(-90, 0), HALF_GLOBE_M),
        (Point(0, 0), Point(0, 180), HALF_GLOBE_M),
        (Point(90, 12), Point(90, -150), 0.0),
        (Point(0, 179.5), Point(0, -179.5), math.radians(1) * EARTH_RADIUS_M),
    ],
)
def test_great_circles_of_known_length(a: Point, b: Point, metres: float) -> None:
    assert metres_between(a, b) == pytest.approx(metres, abs=1e-6)


@given(a=anywhere, b=anywhere)
def test_there_is_as_far_as_back_and_never_over_half_the_globe(a: Point, b: Point) -> None:
    assert metres_between(a, b) == pytest.approx(metres_between(b, a), abs=1e-3)
    assert 0 <= metres_between(a, b) <= HALF_GLOBE_M


def test_shown_distances_are_those_on_the_ellipsoid() -> None:
    # A degree of latitude at the equator and at the pole, from tables of the WGS-84 ellipsoid.
    assert shown_metres(Point(-0.5, 20), Point(0.5, 20)) == 110_574
    assert shown_metres(Point(89, 20), Point(90, 20)) == 111_694
    assert shown_metres(MEDAN, MEDAN) == 0


def test_rows_and_columns_take_turns_in_the_bits_of_a_cell() -> None:
    one = 360 / 2**26
    assert cell_of(Point(-90, -180)) == 0b0
    assert cell_of(Point(-90, -180 + 1.1 * one)) == 0b1
    assert cell_of(Point(-90 + 1.1 * one, -180)) == 0b10
    assert cell_of(Point(-90 + 2.1 * one, -180 + 3.1 * one)) == 0b1101
    assert cell_of(Point(90, math.nextafter(180, 0))) < 2**52


def test_both_names_of_the_antimeridian_are_one_cell() -> None:
    assert cell_of(Point(-17, 180)) == cell_of(Point(-17, -180))


@pytest.mark.parametrize(
    "point",
    [Point(90.1, 0), Point(-91, 0), Point(0, 180.5), Point(0, -540), Point(math.nan, 0)],
)
def test_there_are_no_cells_off_the_globe(point: Point) -> None:
    with pytest.raises(ValueError, match="latitude"):
        cell_of(point)
    with pytest.raises(ValueError, match="latitude"):
        cell_ranges(point, 100)


@pytest.mark.parametrize("radius_m", [-1.0, math.nan, -math.inf])
def test_a_radius_that_makes_no_sense_is_refused(radius_m: float) -> None:
    with pytest.raises(ValueError, match="zero metres or more"):
        cell_ranges(MEDAN, radius_m)


@given(centre=centres, radius_m=RADII_M, bearing=bearings, share=st.floats(0, 1))
@example(centre=MEDAN, radius_m=1_000, bearing=math.pi / 2, share=1.0)
@example(centre=Point(60.0, 10.75), radius_m=100_000, bearing=1.5, share=1.0)
def test_every_point_of_a_disc_is_covered(
    centre: Point, radius_m: float, bearing: float, share: float
) -> None:
    point = beyond(centre, bearing, radius_m * share)
    if metres_between(centre, point) <= radius_m:
        assert is_covered(point, cell_ranges(centre, radius_m))


@given(centre=anywhere, radius_m=RADII_M, bearing=bearings)
def test_the_rim_of_a_disc_is_covered_anywhere(
    centre: Point, radius_m: float, bearing: float
) -> None:
    point = beyond(centre, bearing, radius_m)
    if metres_between(centre, point) <= radius_m:
        assert is_covered(point, cell_ranges(centre, radius_m))


@given(centre=anywhere, point=anywhere)
def test_a_disc_that_just_reaches_a_point_covers_it(centre: Point, point: Point) -> None:
    assert is_covered(point, cell_ranges(centre, metres_between(centre, point)))


@given(centre=centres, point=anywhere)
def test_a_disc_of_endless_radius_covers_the_globe(centre: Point, point: Point) -> None:
    assert is_covered(point, cell_ranges(centre, math.inf))


@given(centre=centres, radius_m=st.floats(0, 300_000))
def test_ranges_are_ordered_and_do_not_overlap(centre: Point, radius_m: float) -> None:
    ranges = cell_ranges(centre, radius_m)
    bounds = [bound for pair in ranges for bound in pair]
    assert bounds == sorted(bounds)
    assert all(a[1] < b[0] for a, b in pairwise(ranges))


@given(centre=anywhere, radius_m=RADII_M)
def test_a_disc_takes_few_ranges(centre: Point, radius_m: float) -> None:
    assert len(cell_ranges(centre, radius_m)) <= 20


@given(radius_m=st.floats(50, 300_000))
def test_little_beyond_a_disc_is_covered(radius_m: float) -> None:
    cells = sum(last - first + 1 for first, last in cell_ranges(MEDAN, radius_m))
    cell_m = metres_between(Point(0, 0), Point(360 / 2**26, 0))
    square_m2 = cells * cell_m**2 * math.cos(math.radians(MEDAN.lat))
    assert square_m2 < 5 * math.pi * radius_m**2


@given(here=anywhere, there=anywhere)
@example(here=Point(-17.8, 179.9), there=Point(-17.8, -179.9))
@example(here=Point(60.0, 10.0), there=Point(60.0, 10.1))
@example(here=Point(89.5, 0.0), there=Point(89.5, 90.0))
def test_nothing_is_nearer_than_its_degrees_say(here: Point, there: Point) -> None:
    degrees = math.hypot(there.lat - here.lat, there.lon - here.lon)
    assert metres_inside(here, degrees) <= metres_between(here, there)


@given(here=centres, bearing=bearings, metres=st.floats(1, 2_000_000))
def test_nothing_near_is_nearer_than_its_degrees_say(
    here: Point, bearing: float, metres: float
) -> None:
    there = beyond(here, bearing, metres)
    degrees = math.hypot(there.lat - here.lat, there.lon - here.lon)
    assert metres_inside(here, degrees) <= metres_between(here, there)


@given(here=centres, bearing=bearings, metres=st.floats(1, 2_000_000), part=st.floats(0, 1))
def test_no_metre_leads_further_in_degrees_than_is_said(
    here: Point, bearing: float, metres: float, part: float
) -> None:
    each = degrees_a_metre(here, metres)
    there = beyond(here, bearing, part * metres)
    degrees = math.hypot(there.lat - here.lat, there.lon - here.lon)
    assert each is None or degrees <= each * (metres_between(here, there) + 0.001)


def test_near_the_equator_degrees_say_nearly_all() -> None:
    assert metres_inside(MEDAN, 0.01) == pytest.approx(0.998 * 1_111.95, rel=1e-3)
    assert metres_inside(Point(90, 0), 0.01) == 0
    assert degrees_a_metre(MEDAN, 1_000) == pytest.approx(1 / 111_195, rel=3e-3)
    assert degrees_a_metre(Point(90, 0), 1_000) is None
    assert degrees_a_metre(Point(0, 179.999), 1_000) is None


@given(anywhere)
def test_what_is_told_of_a_place_is_near_it_and_on_the_globe(point: Point) -> None:
    told = about(point)
    assert metres_between(point, told) < ABOUT_M
    assert about(told) == told
    cell_of(told)
